//! Compaction: gives the space of expunged mail and deleted accounts back.
//!
//! The emptiest segments that get no more batches are taken one by one. Every shard copies what
//! its own accounts still need of it through its log, as any other write: bodies and summaries
//! with a `moved` record, metadata as it is (epoch and LSN kept) or restated, index pages, states
//! and tables by a checkpoint. Only when all shards have such a checkpoint durable, one manifest
//! names the segment as removed, every reader forgets it, and the file goes. A crash before that
//! manifest leaves doubles, which recovery knows; after it, recovery removes the file.

mod evacuate;

use std::collections::HashMap;

use crate::disk::{Disk, DiskError, DiskFile};
use crate::ids::SegmentId;
use crate::log::{FrameKind, segment_name, segment_shard};
use crate::mail_store::MailStore;
use crate::reader::BodyMap;
use crate::recovery::Sabotage;

/// What compaction remembers between two looks.
#[derive(Debug, Default)]
pub(crate) struct CompactionState {
    /// Segments that could not be emptied, and the size of the log then.
    failed: HashMap<SegmentId, u64>,
    /// Dead bytes counted at the last look.
    looked_at: u64,
    looked: bool,
    pub(crate) evacuating: bool,
}

/// A segment worth emptying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    id: SegmentId,
    live: i64,
}

impl<D: Disk> MailStore<D> {
    /// Empties segments as long as some is worth it.
    pub(crate) async fn compact_if_due(&self) {
        self.count_maps().await;
        if !self.look_is_due() {
            return;
        }
        while !self.inner.closing.get()
            && self.inner.log.fenced().is_none()
            && let Some(candidate) = self.choose()
        {
            if !self.compact(candidate.id).await {
                let log_bytes = self.inner.log.counters().bytes;
                let mut state = self.inner.compaction.borrow_mut();
                state.failed.insert(candidate.id, log_bytes);
            }
        }
    }

    /// Choosing walks over all segments, so it waits until enough has died.
    fn look_is_due(&self) -> bool {
        let dead = self.inner.live.dead_bytes();
        let share = if self.inner.log.is_full() { 64 } else { 8 };
        let step = u64::from(self.inner.log.segment_bytes() / share);
        let mut state = self.inner.compaction.borrow_mut();
        if state.looked && dead < state.looked_at.saturating_add(step) {
            return false;
        }
        (state.looked, state.looked_at) = (true, dead);
        true
    }

    /// The emptiest segment whose emptying gives back more than it costs.
    fn choose(&self) -> Option<Candidate> {
        let log = &self.inner.log;
        let shards = self.inner.checkpoint.borrow().shards;
        let state = self.inner.compaction.borrow();
        let checkpoint = self.inner.checkpoint.borrow();
        let log_bytes = log.counters().bytes;
        let earlier = self.inner.live.segments().all();
        let own = log
            .ended_segments()
            .into_iter()
            .map(|ended| (ended.id, ended.end, self.inner.live.of_own(ended.id)));
        let worth = |end: u32, live: i64| match log.is_full() {
            // Every byte counts, as long as the copies fit into the reserve.
            true => live.saturating_mul(8) <= i64::from(end) * 7,
            false => live.saturating_mul(2) <= i64::from(end),
        };
        let retry = |id: SegmentId| {
            let failed = state.failed.get(&id);
            failed.is_none_or(|at| log_bytes > at + u64::from(log.segment_bytes()))
        };
        let candidates = earlier
            .chain(own)
            .filter(|(id, _, _)| segment_shard(*id) % shards.max(1) == self.inner.shard)
            .filter(|(id, end, live)| worth(*end, *live) && retry(*id))
            .filter(|(id, _, _)| !checkpoint.removed.contains(id))
            .filter(|(id, _, _)| !self.inner.uploads.borrow().use_segment(*id))
            .map(|(id, _, live)| Candidate { id, live });
        candidates.min_by_key(|candidate| (candidate.live, candidate.id))
    }

    /// Empties one segment on all shards and removes it. False: it stays.
    async fn compact(&self, id: SegmentId) -> bool {
        let early = self.inner.options.sabotage == Some(Sabotage::RemoveTooEarly);
        let emptied = early || self.evacuate(id).await && self.inner.shards.evacuate(id).await;
        if !emptied {
            return false;
        }
        self.inner.checkpoint.borrow_mut().removed.insert(id);
        // From here on the segment does not exist, whatever happens.
        if let Err(error) = self.checkpoint().await {
            tracing::warn!(%error, "an emptied segment stays for now");
            self.inner.checkpoint.borrow_mut().removed.remove(&id);
            return false;
        }
        self.inner.reader.forget(id);
        self.inner.shards.forget(id).await;
        match self.remove_segment(id).await {
            Ok(bytes) => self.inner.log.space().give(bytes),
            // The next start removes it.
            Err(error) => tracing::warn!(%error, "an emptied segment was not removed"),
        }
        self.inner.log.forget_segment(id);
        self.count(|counters| counters.segments_removed += 1);
        true
    }

    async fn remove_segment(&self, id: SegmentId) -> Result<u64, DiskError> {
        let name = segment_name(id);
        let file = self.inner.disk.open(&name).await?;
        let bytes = file.size().await?;
        file.close().await?;
        self.inner.disk.remove(&name).await?;
        self.inner.disk.sync_directory().await?;
        Ok(bytes)
    }

    /// Counts the chunks of large bodies that came or went.
    pub(crate) async fn count_maps(&self) {
        while let Some(change) = self.inner.live.take_map() {
            let kinds = &[FrameKind::BodyMap];
            let reader = &self.inner.reader;
            let read = reader.read_frame(change.account, change.body.0, change.place, kinds);
            // An unreadable map costs space that is not given back, nothing else.
            let Ok((_, payload)) = read.await else {
                continue;
            };
            for chunk in BodyMap::decode(&payload)
                .map(|map| map.chunks)
                .unwrap_or_default()
            {
                self.inner.live.add(chunk, change.sign);
            }
        }
    }
}
