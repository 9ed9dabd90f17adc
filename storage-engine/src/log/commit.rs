//! The writing side of the log: one batch after the other, and a spare segment kept ready.

use std::rc::Rc;

use crate::disk::{Disk, DiskBuffer, DiskError, DiskFile, write_padded};
use crate::ids::SegmentId;
use crate::limits::BLOCK_BYTES;
use crate::log::batch::{BATCH_HEADER_BYTES, BatchHeader, Mark};
use crate::log::segment::{SegmentHeader, segment_id, segment_name};
use crate::log::writer::{Batch, Commit, EndedSegment, Log, Segment, narrow};

impl<D: Disk> Log<D> {
    /// Writes and syncs the next batch; waits for one. Only one call may be in progress.
    pub async fn commit_next(&self) -> Commit {
        loop {
            let seen = self.work.generation();
            let (batch, closing) = {
                let mut state = self.state.borrow_mut();
                if let Some(error) = &state.fenced {
                    return Commit::Failed(error.clone());
                }
                (state.next_batch(), state.closing)
            };
            match batch {
                Some(batch) => return self.commit(batch).await,
                None if closing => return Commit::Closed,
                None => self.work.changed_since(seen).await,
            }
        }
    }

    /// Keeps one spare segment ready; `pause` is slept before another try on a full disk. Ends
    /// when the log closes.
    pub async fn keep_spare(&self, pause: impl AsyncFn()) {
        loop {
            let seen = self.changed.generation();
            let counter = {
                let state = self.state.borrow();
                if state.closing || state.fenced.is_some() {
                    return;
                }
                state.spare.is_none().then_some(state.next_counter)
            };
            let Some(counter) = counter else {
                self.changed.changed_since(seen).await;
                continue;
            };
            match self.make_spare(counter).await {
                Ok(spare) => {
                    let mut state = self.state.borrow_mut();
                    state.spare = Some(spare);
                    state.full = false;
                    drop(state);
                    self.changed.notify();
                }
                Err(DiskError::Off) => return,
                Err(error) => {
                    if !self.state.borrow().full {
                        tracing::error!(%error, "no new segment: new mail is refused");
                    }
                    self.state.borrow_mut().full = true;
                    self.changed.notify();
                    pause().await;
                }
            }
        }
    }

    async fn make_spare(&self, counter: u32) -> Result<Segment<D>, DiskError> {
        let bytes = u64::from(self.segment_bytes);
        if !self.space.take(bytes) {
            return Err(DiskError::Full);
        }
        // The number is spent even when this fails: an id names one life of a file.
        self.state.borrow_mut().next_counter += 1;
        let made = match segment_id(self.epoch, self.shard, counter) {
            Some(id) => make_segment(&self.disk, id, self.segment_bytes).await,
            None => Err(DiskError::Bounds("segment id")),
        };
        made.inspect_err(|_| self.space.give(bytes))
    }

    async fn commit(&self, mut batch: Batch<D>) -> Commit {
        let used = batch.used;
        let padded = used.next_multiple_of(BLOCK_BYTES);
        let (segment, position, at) = (batch.segment, batch.position, batch.at);
        let mark = Mark {
            end: at,
            previous: batch.previous,
        };
        let frames_bytes = narrow(used - BATCH_HEADER_BYTES);
        let header = BatchHeader {
            frames_bytes,
            segment,
            number: batch.number,
            mark,
        };
        batch.buffer.shorten(padded);
        let bytes = batch.buffer.as_mut();
        if let Some(padding) = bytes.get_mut(used..) {
            padding.fill(0);
        }
        if let Some(head) = bytes.get_mut(..BATCH_HEADER_BYTES) {
            head.copy_from_slice(&header.encode());
        }
        let written = match batch.file.write_at(batch.buffer, u64::from(at)).await {
            Ok(()) => batch.file.sync().await,
            error => error,
        };
        let mut state = self.state.borrow_mut();
        state.in_flight = None;
        state.queued_bytes = state.queued_bytes.saturating_sub(used - BATCH_HEADER_BYTES);
        if let Err(error) = written {
            // Whatever the disk holds now, this log is never written again: a second sync could
            // say that all is well after the kernel dropped the data.
            state.fenced = Some(error.clone());
            state.building = None;
            state.sealed.clear();
            drop(state);
            self.changed.notify();
            self.work.notify();
            return Commit::Failed(error);
        }
        state.durable = position;
        if let Some((id, end)) = batch.previous
            && !state.ended.iter().any(|ended| ended.id == id)
            && header.number == 0
        {
            state.ended.push(EndedSegment { id, end });
        }
        drop(state);
        let mut counters = self.counters.get();
        counters.batches += 1;
        counters.bytes += u64::try_from(padded).unwrap_or(0);
        self.counters.set(counters);
        self.changed.notify();
        if frames_bytes == 0 {
            Commit::Marked(position)
        } else {
            Commit::Durable(position)
        }
    }
}

/// Makes a segment's file, durable with its name.
pub(super) async fn make_segment<D: Disk>(
    disk: &D,
    id: SegmentId,
    bytes: u32,
) -> Result<Segment<D>, DiskError> {
    let name = segment_name(id);
    let file = disk.create(&name, u64::from(bytes)).await?;
    let header = SegmentHeader {
        id,
        bytes: u64::from(bytes),
    };
    let made = async {
        write_padded(disk, &file, 0, &header.encode()).await?;
        file.sync().await?;
        disk.sync_directory().await
    };
    if let Err(error) = made.await {
        // Its space counts as free again, so the file must go; recovery removes what is left.
        let _ = disk.remove(&name).await;
        return Err(error);
    }
    Ok(Segment {
        id,
        file: Rc::new(file),
    })
}
