//! Moves to other accounts: the way by which they are settled, and a session's hold on one.

use storage_engine::account::OpenMove;
use storage_engine::ids::AccountId;
use storage_engine::moves::{self, Ask};
use storage_engine::request::{Actor, Operation, Refusal, Reply};

use crate::runtime::Runtime;

use super::Shard;

impl<R: Runtime> Ask for Shard<R> {
    async fn ask(&self, account: AccountId, operation: Operation) -> Result<Reply, Refusal> {
        self.request(account, Actor::System, operation).await
    }
}

impl<R: Runtime> Shard<R> {
    /// Brings moves that nobody works at any more to their end, beside everything else.
    pub(super) fn settle_moves(&self, account: AccountId, open: Vec<OpenMove>) {
        let shard = self.clone();
        self.runtime().spawn(async move {
            for open in open {
                if let Err(refusal) = moves::settle(&shard, account, open).await {
                    tracing::warn!(%account, ?open, %refusal, "a move stays open");
                }
            }
        });
    }
}

/// A move that a session works at. Given up half-way, it is settled: the destination says whether
/// it has taken the messages.
pub struct Moving<R: Runtime> {
    shard: Shard<R>,
    from: AccountId,
    to: AccountId,
    number: u64,
    over: bool,
}

impl<R: Runtime> Moving<R> {
    /// The source has begun it.
    pub fn new(shard: Shard<R>, from: AccountId, to: AccountId, number: u64) -> Self {
        Moving {
            shard,
            from,
            to,
            number,
            over: false,
        }
    }

    /// Its source and its number there.
    pub fn key(&self) -> (AccountId, u64) {
        (self.from, self.number)
    }

    /// The destination has taken the messages: they leave the source. What it remembers of them
    /// may go then, and nobody waits for that.
    pub async fn taken(mut self) -> Result<Reply, Refusal> {
        let ended = self.end(true).await?;
        self.over = true;
        let (shard, to, (from, number)) = (self.shard.clone(), self.to, self.key());
        self.shard.runtime().spawn(async move {
            // If that fails, it is settled when the destination is looked at again.
            let _ = moves::forget(&shard, to, from, number).await;
        });
        Ok(ended)
    }

    /// The destination has refused the messages: they stay.
    pub async fn refused(mut self) {
        self.over = self.end(false).await.is_ok();
    }

    async fn end(&self, taken: bool) -> Result<Reply, Refusal> {
        let number = self.number;
        let end = Operation::EndMove { number, taken };
        self.shard.ask(self.from, end).await
    }
}

impl<R: Runtime> Drop for Moving<R> {
    fn drop(&mut self) {
        if !self.over {
            let open = OpenMove::Out {
                number: self.number,
                to: self.to,
            };
            self.shard.settle_moves(self.from, vec![open]);
        }
    }
}
