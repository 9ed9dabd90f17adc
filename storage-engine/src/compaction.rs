//! Compaction: gives the space of expunged mail and deleted accounts back.

use crate::disk::Disk;
use crate::ids::SegmentId;
use crate::mail_store::MailStore;

impl<D: Disk> MailStore<D> {
    pub(crate) async fn compact_if_due(&self) {}

    /// Compaction on another shard wants to remove this segment: moves what this shard's accounts
    /// need of it, and writes a checkpoint that needs it no more. False: it must stay.
    pub async fn evacuate(&self, segment: SegmentId) -> bool {
        let _ = segment;
        false
    }
}
