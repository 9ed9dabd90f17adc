//! What a store needs of the other shards: compaction asks them before it removes a segment, and
//! moves that a crash has left open are settled with the accounts that they have.

use std::cell::RefCell;
use std::rc::Rc;

use storage_engine::account::OpenMove;
use storage_engine::ids::{AccountId, SegmentId};
use storage_engine::mail_store::{Answer, Shards};

use crate::runtime::Runtime;

use super::Shard;
use super::message::Question;

/// The other shards, known once this one stands. Lives on one shard.
pub struct OtherShards<R: Runtime>(RefCell<Option<Shard<R>>>);

impl<R: Runtime> OtherShards<R> {
    /// Nobody yet; nothing is compacted before [`OtherShards::attach`].
    pub fn unattached() -> Rc<Self> {
        Rc::new(OtherShards(RefCell::new(None)))
    }

    /// The shard whose peers these are.
    pub fn attach(&self, shard: Shard<R>) {
        *self.0.borrow_mut() = Some(shard);
    }

    /// The way is closed: the shard ends.
    pub fn detach(&self) {
        *self.0.borrow_mut() = None;
    }
}

impl<R: Runtime> Shards for OtherShards<R> {
    fn evacuate(&self, segment: SegmentId) -> Answer<bool> {
        let shard = self.0.borrow().clone();
        Box::pin(async move {
            match shard {
                Some(shard) => shard
                    .ask_others(|| Question::Evacuate(segment))
                    .await
                    .is_ok(),
                None => false,
            }
        })
    }

    fn forget(&self, segment: SegmentId) -> Answer<()> {
        let shard = self.0.borrow().clone();
        Box::pin(async move {
            if let Some(shard) = shard {
                // A shard that is gone reads nothing any more.
                let _ = shard.ask_others(|| Question::Forget(segment)).await;
            }
        })
    }

    fn settle(&self, account: AccountId, open: Vec<OpenMove>) {
        if let Some(shard) = &*self.0.borrow() {
            shard.settle_moves(account, open);
        }
    }
}
