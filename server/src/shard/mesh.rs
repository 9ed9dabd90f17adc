//! The ways between shards: one bounded channel of batches per ordered pair.

use std::cell::RefCell;

use crate::limits;
use crate::runtime::channel::{Receiver, Sender, bounded};

use super::message::Message;
use super::signal::Signal;

#[cfg(test)]
mod tests;

/// One shard's ends of the mesh, made before the shards start and moved to its thread.
pub struct Ends {
    /// To each shard, by index; the one to itself is never used.
    pub to: Vec<Sender<Vec<Message>>>,
    /// From each shard, by index.
    pub from: Vec<Receiver<Vec<Message>>>,
}

/// Makes the ends for `shards` shards.
pub fn mesh(shards: usize) -> Vec<Ends> {
    let mut ends: Vec<Ends> = (0..shards)
        .map(|_| Ends {
            to: Vec::new(),
            from: Vec::new(),
        })
        .collect();
    // By sender, and under it by receiver: so both rows of everybody's ends come in order.
    for from in 0..shards {
        for to in 0..shards {
            let (sender, receiver) = bounded(limits::MESH_BATCHES_MAX);
            ends[from].to.push(sender);
            ends[to].from.push(receiver);
        }
    }
    ends
}

/// Messages for one peer that wait for the end of the turn, or for room in its channel.
pub struct Outbox {
    queue: RefCell<Vec<Message>>,
    sender: Sender<Vec<Message>>,
    filled: Signal,
    drained: Signal,
}

impl Outbox {
    /// An empty outbox before `sender`.
    pub fn new(sender: Sender<Vec<Message>>) -> Self {
        Outbox {
            queue: RefCell::default(),
            sender,
            filled: Signal::default(),
            drained: Signal::default(),
        }
    }

    /// Queues without waiting; for answers and changes, whose number is bounded by the calls that
    /// are open and by `limits::CHANGES_WAITING_MAX`.
    pub fn push(&self, message: Message) {
        if self.sender.is_closed() {
            return;
        }
        let mut queue = self.queue.borrow_mut();
        queue.push(message);
        if queue.len() == 1 {
            drop(queue);
            self.filled.raise();
        }
    }

    /// Waits for room before a question: the back-pressure on a connection. Ends too when the peer
    /// is gone, as then nothing waits any more.
    pub async fn room(&self) {
        while self.waiting() >= limits::OUTBOX_MESSAGES_MAX && !self.sender.is_closed() {
            let since = self.drained.version();
            self.drained.changed(since).await;
        }
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.queue.borrow().len()
    }

    /// No more messages, either way.
    pub fn close(&self) {
        self.sender.close();
        self.filled.raise();
        self.drained.raise();
    }

    /// Moves batches into the channel until the peer is gone. One task per peer runs this.
    pub async fn flush(&self) {
        loop {
            let since = self.filled.version();
            let batch = std::mem::take(&mut *self.queue.borrow_mut());
            if batch.is_empty() && self.sender.is_closed() {
                return;
            }
            if batch.is_empty() {
                self.filled.changed(since).await;
                continue;
            }
            let sent = self.sender.send(batch).await;
            self.drained.raise();
            if sent.is_err() {
                return;
            }
        }
    }
}
