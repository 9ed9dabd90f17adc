//! A local wake-up: many tasks of one shard wait for the next change of something.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

/// Counts changes and wakes who waits for the next one. Lives on one shard.
#[derive(Default)]
pub struct Signal {
    version: Cell<u64>,
    /// One slot a waiting task; a slot is freed by its `Changed` when that is dropped.
    waiting: RefCell<slab::Slab<Waker>>,
}

impl Signal {
    /// The number of changes so far; pass it to [`Signal::changed`].
    pub fn version(&self) -> u64 {
        self.version.get()
    }

    /// Something changed: wakes everybody.
    pub fn raise(&self) {
        self.version.set(self.version.get().wrapping_add(1));
        for waker in self.waiting.borrow_mut().drain() {
            waker.wake();
        }
    }

    /// Ends once the version differs from `since`. May be dropped while pending.
    pub fn changed(&self, since: u64) -> Changed<'_> {
        Changed {
            signal: self,
            since,
            slot: None,
        }
    }
}

/// Future of [`Signal::changed`].
pub struct Changed<'a> {
    signal: &'a Signal,
    since: u64,
    /// Slot and the version at which it was taken: `raise` empties all slots.
    slot: Option<(usize, u64)>,
}

impl Future for Changed<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let version = self.signal.version();
        if version != self.since {
            self.slot = None;
            return Poll::Ready(());
        }
        let mut waiting = self.signal.waiting.borrow_mut();
        match self.slot.and_then(|(slot, _)| waiting.get_mut(slot)) {
            Some(waker) => waker.clone_from(context.waker()),
            None => {
                let slot = waiting.insert(context.waker().clone());
                drop(waiting);
                self.slot = Some((slot, version));
            }
        }
        Poll::Pending
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        if let Some((slot, version)) = self.slot
            && version == self.signal.version()
        {
            self.signal.waiting.borrow_mut().try_remove(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};

    #[test]
    fn a_waiter_is_woken_once_and_a_dropped_one_leaves_no_slot() {
        let signal = Signal::default();
        let since = signal.version();
        {
            let mut waiter = signal.changed(since);
            assert!(block_on(poll_once(&mut waiter)).is_none());
            assert_eq!(signal.waiting.borrow().len(), 1);
        }
        assert_eq!(signal.waiting.borrow().len(), 0);
        let mut waiter = signal.changed(since);
        assert!(block_on(poll_once(&mut waiter)).is_none());
        signal.raise();
        assert!(block_on(poll_once(&mut waiter)).is_some());
    }
}
