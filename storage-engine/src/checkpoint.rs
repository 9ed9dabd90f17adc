//! Checkpoints: the published state as frames, so that the next start replays little.

use std::collections::{BTreeMap, HashSet};

use crate::disk::{Disk, DiskError};
use crate::ids::{AccountId, Place, Slice};
use crate::mail_store::MailStore;

/// What the next checkpoint has to write.
pub(crate) struct CheckpointState {
    /// Newest durable table of each slice.
    pub tables: BTreeMap<Slice, Place>,
    pub shards: usize,
    dirty: HashSet<AccountId>,
}

impl CheckpointState {
    pub(crate) fn new(tables: BTreeMap<Slice, Place>, shards: usize) -> CheckpointState {
        CheckpointState { tables, shards, dirty: HashSet::new() }
    }

    /// The account changed since the last checkpoint.
    pub(crate) fn note_dirty(&mut self, account: AccountId) {
        self.dirty.insert(account);
    }
}

impl<D: Disk> MailStore<D> {
    pub(crate) async fn maintain(&self) {}

    pub(crate) async fn checkpoint(&self) -> Result<(), DiskError> {
        Ok(())
    }
}
