//! The request to end, seen by every shard and thread.

use super::channel::{Receiver, Sender, bounded};

/// Whoever may end the process holds this. Crosses threads.
#[derive(Debug, Clone)]
pub struct StopSource {
    sender: Sender<()>,
}

/// Whoever has to end holds this. Crosses threads. Meant for a few long-lived tasks per shard;
/// sessions are kicked instead of waiting for it.
#[derive(Debug, Clone)]
pub struct Stop {
    receiver: Receiver<()>,
}

impl StopSource {
    /// A source and the token that it controls.
    pub fn new() -> (StopSource, Stop) {
        let (sender, receiver) = bounded(1);
        (StopSource { sender }, Stop { receiver })
    }

    /// Asks everybody to stop. Asking again changes nothing.
    pub fn request(&self) {
        self.sender.close();
    }
}

impl Stop {
    /// Returns once the stop was requested (or every source is gone).
    pub async fn requested(&self) {
        // Nothing is ever sent: the receive ends when the channel is closed.
        while self.receiver.recv().await.is_ok() {}
    }

    /// Whether the stop was requested.
    pub fn is_requested(&self) -> bool {
        self.receiver.is_closed()
    }

    /// As [`Stop::requested`], for threads without an executor.
    pub fn wait(&self) {
        while self.receiver.recv_blocking().is_ok() {}
    }
}
