//! The open end of a shard's log: frames go into the batch being built, one batch is in flight.
//!
//! The place of a frame is known when it is enqueued, because batches are laid out one behind the
//! other before they are written. Space is taken before: [`Log::room`] says whether frames fit into
//! the open segment and the spare one, and only then may they be enqueued, so a full disk is a
//! refusal and never a torn commit.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use crate::disk::{Disk, DiskError};
use crate::ids::{Epoch, Place, Position, SegmentId};
use crate::limits::{BATCH_BYTES, BLOCK_BYTES, LOG_QUEUE_BYTES_MAX};
use crate::log::batch::BATCH_HEADER_BYTES;
use crate::log::commit::make_segment;
use crate::log::frame::{FrameHeader, encode_frame, frame_bytes};
use crate::log::segment::{SEGMENT_HEADER_BYTES, segment_id};
use crate::log::space::Space;
use crate::log::wake::Signal;

/// What frames are for: what frees space may use the reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// New mail and names.
    Growth,
    /// Flags, expunge, move, delete, compaction, checkpoints.
    Upkeep,
}

/// Whether frames can be enqueued now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// Yes, until the next `await`.
    Now,
    /// Not yet: wait for [`Log::changed`].
    Later,
    /// The disk is full.
    Full,
    /// More than a segment holds.
    Never,
    /// A write or sync failed.
    Fenced,
}

/// [`Log::room`] was not asked: a mistake of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("frames were enqueued without room")]
pub struct NoRoom;

/// Outcome of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// Everything up to here is durable.
    Durable(Position),
    /// The same, of a batch without frames: the mark is on the disk.
    Marked(Position),
    /// This batch failed: nothing behind the last durable position will ever be known to be.
    Failed(DiskError),
    /// The log was closed and all of it is durable.
    Closed,
}

/// A segment that gets no more batches, and its final end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndedSegment {
    /// The segment.
    pub id: SegmentId,
    /// End of its last batch.
    pub end: u32,
}

/// For metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LogCounters {
    /// Batches made durable.
    pub batches: u64,
    /// Frames enqueued.
    pub frames: u64,
    /// Bytes written, padding included.
    pub bytes: u64,
}

/// The log of one shard. Lives on that shard; all methods but the loops are immediate.
pub struct Log<D: Disk> {
    pub(super) disk: D,
    pub(super) epoch: Epoch,
    pub(super) shard: usize,
    pub(super) segment_bytes: u32,
    pub(super) space: Space,
    pub(super) state: RefCell<State<D>>,
    /// A batch waits to be written, or the log is to close.
    pub(super) work: Signal,
    /// Room, fullness or the need of a spare changed.
    pub(super) changed: Signal,
    pub(super) counters: Cell<LogCounters>,
}

pub(super) struct State<D: Disk> {
    pub(super) current: Tail<D>,
    pub(super) spare: Option<Segment<D>>,
    pub(super) next_counter: u32,
    pub(super) building: Option<Batch<D>>,
    pub(super) sealed: VecDeque<Batch<D>>,
    pub(super) queued_bytes: usize,
    pub(super) next_position: u64,
    pub(super) durable: Position,
    pub(super) in_flight: Option<SegmentId>,
    pub(super) ended: Vec<EndedSegment>,
    pub(super) full: bool,
    pub(super) fenced: Option<DiskError>,
    pub(super) closing: bool,
}

pub(super) struct Segment<D: Disk> {
    pub(super) id: SegmentId,
    pub(super) file: Rc<D::File>,
}

/// Where the next batch goes: `SEGMENT_HEADER_BYTES <= next <= segment_bytes`.
pub(super) struct Tail<D: Disk> {
    pub(super) segment: Segment<D>,
    pub(super) next: u32,
    pub(super) batches: u64,
    pub(super) previous: Option<(SegmentId, u32)>,
}

/// `BATCH_HEADER_BYTES <= used <= buffer length`.
pub(super) struct Batch<D: Disk> {
    pub(super) buffer: D::Buffer,
    pub(super) used: usize,
    pub(super) at: u32,
    pub(super) number: u64,
    pub(super) position: Position,
    pub(super) segment: SegmentId,
    pub(super) file: Rc<D::File>,
    pub(super) previous: Option<(SegmentId, u32)>,
}

