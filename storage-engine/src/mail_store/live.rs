//! How many bytes of each segment are needed: what compaction chooses by.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::account::{AccountState, Dead, Effects};
use crate::ids::{AccountId, BodyId, Place, SegmentId};
use crate::limits::BODY_INLINE_BYTES_MAX;
use crate::log::frame_bytes;
use crate::record::Record;
use crate::recovery::SegmentUses;

/// Live bytes as this shard changed them since the start file.
pub(crate) struct LiveBytes {
    /// Segments of earlier epochs, counted over all shards.
    segments: Arc<SegmentUses>,
    changed: RefCell<BTreeMap<SegmentId, i64>>,
    /// Bodies in chunks that came or went, whose chunks have not been counted yet.
    maps: RefCell<VecDeque<MapChange>>,
    /// Bytes that came to be not needed, in this process.
    dead: Cell<u64>,
}

/// A large body came to be used, or no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MapChange {
    pub account: AccountId,
    pub body: BodyId,
    pub place: Place,
    /// 1 = came, -1 = went.
    pub sign: i64,
}

impl LiveBytes {
    pub(crate) fn new(segments: Arc<SegmentUses>) -> LiveBytes {
        let (changed, maps) = (RefCell::default(), RefCell::default());
        LiveBytes {
            segments,
            changed,
            maps,
            dead: Cell::new(0),
        }
    }

    /// What a published record did.
    pub(crate) fn note(&self, account: AccountId, record: &Record, effects: &Effects) {
        if let Record::MessageAdded { entry, .. } = record {
            self.body(
                account,
                entry.body,
                (entry.body_place, entry.summary_place),
                entry.size,
                1,
            );
        }
        for dead in &effects.dead {
            let Dead {
                body,
                body_place,
                summary_place,
                size,
            } = *dead;
            self.body(account, body, (body_place, summary_place), size, -1);
        }
    }

    /// Everything of an account that was built from nothing.
    pub(crate) fn count_account(&self, account: AccountId, state: &AccountState) {
        let mut seen = HashSet::new();
        for mailbox in state
            .mailbox_ids()
            .iter()
            .filter_map(|id| state.mailbox(*id))
        {
            for entry in mailbox.index.iter() {
                if seen.insert(entry.body) {
                    let places = (entry.body_place, entry.summary_place);
                    self.body(account, entry.body, places, entry.size, 1);
                }
            }
        }
    }

    fn body(
        &self,
        account: AccountId,
        body: BodyId,
        (body_place, summary_place): (Place, Place),
        size: u32,
        sign: i64,
    ) {
        self.add(body_place, sign);
        self.add(summary_place, sign);
        if usize::try_from(size).is_ok_and(|size| size > BODY_INLINE_BYTES_MAX) {
            let change = MapChange {
                account,
                body,
                place: body_place,
                sign,
            };
            self.maps.borrow_mut().push_back(change);
        }
    }

    /// One frame came to be needed (1) or not (-1).
    pub(crate) fn add(&self, place: Place, sign: i64) {
        let payload = usize::try_from(place.len).unwrap_or(0);
        let bytes = i64::try_from(frame_bytes(payload)).unwrap_or(0) * sign;
        *self.changed.borrow_mut().entry(place.segment).or_insert(0) += bytes;
        self.segments.add(place.segment, bytes);
        if sign < 0 {
            self.dead.set(self.dead.get() + bytes.unsigned_abs());
        }
    }

    /// Grows whenever something dies.
    pub(crate) fn dead_bytes(&self) -> u64 {
        self.dead.get()
    }

    /// The next large body whose chunks are to be counted. One at a time: whoever writes the counts
    /// down meanwhile misses no more than that one.
    pub(crate) fn take_map(&self) -> Option<MapChange> {
        self.maps.borrow_mut().pop_front()
    }

    /// For the manifest.
    pub(crate) fn changes(&self) -> BTreeMap<SegmentId, i64> {
        self.changed.borrow().clone()
    }

    /// Segments of earlier epochs.
    pub(crate) fn segments(&self) -> &SegmentUses {
        &self.segments
    }

    /// Bytes needed of a segment of this process.
    pub(crate) fn of_own(&self, segment: SegmentId) -> i64 {
        self.changed.borrow().get(&segment).copied().unwrap_or(0)
    }
}
