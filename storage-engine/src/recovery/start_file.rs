//! `start-<epoch>`: what existed when a process started serving. Written once, by recovery.
//!
//! ```text
//!  0  epoch u32, shards u32
//!  8  count u32, then segments: id u64, end u32, zero u32, live bytes i64
//!     count u32, then replay ranges: segment u64, from u32, zero u32
//!     count u32, then slice tables: slice u16, zero u16, length u32, segment u64, offset u32,
//!     zero u32
//! ```

use std::collections::BTreeMap;

use crate::ids::{Epoch, Place, SegmentId, Slice};
use crate::log::Fields;
use crate::recovery::envelope::{EnvelopeError, seal, unseal};

const MAGIC: [u8; 8] = *b"CPSTART1";
const NAME_PREFIX: &str = "start-";

/// Where metadata must be replayed from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplayFrom {
    /// The segment.
    pub segment: SegmentId,
    /// Offset of a batch, a multiple of 4 KiB.
    pub from: u32,
}

impl ReplayFrom {
    /// Of a manifest that passes nothing: what was to be replayed at the start of its process, and
    /// all that this wrote.
    pub const BEGINNING: ReplayFrom = ReplayFrom {
        segment: SegmentId(0),
        from: 0,
    };
}

/// A segment that gets no more batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedSegment {
    /// Its end: nothing behind it exists, ever.
    pub end: u32,
    /// Bytes of bodies and summaries that messages need, as last counted.
    pub live_bytes: i64,
}

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StartFile {
    /// The process start.
    pub epoch: Epoch,
    /// How many shards ran in it.
    pub shards: u32,
    /// All segments of earlier epochs.
    pub segments: BTreeMap<SegmentId, ListedSegment>,
    /// What is not covered by the tables.
    pub replay: Vec<ReplayFrom>,
    /// Newest table of each slice that has one.
    pub tables: BTreeMap<Slice, Place>,
}

/// Name of an epoch's file.
pub fn start_name(epoch: Epoch) -> String {
    format!("{NAME_PREFIX}{:08x}", epoch.0)
}

/// The epoch in a file's name.
pub fn parse_start_name(name: &str) -> Option<Epoch> {
    let digits = name
        .strip_prefix(NAME_PREFIX)
        .filter(|digits| digits.len() == 8)?;
    u32::from_str_radix(digits, 16).ok().map(Epoch)
}

impl StartFile {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend_from_slice(&self.epoch.0.to_le_bytes());
        body.extend_from_slice(&self.shards.to_le_bytes());
        put_count(&mut body, self.segments.len());
        for (id, segment) in &self.segments {
            body.extend_from_slice(&id.0.to_le_bytes());
            body.extend_from_slice(&segment.end.to_le_bytes());
            body.extend_from_slice(&[0; 4]);
            body.extend_from_slice(&segment.live_bytes.to_le_bytes());
        }
        put_count(&mut body, self.replay.len());
        for replay in &self.replay {
            body.extend_from_slice(&replay.segment.0.to_le_bytes());
            body.extend_from_slice(&replay.from.to_le_bytes());
            body.extend_from_slice(&[0; 4]);
        }
        put_tables(&mut body, &self.tables);
        seal(MAGIC, &body)
    }

    /// From the file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<StartFile, EnvelopeError> {
        decode_body(unseal(MAGIC, bytes)?).ok_or(EnvelopeError::Unreadable)
    }
}

fn decode_body(body: &[u8]) -> Option<StartFile> {
    let mut fields = Fields::new(body);
    let epoch = Epoch(fields.u32()?);
    let shards = fields.u32()?;
    let mut start = StartFile {
        epoch,
        shards,
        ..StartFile::default()
    };
    for _ in 0..fields.u32()? {
        let id = SegmentId(fields.u64()?);
        let end = fields.u32()?;
        fields.u32()?;
        let live_bytes = fields.i64()?;
        start.segments.insert(id, ListedSegment { end, live_bytes });
    }
    for _ in 0..fields.u32()? {
        let segment = SegmentId(fields.u64()?);
        start.replay.push(ReplayFrom {
            segment,
            from: fields.u32()?,
        });
        fields.u32()?;
    }
    start.tables = take_tables(&mut fields)?;
    fields.is_empty().then_some(start)
}

/// A list's length.
pub fn put_count(out: &mut Vec<u8>, count: usize) {
    out.extend_from_slice(&u32::try_from(count).unwrap_or(u32::MAX).to_le_bytes());
}

/// The places of slice tables, as start file and manifest hold them.
pub fn put_tables(out: &mut Vec<u8>, tables: &BTreeMap<Slice, Place>) {
    put_count(out, tables.len());
    for (slice, place) in tables {
        out.extend_from_slice(&slice.0.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&place.len.to_le_bytes());
        out.extend_from_slice(&place.segment.0.to_le_bytes());
        out.extend_from_slice(&place.offset.to_le_bytes());
        out.extend_from_slice(&[0; 4]);
    }
}

/// The reverse of [`put_tables`].
pub(crate) fn take_tables(fields: &mut Fields<'_>) -> Option<BTreeMap<Slice, Place>> {
    let mut tables = BTreeMap::new();
    for _ in 0..fields.u32()? {
        let slice = Slice(fields.u16()?);
        fields.u16()?;
        let len = fields.u32()?;
        let segment = SegmentId(fields.u64()?);
        let offset = fields.u32()?;
        fields.u32()?;
        tables.insert(
            slice,
            Place {
                segment,
                offset,
                len,
            },
        );
    }
    Some(tables)
}