impl<D: Disk> Log<D> {
    /// Starts a log in a fresh segment. The start file of this epoch must be durable.
    pub async fn start(
        disk: D,
        epoch: Epoch,
        shard: usize,
        segment_bytes: u32,
        space: Space,
    ) -> Result<Log<D>, DiskError> {
        if !space.take(u64::from(segment_bytes)) {
            return Err(DiskError::Full);
        }
        let id = segment_id(epoch, shard, 0).ok_or(DiskError::Bounds("segment id"))?;
        let segment = make_segment(&disk, id, segment_bytes)
            .await
            .inspect_err(|_| {
                space.give(u64::from(segment_bytes));
            })?;
        let next = narrow(SEGMENT_HEADER_BYTES);
        let state = State {
            current: Tail {
                segment,
                next,
                batches: 0,
                previous: None,
            },
            spare: None,
            next_counter: 1,
            building: None,
            sealed: VecDeque::new(),
            queued_bytes: 0,
            next_position: 1,
            durable: Position(0),
            in_flight: None,
            ended: Vec::new(),
            full: false,
            fenced: None,
            closing: false,
        };
        Ok(Log {
            disk,
            epoch,
            shard,
            segment_bytes,
            space,
            state: RefCell::new(state),
            work: Signal::default(),
            changed: Signal::default(),
            counters: Cell::new(LogCounters::default()),
        })
    }

    /// Whether frames of these payload sizes (their sum, and how many) can be enqueued now.
    pub fn room(&self, payload_bytes: usize, frames: usize, purpose: Purpose) -> Room {
        let state = self.state.borrow();
        if state.fenced.is_some() {
            return Room::Fenced;
        }
        let needed = space_needed(payload_bytes, frames);
        let whole = self.segment_bytes - narrow(SEGMENT_HEADER_BYTES);
        let reserve = whole / 4;
        if needed > whole - reserve {
            return Room::Never;
        }
        if state.queued_bytes > LOG_QUEUE_BYTES_MAX {
            return Room::Later;
        }
        let left = self.segment_bytes.saturating_sub(state.layout_end());
        let fits = match (&state.spare, purpose) {
            (Some(_), _) => true,
            (None, Purpose::Growth) => needed.saturating_add(reserve) <= left,
            (None, Purpose::Upkeep) => needed <= left,
        };
        match (fits, state.full) {
            (true, _) => Room::Now,
            (false, true) => Room::Full,
            (false, false) => Room::Later,
        }
    }

    /// Puts a frame into the batch being built. Never waits.
    pub fn enqueue(&self, header: &FrameHeader, payload: &[&[u8]]) -> Result<Place, NoRoom> {
        let payload_bytes: usize = payload.iter().map(|part| part.len()).sum();
        let bytes = frame_bytes(payload_bytes);
        let mut state = self.state.borrow_mut();
        let fits = state
            .building
            .as_ref()
            .is_some_and(|batch| batch.used + bytes <= batch.buffer.as_ref().len());
        if !fits {
            self.begin_batch(&mut state, bytes)?;
        }
        let batch = state.building.as_mut().ok_or(NoRoom)?;
        let offset = batch.at + narrow(batch.used);
        let out = batch.buffer.as_mut().get_mut(batch.used..).ok_or(NoRoom)?;
        let written = encode_frame(out, batch.segment, header, payload).ok_or(NoRoom)?;
        batch.used += written;
        let segment = batch.segment;
        state.queued_bytes += written;
        drop(state);
        let mut counters = self.counters.get();
        counters.frames += 1;
        self.counters.set(counters);
        self.work.notify();
        Ok(Place {
            segment,
            offset,
            len: narrow(payload_bytes),
        })
    }

    /// Position of what was enqueued last: what an answer that rests on it waits for.
    pub fn end(&self) -> Position {
        Position(self.state.borrow().next_position - 1)
    }

    /// Everything up to here is durable.
    pub fn durable(&self) -> Position {
        self.state.borrow().durable
    }

    /// Where the next batch goes: metadata enqueued from now on lies at or behind it.
    pub fn layout_end(&self) -> (SegmentId, u32) {
        let state = self.state.borrow();
        match &state.building {
            // The batch being built may get more frames, so it counts as to come.
            Some(batch) => (batch.segment, batch.at),
            None => (state.current.segment.id, state.current.next),
        }
    }

    /// Signals that [`Log::room`] may answer otherwise.
    pub fn changed(&self) -> &Signal {
        &self.changed
    }

    /// Why the log is fenced, if it is.
    pub fn fenced(&self) -> Option<DiskError> {
        self.state.borrow().fenced.clone()
    }

    /// No spare segment could be made.
    pub fn is_full(&self) -> bool {
        self.state.borrow().full
    }

    /// The process-wide space.
    pub fn space(&self) -> &Space {
        &self.space
    }

    /// For metrics.
    pub fn counters(&self) -> LogCounters {
        self.counters.get()
    }

    /// Size of each segment.
    pub fn segment_bytes(&self) -> u32 {
        self.segment_bytes
    }

