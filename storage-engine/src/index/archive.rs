//! The one place that knows rkyv: a page of the index as an archive that is read in place.
//!
//! `from_bytes` checks an archive once (structure by bytecheck, then that all columns are equally
//! long and UIDs ascend); after that every read is an array access.

use rkyv::rancor;
use rkyv::util::AlignedVec;
use rkyv::{Archive, Serialize};

use super::Entry;
use crate::ids::{BodyId, ModSeq, Place, SegmentId, Uid};
use crate::request::Flags;
use crate::state_limits::PAGE_MESSAGES_MAX;

/// Alignment of a page's bytes in memory; the widest column needs 8.
const PAGE_ALIGNMENT: usize = 16;

/// The columns. Field order is part of the format (FORMAT.md, "index page").
#[derive(Archive, Serialize, Default)]
struct Columns {
    uid: Vec<u32>,
    mod_seq: Vec<u64>,
    flags: Vec<u64>,
    internal_date_s: Vec<i64>,
    zone_min: Vec<i16>,
    saved_s: Vec<i64>,
    size: Vec<u32>,
    body: Vec<u64>,
    body_segment: Vec<u64>,
    body_offset: Vec<u32>,
    body_len: Vec<u32>,
    summary_segment: Vec<u64>,
    summary_offset: Vec<u32>,
    summary_len: Vec<u32>,
}

/// An immutable page, checked. `1 <= len <= PAGE_MESSAGES_MAX`, UIDs ascend.
pub struct Page {
    bytes: AlignedVec<PAGE_ALIGNMENT>,
    /// Position of the first message without `\Seen`; `len` when there is none.
    unseen: usize,
}

/// Why bytes are no page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// bytecheck refused.
    #[error("not an index page")]
    Malformed,
    /// Columns differ in length, or there are none or too many messages.
    #[error("index page with unequal columns")]
    Columns,
    /// UIDs don't ascend from 1.
    #[error("index page out of order")]
    Order,
}

impl Page {
    /// Makes a page of these messages; `1 <= entries.len() <= PAGE_MESSAGES_MAX`, ascending.
    pub fn build(entries: &[Entry]) -> Result<Page, PageError> {
        let mut columns = Columns::default();
        for entry in entries {
            columns.push(entry);
        }
        let bytes = rkyv::api::high::to_bytes_in::<_, rancor::Error>(
            &columns,
            AlignedVec::<PAGE_ALIGNMENT>::new(),
        )
        .map_err(|_| PageError::Malformed)?;
        Page::checked(bytes)
    }

    /// Takes bytes from the disk, whose checksum the frame has vouched for.
    pub fn from_bytes(bytes: &[u8]) -> Result<Page, PageError> {
        let mut aligned = AlignedVec::<PAGE_ALIGNMENT>::with_capacity(bytes.len());
        aligned.extend_from_slice(bytes);
        Page::checked(aligned)
    }

    /// The archive, to be written as it is.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Messages in it.
    pub fn len(&self) -> usize {
        self.columns().uid.len()
    }

    /// Never true of a checked page.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// UID of the message at this position.
    #[inline]
    pub fn uid(&self, position: usize) -> Option<Uid> {
        Some(Uid(self.columns().uid.get(position)?.to_native()))
    }

    /// Number of messages with a smaller UID.
    pub fn position_of(&self, uid: Uid) -> usize {
        self.columns()
            .uid
            .partition_point(|held| held.to_native() < uid.0)
    }

