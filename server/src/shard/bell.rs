//! Wakes one session that waits: rung from elsewhere on its shard, heard once.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::task::{Poll, Waker};

/// Rung or not, and who waits for it: at most one task.
#[derive(Default)]
pub struct Bell {
    rung: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Bell {
    /// Rings until it is heard.
    pub fn ring(&self) {
        self.rung.set(true);
        if let Some(waker) = self.waiting.borrow_mut().take() {
            waker.wake();
        }
    }

    /// Whether it was rung since it was heard last.
    pub fn hear(&self) -> bool {
        self.rung.replace(false)
    }

    /// Waits until it rings; it is still to be heard then. May be dropped while pending.
    pub async fn rung(&self) {
        poll_fn(|context| {
            if self.rung.get() {
                return Poll::Ready(());
            }
            *self.waiting.borrow_mut() = Some(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};

    #[test]
    fn a_ring_is_heard_once_whether_somebody_waits_or_not() {
        let bell = Bell::default();
        assert!(!bell.hear());
        bell.ring();
        bell.ring();
        block_on(bell.rung());
        assert!(bell.hear() && !bell.hear());
        let mut waiting = Box::pin(bell.rung());
        assert!(block_on(poll_once(&mut waiting)).is_none());
        bell.ring();
        assert!(block_on(poll_once(&mut waiting)).is_some());
    }
}
