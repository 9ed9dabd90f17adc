//! The file of a segment: its name, its id, and its first block.
//!
//! ```text
//!  0  magic "CPSEGMT1"
//!  8  crc32 over the header from 12 to 64
//! 12  format version u32
//! 16  segment id u64 = epoch << 32 | shard << 24 | counter
//! 24  size that the file was made with u64
//! 32  zeroes up to 4096
//! ```

use crate::ids::{Epoch, SegmentId};
use crate::limits::BLOCK_BYTES;
use crate::log::bytes::{Fields, array};

/// Format of everything in the directory; an older program refuses a newer one.
pub const FORMAT_VERSION: u32 = 2;

/// The first batch begins here.
pub const SEGMENT_HEADER_BYTES: usize = BLOCK_BYTES;

const MAGIC: [u8; 8] = *b"CPSEGMT1";
const HEADER_BYTES: usize = 64;
const NAME_PREFIX: &str = "seg-";
/// Most shards: eight bits of the id.
pub const SHARDS_MAX: usize = 256;
const COUNTER_BITS: u32 = 24;

/// What the first block says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SegmentHeader {
    /// The segment.
    pub id: SegmentId,
    /// Size that the file was made with.
    pub bytes: u64,
}

/// Why a file is no segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentError {
    /// Not a header of this segment: torn, damaged or never written.
    Unreadable,
    /// Of a newer format.
    Newer(u32),
}

impl SegmentHeader {
    /// The first bytes of the first block; zeroes follow.
    pub fn encode(&self) -> [u8; HEADER_BYTES] {
        let fields: [u8; HEADER_BYTES - 12] = array(&[
            &FORMAT_VERSION.to_le_bytes(),
            &self.id.0.to_le_bytes(),
            &self.bytes.to_le_bytes(),
        ]);
        array(&[&MAGIC, &crc32fast::hash(&fields).to_le_bytes(), &fields])
    }

    /// The header in the first block of the file named after `id`.
    pub fn decode(block: &[u8], id: SegmentId) -> Result<SegmentHeader, SegmentError> {
        let parse = || {
            let header = block.get(..HEADER_BYTES)?;
            let mut fields = Fields::new(header);
            let magic: [u8; 8] = fields.array()?;
            let crc = fields.u32()?;
            let sound = magic == MAGIC && crc32fast::hash(header.get(12..)?) == crc;
            let version = fields.u32()?;
            let found = SegmentId(fields.u64()?);
            let bytes = fields.u64()?;
            sound.then_some((version, SegmentHeader { id: found, bytes }))
        };
        match parse() {
            Some((version, _)) if version > FORMAT_VERSION => Err(SegmentError::Newer(version)),
            Some((_, header)) if header.id == id => Ok(header),
            Some(_) | None => Err(SegmentError::Unreadable),
        }
    }
}

/// The id of the `counter`-th segment of a shard's log in this epoch.
pub fn segment_id(epoch: Epoch, shard: usize, counter: u32) -> Option<SegmentId> {
    let shard = u64::try_from(shard).ok().filter(|_| shard < SHARDS_MAX)?;
    if counter >> COUNTER_BITS != 0 {
        return None;
    }
    Some(SegmentId(
        u64::from(epoch.0) << 32 | shard << COUNTER_BITS | u64::from(counter),
    ))
}

/// Epoch of a segment.
pub fn segment_epoch(id: SegmentId) -> Epoch {
    Epoch(u32::try_from(id.0 >> 32).unwrap_or(u32::MAX))
}

/// Shard that wrote a segment.
pub fn segment_shard(id: SegmentId) -> usize {
    usize::try_from(id.0 >> COUNTER_BITS & 0xFF).unwrap_or(usize::MAX)
}

/// The file's name.
pub fn segment_name(id: SegmentId) -> String {
    format!("{NAME_PREFIX}{:016x}", id.0)
}

/// The id in a file's name, if it names a segment.
pub fn parse_segment_name(name: &str) -> Option<SegmentId> {
    let digits = name.strip_prefix(NAME_PREFIX)?;
    if digits.len() != 16 {
        return None;
    }
    u64::from_str_radix(digits, 16).ok().map(SegmentId)
}
