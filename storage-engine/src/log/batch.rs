//! The header of a batch: it begins on 4 KiB, frames follow it, zeroes follow them.
//!
//! ```text
//!  0  magic "CPBATCH1"
//!  8  crc32 over the header from 12 on
//! 12  bytes of frames u32
//! 16  segment id u64
//! 24  number of the batch in the segment u64, from 0
//! 32  mark: end of what is durable of this segment u32
//! 36  mark: end of the segment before it u32
//! 40  the segment before it u64, zero = none in this process
//! 48  zeroes up to 64
//! ```

use crate::ids::SegmentId;
use crate::log::bytes::{Fields, array};

/// Bytes before the first frame.
pub const BATCH_HEADER_BYTES: usize = 64;

const MAGIC: [u8; 8] = *b"CPBATCH1";
const CRC_AT: usize = 8;

/// How far the log was durable when a batch was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// End of the durable part of the batch's own segment.
    pub end: u32,
    /// The segment before it in this log, and its final end.
    pub previous: Option<(SegmentId, u32)>,
}

/// What the header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// Bytes of frames, padding between them included.
    pub frames_bytes: u32,
    /// The segment.
    pub segment: SegmentId,
    /// Counted from 0 in each segment.
    pub number: u64,
    /// The mark.
    pub mark: Mark,
}

impl BatchHeader {
    /// The bytes.
    pub fn encode(&self) -> [u8; BATCH_HEADER_BYTES] {
        let (previous, previous_end) = self.mark.previous.unwrap_or((SegmentId(0), 0));
        let fields: [u8; BATCH_HEADER_BYTES - CRC_AT - 4] = array(&[
            &self.frames_bytes.to_le_bytes(),
            &self.segment.0.to_le_bytes(),
            &self.number.to_le_bytes(),
            &self.mark.end.to_le_bytes(),
            &previous_end.to_le_bytes(),
            &previous.0.to_le_bytes(),
        ]);
        array(&[&MAGIC, &crc32fast::hash(&fields).to_le_bytes(), &fields])
    }

    /// The header at the start of `bytes`, if there is one of this segment.
    pub fn decode(bytes: &[u8], segment: SegmentId) -> Option<BatchHeader> {
        let header = bytes.get(..BATCH_HEADER_BYTES)?;
        let mut fields = Fields::new(header);
        if fields.array()? != MAGIC {
            return None;
        }
        let crc = fields.u32()?;
        if crc32fast::hash(header.get(CRC_AT + 4..)?) != crc {
            return None;
        }
        let frames_bytes = fields.u32()?;
        let found = SegmentId(fields.u64()?);
        let number = fields.u64()?;
        let end = fields.u32()?;
        let previous_end = fields.u32()?;
        let previous = SegmentId(fields.u64()?);
        let previous = (previous.0 != 0).then_some((previous, previous_end));
        let header = BatchHeader {
            frames_bytes,
            segment,
            number,
            mark: Mark { end, previous },
        };
        (found == segment && fields.all_zero()).then_some(header)
    }
}
