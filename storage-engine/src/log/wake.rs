//! Wake-ups between the tasks of one shard, for any executor.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Something changed: whoever waits looks again.
#[derive(Default)]
pub struct Signal {
    generation: Cell<u64>,
    wakers: RefCell<Vec<Waker>>,
}

impl Signal {
    /// To be read before the condition is looked at, so that no change between is missed.
    pub fn generation(&self) -> u64 {
        self.generation.get()
    }

    /// Wakes all that wait.
    pub fn notify(&self) {
        self.generation.set(self.generation.get().wrapping_add(1));
        for waker in self.wakers.take() {
            waker.wake();
        }
    }

    /// Ends once [`Signal::notify`] was called after `seen` was read.
    pub async fn changed_since(&self, seen: u64) {
        poll_fn(|context| {
            if self.generation.get() != seen {
                return Poll::Ready(());
            }
            let mut wakers = self.wakers.borrow_mut();
            // One waker a task: tasks count their wakers in few bits.
            if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
                wakers.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }
}

/// One value, once, from one task to another.
pub struct Promise<T>(Rc<RefCell<Slot<T>>>);

/// The side that gives the value. Dropped without it, the promise waits for ever; the log answers
/// every promise it was given.
pub struct Resolver<T>(Rc<RefCell<Slot<T>>>);

struct Slot<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

/// Both sides.
pub fn promise<T>() -> (Resolver<T>, Promise<T>) {
    let slot = Rc::new(RefCell::new(Slot {
        value: None,
        waker: None,
    }));
    (Resolver(slot.clone()), Promise(slot))
}

impl<T> Resolver<T> {
    /// Gives the value.
    pub fn resolve(self, value: T) {
        let waker = {
            let mut slot = self.0.borrow_mut();
            slot.value = Some(value);
            slot.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Future for Promise<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        let mut slot = self.0.borrow_mut();
        match slot.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                slot.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}
