//! Calls to other shards that wait for their answer: a slot each, no allocation per call.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use super::message::Answer;

/// The open calls of one shard.
#[derive(Default, Clone)]
pub struct Calls(Rc<RefCell<Slab<Slot>>>);

enum Slot {
    Waiting(Option<Waker>),
    Answered(Answer),
    /// The caller is gone; the answer is dropped when it comes, then the slot is free.
    Abandoned,
}

impl Calls {
    /// Takes a slot; its number travels with the question.
    pub fn open(&self) -> Call {
        let id = self.0.borrow_mut().insert(Slot::Waiting(None));
        Call {
            calls: self.clone(),
            id,
            finished: false,
        }
    }

    /// An answer has come.
    pub fn answer(&self, id: usize, answer: Answer) {
        let mut slots = self.0.borrow_mut();
        match slots.get_mut(id) {
            Some(slot @ Slot::Waiting(_)) => {
                if let Slot::Waiting(Some(waker)) = std::mem::replace(slot, Slot::Answered(answer))
                {
                    waker.wake();
                }
            }
            Some(Slot::Abandoned) => drop(slots.remove(id)),
            Some(Slot::Answered(_)) | None => tracing::error!(id, "an answer without a call"),
        }
    }
}

/// An open call; ends with its answer.
pub struct Call {
    calls: Calls,
    id: usize,
    finished: bool,
}

impl Call {
    /// The slot.
    pub fn id(&self) -> usize {
        self.id
    }
}

impl Future for Call {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let calls = self.calls.clone();
        let mut slots = calls.0.borrow_mut();
        if let Some(Slot::Waiting(waker)) = slots.get_mut(self.id) {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.finished = true;
        match slots.remove(self.id) {
            Slot::Answered(answer) => Poll::Ready(answer),
            Slot::Waiting(_) | Slot::Abandoned => unreachable!("only a dropped call is abandoned"),
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let mut slots = self.calls.0.borrow_mut();
        match slots.get_mut(self.id) {
            Some(slot @ Slot::Waiting(_)) => *slot = Slot::Abandoned,
            Some(Slot::Answered(_)) => drop(slots.remove(self.id)),
            Some(Slot::Abandoned) | None => {}
        }
    }
}
