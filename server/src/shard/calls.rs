//! Calls to other shards that wait for their answer: a slot each, no allocation per call.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use slab::Slab;

use storage_engine::request::Refusal;

use super::message::Answer;

#[cfg(test)]
mod tests;

/// The open calls of one shard.
#[derive(Default, Clone)]
pub struct Calls(Rc<RefCell<Table>>);

#[derive(Default)]
struct Table {
    slots: Slab<Slot>,
    /// Peers that answer no more.
    gone: Vec<usize>,
}

/// A call and the peer that is to answer it.
struct Slot {
    peer: usize,
    state: State,
}

enum State {
    Waiting(Option<Waker>),
    Answered(Answer),
    /// The caller is gone; the answer is dropped when it comes, then the slot is free.
    Abandoned,
}

/// What callers hear of a peer that is gone: whether it did what they asked is not known.
fn unknown() -> Answer {
    Answer::Done(Err(Refusal::Unknown))
}

impl Calls {
    /// Takes a slot for a question to `peer`; its number travels with the question.
    pub fn open(&self, peer: usize) -> Call {
        let mut table = self.0.borrow_mut();
        let state = if table.gone.contains(&peer) {
            State::Answered(unknown())
        } else {
            State::Waiting(None)
        };
        let id = table.slots.insert(Slot { peer, state });
        Call {
            calls: self.clone(),
            id,
            finished: false,
        }
    }

    /// An answer has come.
    pub fn answer(&self, id: usize, answer: Answer) {
        let mut table = self.0.borrow_mut();
        match table.slots.get_mut(id) {
            Some(slot) => {
                if !slot.finish(answer) {
                    table.slots.remove(id);
                }
            }
            None => tracing::error!(id, "an answer without a call"),
        }
    }

    /// The peer answers no more: all that wait for it learn that the outcome is unknown.
    pub fn peer_gone(&self, peer: usize) {
        let mut table = self.0.borrow_mut();
        table.gone.push(peer);
        let theirs = |slot: &mut Slot| slot.peer != peer || slot.finish(unknown());
        table.slots.retain(|_, slot| theirs(slot));
    }
}

impl Slot {
    /// Takes the answer; false when nobody wants it and the slot is free.
    fn finish(&mut self, answer: Answer) -> bool {
        match std::mem::replace(&mut self.state, State::Abandoned) {
            State::Waiting(waker) => {
                self.state = State::Answered(answer);
                if let Some(waker) = waker {
                    waker.wake();
                }
                true
            }
            State::Answered(first) => {
                self.state = State::Answered(first);
                true
            }
            State::Abandoned => false,
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
        let mut table = calls.0.borrow_mut();
        if let Some(Slot {
            state: State::Waiting(waker),
            ..
        }) = table.slots.get_mut(self.id)
        {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        self.finished = true;
        match table.slots.remove(self.id).state {
            State::Answered(answer) => Poll::Ready(answer),
            State::Waiting(_) | State::Abandoned => {
                unreachable!("only a dropped call is abandoned")
            }
        }
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        if self.finished {
            return;
        }
        let mut table = self.calls.0.borrow_mut();
        match table.slots.get_mut(self.id) {
            Some(
                slot @ Slot {
                    state: State::Waiting(_),
                    ..
                },
            ) => slot.state = State::Abandoned,
            Some(_) => drop(table.slots.remove(self.id)),
            None => {}
        }
    }
}
