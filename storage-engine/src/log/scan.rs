//! Reads a segment back after a crash: which frames hold, where the log ends, what is damaged.
//!
//! | what is found                                   | verdict                          |
//! |-------------------------------------------------|----------------------------------|
//! | frame checks out                                | visited                          |
//! | bad frame or batch below the mark or known end  | damage: skipped and reported     |
//! | bad frame in the last batch, above the mark     | torn tail: the log ends there    |
//! | nothing but bad blocks behind the last batch    | torn tail or never written: end  |
//!
//! One batch is in flight per log, so everything before the last batch that left a header was
//! durable before that batch was written.

use crate::ids::{Place, SegmentId};
use crate::limits::BLOCK_BYTES;
use crate::log::batch::{BATCH_HEADER_BYTES, BatchHeader};
use crate::log::frame::{FrameError, FrameHeader, decode_frame};
use crate::log::segment::SEGMENT_HEADER_BYTES;

/// A part of a segment's file in memory.
#[derive(Debug, Clone, Copy)]
pub struct SegmentBytes<'b> {
    /// The segment.
    pub segment: SegmentId,
    /// Offset of the first byte in the file, a multiple of 4 KiB.
    pub base: u32,
    /// The bytes.
    pub bytes: &'b [u8],
}

/// Bytes below the mark that do not check out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Damage {
    /// The segment.
    pub segment: SegmentId,
    /// First bad byte.
    pub from: u32,
    /// First byte that is good again, or the end.
    pub to: u32,
    /// What the damaged frame seems to be, when that can be read.
    pub frame: Option<FrameHeader>,
}

/// What a scan found, the visited frames apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// End of the log in this segment; nothing behind it exists.
    pub end: u32,
    /// The segment before this one and its final end, if a batch says so.
    pub previous: Option<(SegmentId, u32)>,
    /// Damage below the mark.
    pub damage: Vec<Damage>,
    /// Whether a torn tail was cut.
    pub torn: bool,
}

/// Visits all frames of the part in file order. `known_end` is the final end if another place
/// names it: all bytes below it were durable. Frames behind the end are not visited.
pub fn scan(
    part: SegmentBytes<'_>,
    known_end: Option<u32>,
    visit: &mut dyn FnMut(&FrameHeader, Place, &[u8]),
) -> Scan {
    let limit = known_end.unwrap_or(u32::MAX).min(part.file_end());
    let batches = find_batches(part, limit);
    let mut result = Scan {
        end: part.base.max(header_bytes()),
        ..Scan::default()
    };
    result.previous = batches
        .iter()
        .rev()
        .find_map(|batch| batch.header.mark.previous);
    let mark = batches
        .iter()
        .map(|batch| batch.header.mark.end.max(batch.at))
        .max();
    // Below `durable`, whatever does not check out was written whole once.
    let durable = known_end.unwrap_or_else(|| mark.unwrap_or(0));
    for batch in &batches {
        if batch.at > result.end.next_multiple_of(block()) {
            result
                .damage
                .push(part.damage(result.end.next_multiple_of(block()), batch.at, None));
        }
        read_batch(part, batch, limit, durable, &mut result, visit);
    }
    if let Some(known_end) = known_end {
        if known_end > result.end.next_multiple_of(block()) {
            result
                .damage
                .push(part.damage(result.end.next_multiple_of(block()), known_end, None));
        }
        result.end = known_end;
    }
    result
}

/// A batch header that checks out, and where it is.
struct FoundBatch {
    at: u32,
    header: BatchHeader,
}

fn find_batches(part: SegmentBytes<'_>, limit: u32) -> Vec<FoundBatch> {
    let mut found: Vec<FoundBatch> = Vec::new();
    let mut at = part.base.max(header_bytes());
    while at < limit {
        let header = part
            .from(at)
            .and_then(|bytes| BatchHeader::decode(bytes, part.segment));
        // Numbers go up: a body that holds a copy of a batch is passed over with its batch, and
        // where its batch is damaged its number gives it away unless it is an attack, in which
        // case its frames still don't name another account's slice and LSN unnoticed.
        let in_order = |header: &BatchHeader| {
            found
                .last()
                .is_none_or(|last| header.number > last.header.number)
        };
        match header.filter(in_order) {
            Some(header) => {
                let end = batch_end(at, &header);
                found.push(FoundBatch { at, header });
                at = end.next_multiple_of(block());
            }
            None => at = at.saturating_add(block()),
        }
    }
    found
}

/// Frames of one batch; on a bad one either the end of the log or the next frame that is good.
fn read_batch(
    part: SegmentBytes<'_>,
    batch: &FoundBatch,
    limit: u32,
    durable: u32,
    result: &mut Scan,
    visit: &mut dyn FnMut(&FrameHeader, Place, &[u8]),
) {
    let end = batch_end(batch.at, &batch.header).min(limit);
    let mut at = batch.at.saturating_add(narrow(BATCH_HEADER_BYTES));
    let mut bad_since: Option<(u32, Option<FrameHeader>)> = None;
    while at < end {
        let bytes = part.between(at, end);
        match decode_frame(part.segment, bytes) {
            Ok((header, payload, len)) => {
                if let Some((from, frame)) = bad_since.take() {
                    result.damage.push(part.damage(from, at, frame));
                }
                let place = Place {
                    segment: part.segment,
                    offset: at,
                    len: narrow(payload.len()),
                };
                visit(&header, place, payload);
                at = at.saturating_add(narrow(len));
            }
            Err(error) => {
                if at >= durable {
                    result.torn = true;
                    result.end = at;
                    return;
                }
                let seems = match error {
                    FrameError::Damaged(header) => header,
                    FrameError::Cut => None,
                };
                bad_since.get_or_insert((at, seems));
                at = at.saturating_add(8);
            }
        }
    }
    if let Some((from, frame)) = bad_since {
        result.damage.push(part.damage(from, end, frame));
    }
    result.end = end;
}

fn batch_end(at: u32, header: &BatchHeader) -> u32 {
    at.saturating_add(narrow(BATCH_HEADER_BYTES))
        .saturating_add(header.frames_bytes)
}

impl<'b> SegmentBytes<'b> {
    fn file_end(&self) -> u32 {
        self.base.saturating_add(narrow(self.bytes.len()))
    }

    fn from(&self, at: u32) -> Option<&'b [u8]> {
        let start = usize::try_from(at.checked_sub(self.base)?).ok()?;
        self.bytes.get(start..)
    }

    fn between(&self, at: u32, end: u32) -> &'b [u8] {
        let bytes = usize::try_from(end.saturating_sub(at)).unwrap_or(0);
        self.from(at).map_or(&[], |rest| {
            rest.get(..bytes.min(rest.len())).unwrap_or_default()
        })
    }

    fn damage(&self, from: u32, to: u32, frame: Option<FrameHeader>) -> Damage {
        Damage {
            segment: self.segment,
            from,
            to,
            frame,
        }
    }
}

fn header_bytes() -> u32 {
    narrow(SEGMENT_HEADER_BYTES)
}

fn block() -> u32 {
    narrow(BLOCK_BYTES)
}

/// Segments are bounded far below 4 GiB, see `limits::SEGMENT_BYTES_MAX`.
fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
