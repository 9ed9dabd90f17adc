//! The log of a shard: batches of frames in segments, one write and one sync per batch.
#![cfg_attr(not(test), deny(clippy::as_conversions))]

mod batch;
mod bytes;
mod commit;
mod frame;
mod scan;
mod segment;
mod space;
#[cfg(test)]
mod tests;
pub mod wake;
mod writer;

pub use batch::{BATCH_HEADER_BYTES, BatchHeader, Mark};
pub(crate) use bytes::Fields;
pub use frame::{
    FRAME_HEADER_BYTES, FrameError, FrameHeader, FrameKind, decode_frame, encode_frame, frame_bytes,
};
pub use scan::{Damage, Scan, SegmentBytes, scan};
pub use segment::{
    FORMAT_VERSION, SEGMENT_HEADER_BYTES, SHARDS_MAX, SegmentError, SegmentHeader,
    parse_segment_name, segment_epoch, segment_id, segment_name, segment_shard,
};
pub use space::Space;
pub use writer::{Commit, EndedSegment, Log, LogCounters, NoRoom, Purpose, Room};