    /// Segments of this process that get no more batches and whose batches are all durable.
    pub fn ended_segments(&self) -> Vec<EndedSegment> {
        self.state.borrow().ended.clone()
    }

    /// Compaction removed it.
    pub fn forget_segment(&self, id: SegmentId) {
        self.state
            .borrow_mut()
            .ended
            .retain(|segment| segment.id != id);
    }

    /// Segments that may not be touched: open, spare, or with batches in flight.
    pub fn is_open(&self, id: SegmentId) -> bool {
        let state = self.state.borrow();
        state.current.segment.id == id
            || state.spare.as_ref().is_some_and(|spare| spare.id == id)
            || state.sealed.iter().any(|batch| batch.segment == id)
            || state.in_flight == Some(id)
    }

    /// After everything enqueued so far, the log ends.
    pub fn close(&self) {
        self.state.borrow_mut().closing = true;
        self.work.notify();
        self.changed.notify();
    }

    /// An empty batch, so that rot behind it can be told from a torn tail. Skipped when the open
    /// segment has no block left.
    pub fn enqueue_mark(&self) {
        let mut state = self.state.borrow_mut();
        let idle = state.building.is_none() && state.sealed.is_empty() && state.in_flight.is_none();
        let left = self.segment_bytes.saturating_sub(state.current.next);
        if idle && state.fenced.is_none() && left >= narrow(BLOCK_BYTES) {
            let _ = self.start_batch(&mut state, 0);
        }
        drop(state);
        self.work.notify();
    }

    /// Seals the batch being built and starts one that holds a frame of `bytes`.
    fn begin_batch(&self, state: &mut State<D>, bytes: usize) -> Result<(), NoRoom> {
        state.seal();
        let needed = narrow((BATCH_HEADER_BYTES + bytes).next_multiple_of(BLOCK_BYTES));
        if needed > self.segment_bytes.saturating_sub(state.current.next) {
            let spare = state.spare.take().ok_or(NoRoom)?;
            let ended = (state.current.segment.id, state.current.next);
            state.current = Tail {
                segment: spare,
                next: narrow(SEGMENT_HEADER_BYTES),
                batches: 0,
                previous: Some(ended),
            };
            self.changed.notify();
        }
        self.start_batch(state, bytes)
    }

    fn start_batch(&self, state: &mut State<D>, bytes: usize) -> Result<(), NoRoom> {
        let left = self.segment_bytes.saturating_sub(state.current.next);
        let needed = (BATCH_HEADER_BYTES + bytes).next_multiple_of(BLOCK_BYTES);
        let usual = if bytes == 0 {
            needed
        } else {
            needed.max(BATCH_BYTES)
        };
        let capacity = usual.min(usize::try_from(left).unwrap_or(0));
        if capacity < needed {
            return Err(NoRoom);
        }
        let buffer = self.disk.buffer(capacity).map_err(|_| NoRoom)?;
        let position = Position(state.next_position);
        state.next_position += 1;
        let tail = &mut state.current;
        state.building = Some(Batch {
            buffer,
            used: BATCH_HEADER_BYTES,
            at: tail.next,
            number: tail.batches,
            position,
            segment: tail.segment.id,
            file: tail.segment.file.clone(),
            previous: tail.previous,
        });
        tail.batches += 1;
        Ok(())
    }
}

impl<D: Disk> State<D> {
    /// End of all that is laid out in the current segment.
    fn layout_end(&self) -> u32 {
        match &self.building {
            Some(batch) => batch.at + narrow(batch.used.next_multiple_of(BLOCK_BYTES)),
            None => self.current.next,
        }
    }

    fn seal(&mut self) {
        if let Some(batch) = self.building.take() {
            self.current.next = batch.at + narrow(batch.used.next_multiple_of(BLOCK_BYTES));
            self.sealed.push_back(batch);
        }
    }

    pub(super) fn next_batch(&mut self) -> Option<Batch<D>> {
        if self.sealed.is_empty() {
            self.seal();
        }
        let batch = self.sealed.pop_front();
        self.in_flight = batch.as_ref().map(|batch| batch.segment);
        batch
    }
}

/// The most that frames can take: each may start a batch of its own at worst when it is large,
/// small ones share.
fn space_needed(payload_bytes: usize, frames: usize) -> u32 {
    let framed = payload_bytes.saturating_add(frames.saturating_mul(frame_bytes(0) + 8));
    let batches = framed / (BATCH_BYTES / 2) + 2;
    narrow(framed.saturating_add(batches * 2 * BLOCK_BYTES))
}

/// Segments are bounded far below 4 GiB, see `limits::SEGMENT_BYTES_MAX`.
pub(super) fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
