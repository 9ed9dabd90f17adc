//! The envelope of everything in a segment.
//!
//! ```text
//!  0  crc32 over: segment id (8 bytes), the header from 4 on, the payload
//!  4  payload length u32
//!  8  kind u8
//!  9  flags u8, zero
//! 10  slice u16
//! 12  epoch u32
//! 16  id u64: LSN (metadata, account state), body id (body, body map, summary), chunk id (chunk),
//!     mailbox id (index page)
//! 24  account id, 16 bytes; zero in a slice table
//! 40  payload, then zeroes up to a multiple of 8
//! ```
//! The segment id is in the checksum and not in the header: bytes of another life of a file, or of
//! another file, never check out.

use crate::ids::{AccountId, Epoch, SegmentId, Slice};
use crate::limits::FRAME_PAYLOAD_BYTES_MAX;
use crate::log::bytes::{Fields, array};

/// Bytes before the payload.
pub const FRAME_HEADER_BYTES: usize = 40;

/// Frames begin on multiples of this.
const FRAME_ALIGN_BYTES: usize = 8;

/// What a frame holds. The numbers are part of the format and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameKind {
    /// One transaction of an account: records.
    Metadata,
    /// A whole message.
    Body,
    /// A piece of a large message.
    Chunk,
    /// The list of pieces of a large message.
    BodyMap,
    /// What was computed of a message at delivery.
    Summary,
    /// Archived part of a mailbox's index.
    IndexPage,
    /// An account as of an LSN, naming index pages.
    AccountState,
    /// Where the account states of a slice are.
    SliceTable,
}

impl FrameKind {
    /// Its number on disk.
    pub fn number(self) -> u8 {
        match self {
            FrameKind::Metadata => 1,
            FrameKind::Body => 2,
            FrameKind::Chunk => 3,
            FrameKind::BodyMap => 4,
            FrameKind::Summary => 5,
            FrameKind::IndexPage => 6,
            FrameKind::AccountState => 7,
            FrameKind::SliceTable => 8,
        }
    }

    fn from_number(number: u8) -> Option<FrameKind> {
        Some(match number {
            1 => FrameKind::Metadata,
            2 => FrameKind::Body,
            3 => FrameKind::Chunk,
            4 => FrameKind::BodyMap,
            5 => FrameKind::Summary,
            6 => FrameKind::IndexPage,
            7 => FrameKind::AccountState,
            8 => FrameKind::SliceTable,
            _ => return None,
        })
    }
}

/// What the header says, length and checksum apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameHeader {
    /// What it holds.
    pub kind: FrameKind,
    /// The account's slice, or the table's.
    pub slice: Slice,
    /// Process start that wrote it first (kept when compaction copies it).
    pub epoch: Epoch,
    /// See the table above.
    pub id: u64,
    /// Whose it is.
    pub account: AccountId,
}

impl FrameHeader {
    /// Header of a frame of an account.
    pub fn of(kind: FrameKind, account: AccountId, epoch: Epoch, id: u64) -> FrameHeader {
        FrameHeader {
            kind,
            slice: account.slice(),
            epoch,
            id,
            account,
        }
    }

    fn is_consistent(&self) -> bool {
        self.kind == FrameKind::SliceTable || self.slice == self.account.slice()
    }
}

/// Why bytes are no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The bytes end before the frame does, or the length is beyond every bound.
    #[error("frame is cut")]
    Cut,
    /// The checksum is wrong. The header is what it seems to say, for reports.
    #[error("frame is damaged")]
    Damaged(Option<FrameHeader>),
}

/// Bytes that a frame of this payload takes in a batch.
pub fn frame_bytes(payload_bytes: usize) -> usize {
    (FRAME_HEADER_BYTES + payload_bytes).next_multiple_of(FRAME_ALIGN_BYTES)
}

/// Writes a frame to the start of `out`, the payload gathered from its parts, and returns its
/// length. `None` when it does not fit, which is a mistake of ours.
pub fn encode_frame(
    out: &mut [u8],
    segment: SegmentId,
    header: &FrameHeader,
    payload: &[&[u8]],
) -> Option<usize> {
    debug_assert!(header.is_consistent());
    let payload_bytes: usize = payload.iter().map(|part| part.len()).sum();
    if payload_bytes > FRAME_PAYLOAD_BYTES_MAX {
        return None;
    }
    let bytes = frame_bytes(payload_bytes);
    let frame = out.get_mut(..bytes)?;
    let (head, mut rest) = frame.split_at_mut_checked(FRAME_HEADER_BYTES)?;
    let fields: [u8; FRAME_HEADER_BYTES - 4] = array(&[
        &u32::try_from(payload_bytes).ok()?.to_le_bytes(),
        &[header.kind.number(), 0],
        &header.slice.0.to_le_bytes(),
        &header.epoch.0.to_le_bytes(),
        &header.id.to_le_bytes(),
        &header.account.0,
    ]);
    let mut checksum = checksum_of(segment, &fields);
    for part in payload {
        checksum.update(part);
        let (to, after) = rest.split_at_mut_checked(part.len())?;
        to.copy_from_slice(part);
        rest = after;
    }
    rest.fill(0);
    let (crc, after_crc) = head.split_at_mut_checked(4)?;
    crc.copy_from_slice(&checksum.finalize().to_le_bytes());
    after_crc.copy_from_slice(&fields);
    Some(bytes)
}

/// Reads the frame at the start of `bytes`: its header, its payload, and its length in the batch.
pub fn decode_frame(
    segment: SegmentId,
    bytes: &[u8],
) -> Result<(FrameHeader, &[u8], usize), FrameError> {
    let (head, rest) = bytes
        .split_at_checked(FRAME_HEADER_BYTES)
        .ok_or(FrameError::Cut)?;
    let (header, crc, payload_bytes) = decode_header(head).ok_or(FrameError::Damaged(None))?;
    if payload_bytes > FRAME_PAYLOAD_BYTES_MAX {
        return Err(FrameError::Cut);
    }
    let payload = rest.get(..payload_bytes).ok_or(FrameError::Cut)?;
    let mut checksum = checksum_of(segment, head.get(4..).unwrap_or_default());
    checksum.update(payload);
    if checksum.finalize() != crc {
        return Err(FrameError::Damaged(Some(header)));
    }
    Ok((header, payload, frame_bytes(payload_bytes)))
}

/// The fields, if they can be a frame's at all: a cheap test before the checksum.
fn decode_header(head: &[u8]) -> Option<(FrameHeader, u32, usize)> {
    let mut fields = Fields::new(head);
    let crc = fields.u32()?;
    let payload_bytes = usize::try_from(fields.u32()?).ok()?;
    let kind = FrameKind::from_number(fields.u8()?)?;
    if fields.u8()? != 0 {
        return None;
    }
    let header = FrameHeader {
        kind,
        slice: Slice(fields.u16()?),
        epoch: Epoch(fields.u32()?),
        id: fields.u64()?,
        account: AccountId(fields.array()?),
    };
    header
        .is_consistent()
        .then_some((header, crc, payload_bytes))
}

fn checksum_of(segment: SegmentId, fields: &[u8]) -> crc32fast::Hasher {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&segment.0.to_le_bytes());
    checksum.update(fields);
    checksum
}