    /// Positions of the messages without `\Seen`, ascending; costs nothing where there are none.
    pub fn unseen(&self) -> impl Iterator<Item = usize> + '_ {
        let flags = &self.columns().flags;
        let is_unseen = |at: &usize| {
            flags
                .get(*at)
                .is_some_and(|held| is_unseen(held.to_native()))
        };
        (self.unseen..flags.len()).filter(is_unseen)
    }

    /// Flags of the message at this position.
    pub fn flags(&self, position: usize) -> Option<Flags> {
        Some(Flags(self.columns().flags.get(position)?.to_native()))
    }

    /// RFC822.SIZE of the message at this position.
    pub fn size(&self, position: usize) -> Option<u32> {
        Some(self.columns().size.get(position)?.to_native())
    }

    /// INTERNALDATE and zone of the message at this position.
    pub fn internal_date(&self, position: usize) -> Option<(i64, i16)> {
        let columns = self.columns();
        let seconds = columns.internal_date_s.get(position)?.to_native();
        Some((seconds, columns.zone_min.get(position)?.to_native()))
    }

    /// MODSEQ of the message at this position.
    pub fn mod_seq(&self, position: usize) -> Option<ModSeq> {
        Some(ModSeq(self.columns().mod_seq.get(position)?.to_native()))
    }

    /// The message at this position.
    pub fn entry(&self, at: usize) -> Option<Entry> {
        let columns = self.columns();
        Some(Entry {
            uid: Uid(columns.uid.get(at)?.to_native()),
            mod_seq: ModSeq(columns.mod_seq.get(at)?.to_native()),
            flags: Flags(columns.flags.get(at)?.to_native()),
            internal_date_s: columns.internal_date_s.get(at)?.to_native(),
            zone_min: columns.zone_min.get(at)?.to_native(),
            saved_s: columns.saved_s.get(at)?.to_native(),
            size: columns.size.get(at)?.to_native(),
            body: BodyId(columns.body.get(at)?.to_native()),
            body_place: Place {
                segment: SegmentId(columns.body_segment.get(at)?.to_native()),
                offset: columns.body_offset.get(at)?.to_native(),
                len: columns.body_len.get(at)?.to_native(),
            },
            summary_place: Place {
                segment: SegmentId(columns.summary_segment.get(at)?.to_native()),
                offset: columns.summary_offset.get(at)?.to_native(),
                len: columns.summary_len.get(at)?.to_native(),
            },
        })
    }

    fn checked(bytes: AlignedVec<PAGE_ALIGNMENT>) -> Result<Page, PageError> {
        let columns = rkyv::access::<ArchivedColumns, rancor::Error>(&bytes)
            .map_err(|_| PageError::Malformed)?;
        let len = columns.uid.len();
        if len == 0 || len > PAGE_MESSAGES_MAX || !columns.all_have(len) {
            return Err(PageError::Columns);
        }
        let mut last = 0;
        for uid in columns.uid.iter() {
            if uid.to_native() <= last {
                return Err(PageError::Order);
            }
            last = uid.to_native();
        }
        let mut flags = columns.flags.iter();
        let unseen = flags.position(|held| is_unseen(held.to_native()));
        let unseen = unseen.unwrap_or(len);
        Ok(Page { bytes, unseen })
    }

    fn columns(&self) -> &ArchivedColumns {
        // SAFETY: `checked`, the only constructor, has validated exactly these bytes as
        // `ArchivedColumns` (root at the end of the slice); they are aligned to 16, owned by this
        // page, never handed out for writing and never changed afterwards.
        unsafe { rkyv::access_unchecked::<ArchivedColumns>(&self.bytes) }
    }
}

fn is_unseen(flags: u64) -> bool {
    !Flags(flags).contains(Flags::SEEN)
}

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Page({} messages)", self.len())
    }
}

impl Columns {
    fn push(&mut self, entry: &Entry) {
        self.uid.push(entry.uid.0);
        self.mod_seq.push(entry.mod_seq.0);
        self.flags.push(entry.flags.0);
        self.internal_date_s.push(entry.internal_date_s);
        self.zone_min.push(entry.zone_min);
        self.saved_s.push(entry.saved_s);
        self.size.push(entry.size);
        self.body.push(entry.body.0);
        self.body_segment.push(entry.body_place.segment.0);
        self.body_offset.push(entry.body_place.offset);
        self.body_len.push(entry.body_place.len);
        self.summary_segment.push(entry.summary_place.segment.0);
        self.summary_offset.push(entry.summary_place.offset);
        self.summary_len.push(entry.summary_place.len);
    }
}

impl ArchivedColumns {
    fn all_have(&self, len: usize) -> bool {
        self.mod_seq.len() == len
            && self.flags.len() == len
            && self.internal_date_s.len() == len
            && self.zone_min.len() == len
            && self.saved_s.len() == len
            && self.size.len() == len
            && self.body.len() == len
            && self.body_segment.len() == len
            && self.body_offset.len() == len
            && self.body_len.len() == len
            && self.summary_segment.len() == len
            && self.summary_offset.len() == len
            && self.summary_len.len() == len
    }
}
