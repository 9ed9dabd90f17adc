//! One shard's part in emptying a segment: everything that its accounts need is copied out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::rc::Rc;

use crate::account::{Planned, ReplyDraft};
use crate::checkpoint::CheckpointError;
use crate::disk::{Disk, DiskFile};
use crate::ids::{AccountId, BodyId, Lsn, MailboxId, Place, SegmentId};
use crate::limits::{BODY_INLINE_BYTES_MAX, RESTATE_FRAMES_MIN, RESTATE_PART_BYTES};
use crate::log::{
    FRAME_HEADER_BYTES, FrameHeader, FrameKind, Purpose, Room, SEGMENT_HEADER_BYTES, SegmentBytes,
    scan, segment_name,
};
use crate::mail_store::MailStore;
use crate::mail_store::held::Held;
use crate::reader::BodyMap;
use crate::record::{Record, decode_frame, encode_frame};

/// Why a segment was not emptied. It stays, and nothing is lost.
#[derive(Debug, thiserror::Error)]
enum EvacuateError {
    #[error("the segment is damaged or in use, or the store ends")]
    Stays,
    #[error("account {0} is unreadable")]
    Unreadable(AccountId),
    #[error(transparent)]
    Disk(#[from] crate::disk::DiskError),
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// A frame in the segment.
struct Found {
    header: FrameHeader,
    place: Place,
    payload: Range<usize>,
}

/// The segment in memory.
struct Contents {
    bytes: Vec<u8>,
    by_account: BTreeMap<AccountId, Vec<Found>>,
}

impl<D: Disk> MailStore<D> {
    /// Compaction wants to remove this segment: moves what this shard's accounts need of it, and
    /// writes a checkpoint that needs it no more. False: it must stay.
    pub async fn evacuate(&self, segment: SegmentId) -> bool {
        // One at a time: two could copy the same message in turns.
        loop {
            let seen = self.inner.upkeep.generation();
            if !self.inner.compaction.borrow().evacuating {
                break;
            }
            self.inner.upkeep.changed_since(seen).await;
        }
        if self.inner.closing.get() {
            return false;
        }
        self.inner.compaction.borrow_mut().evacuating = true;
        let result = self.evacuate_all(segment).await;
        self.inner.compaction.borrow_mut().evacuating = false;
        self.inner.upkeep.notify();
        match result {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(?segment, %error, "segment is not emptied");
                false
            }
        }
    }

    async fn evacuate_all(&self, segment: SegmentId) -> Result<(), EvacuateError> {
        if self.inner.uploads.borrow().use_segment(segment) || self.inner.log.is_open(segment) {
            return Err(EvacuateError::Stays);
        }
        let contents = self.read_contents(segment).await?;
        // Accounts stay in memory until the checkpoint holds their new places.
        let mut kept: Vec<Rc<Held>> = Vec::new();
        for (account, frames) in &contents.by_account {
            if self.inner.closing.get() {
                return Err(EvacuateError::Stays);
            }
            let held = match self.load(*account).await {
                Ok(Some(held)) => held,
                // Bodies of an account that never came to be.
                Ok(None)
                    if frames
                        .iter()
                        .all(|one| one.header.kind != FrameKind::Metadata) =>
                {
                    continue;
                }
                Ok(None) | Err(_) => return Err(EvacuateError::Unreadable(*account)),
            };
            kept.push(held.clone());
            self.evacuate_account(*account, &held, frames, &contents, segment)
                .await?;
        }
        {
            let mut checkpoint = self.inner.checkpoint.borrow_mut();
            let in_segment = |place: &Place| place.segment == segment;
            let tables = checkpoint
                .tables
                .iter()
                .filter(|(_, place)| in_segment(place));
            let slices: Vec<_> = tables.map(|(slice, _)| *slice).collect();
            checkpoint.dirty_slices.extend(slices);
        }
        self.settled().await;
        let left_out = self.checkpoint().await?;
        drop(kept);
        let is_left_out = |account: &&AccountId| left_out.accounts.contains(*account);
        if let Some(account) = contents.by_account.keys().find(is_left_out) {
            return Err(EvacuateError::Unreadable(*account));
        }
        let tables = &self.inner.checkpoint.borrow().tables;
        match tables.values().any(|place| place.segment == segment) {
            true => Err(EvacuateError::Stays),
            false => Ok(()),
        }
    }

    /// Reads the whole segment. One with damage stays: what is damaged now may be read by
    /// somebody's tools later.
    async fn read_contents(&self, segment: SegmentId) -> Result<Contents, EvacuateError> {
        let file = self.inner.disk.open(&segment_name(segment)).await?;
        let base = u64::try_from(SEGMENT_HEADER_BYTES).unwrap_or(u64::MAX);
        let size = file.size().await?;
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        loop {
            let at = base + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let piece = file.read_at(at, 8 << 20).await?;
            if piece.is_empty() {
                break;
            }
            bytes.extend_from_slice(&piece);
        }
        file.close().await?;
        let earlier = self.inner.live.segments().all();
        let ended = self
            .inner
            .log
            .ended_segments()
            .into_iter()
            .map(|one| (one.id, one.end));
        let end = earlier
            .map(|(id, end, _)| (id, end))
            .chain(ended)
            .find_map(|(id, end)| (id == segment).then_some(end));
        let shards = self.inner.checkpoint.borrow().shards;
        let mut by_account: BTreeMap<AccountId, Vec<Found>> = BTreeMap::new();
        let part = SegmentBytes {
            segment,
            base: narrow(SEGMENT_HEADER_BYTES),
            bytes: &bytes,
        };
        let found = scan(part, end, &mut |header, place, payload| {
            let own = header.slice.shard(shards) == self.inner.shard;
            if !own || header.kind == FrameKind::SliceTable {
                return;
            }
            let frames = by_account.entry(header.account).or_default();
            let start = wide(place.offset) + FRAME_HEADER_BYTES - SEGMENT_HEADER_BYTES;
            let payload = start..start + payload.len();
            frames.push(Found {
                header: *header,
                place,
                payload,
            });
        });
        if !found.damage.is_empty() {
            return Err(EvacuateError::Stays);
        }
        Ok(Contents { bytes, by_account })
    }

    async fn evacuate_account(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        frames: &[Found],
        contents: &Contents,
        segment: SegmentId,
    ) -> Result<(), EvacuateError> {
        let payload = |found: &Found| {
            contents
                .bytes
                .get(found.payload.clone())
                .unwrap_or_default()
        };
        let metadata = || {
            frames
                .iter()
                .filter(|one| one.header.kind == FrameKind::Metadata)
        };
        if held.states.borrow().published.deleted() {
            for found in metadata().filter(|found| is_deletion(payload(found))) {
                self.copy(&found.header, payload(found)).await?;
            }
            return Ok(());
        }
        // What lies behind a gap may still be read by somebody: nothing of it is moved.
        if !held.states.borrow().is_writable() {
            return Err(EvacuateError::Unreadable(account));
        }
        if metadata().next().is_some() && self.should_restate(held) {
            self.restate(account, held).await?;
        }
        let restated = held.states.borrow().restated;
        for found in metadata().filter(|found| Lsn(found.header.id) >= restated) {
            self.copy(&found.header, payload(found)).await?;
        }
        let needed = self.needed_places(account, held, segment).await?;
        let mut moves = HashMap::new();
        for found in frames.iter().filter(|found| needed.contains(&found.place)) {
            let new = self.copy(&found.header, payload(found)).await?;
            self.inner.live.add(found.place, -1);
            moves.insert(found.place, new);
        }
        if frames
            .iter()
            .any(|found| found.header.kind == FrameKind::Chunk)
        {
            self.move_chunks(account, held, segment, &mut moves).await?;
        }
        self.log_moves(account, held, &moves).await?;
        for found in frames
            .iter()
            .filter(|found| found.header.kind == FrameKind::IndexPage)
        {
            self.move_page(held, found, payload(found)).await?;
        }
        self.inner.checkpoint.borrow_mut().note_dirty(account);
        Ok(())
    }

    /// Frames of the segment that some message names, in either state.
    async fn needed_places(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        segment: SegmentId,
    ) -> Result<HashSet<Place>, EvacuateError> {
        self.warm_all(account, held).await?;
        let states = held.states.borrow();
        let mut needed = HashSet::new();
        for state in [&states.published, &states.planned] {
            for mailbox in state
                .mailbox_ids()
                .iter()
                .filter_map(|id| state.mailbox(*id))
            {
                for entry in mailbox.index.iter() {
                    let places = [entry.body_place, entry.summary_place];
                    needed.extend(places.into_iter().filter(|place| place.segment == segment));
                }
            }
        }
        Ok(needed)
    }

    /// Large bodies with chunks in the segment: chunks and then the map are written anew.
    async fn move_chunks(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        segment: SegmentId,
        moves: &mut HashMap<Place, Place>,
    ) -> Result<(), EvacuateError> {
        let unreadable = |_| EvacuateError::Unreadable(account);
        for (body, old_map) in large_bodies(held) {
            let reader = &self.inner.reader;
            let kinds = &[FrameKind::BodyMap];
            // The map may have been copied a moment ago; its old place still reads.
            let read = reader.read_frame(account, body.0, old_map, kinds).await;
            let (_, payload) = read.map_err(unreadable)?;
            let mut map = BodyMap::decode(&payload).ok_or(EvacuateError::Unreadable(account))?;
            if map.chunks.iter().all(|chunk| chunk.segment != segment) {
                continue;
            }
            for chunk in map
                .chunks
                .iter_mut()
                .filter(|chunk| chunk.segment == segment)
            {
                let kinds = &[FrameKind::Chunk];
                let read = reader.read_frame(account, body.0, *chunk, kinds).await;
                let (_, payload) = read.map_err(unreadable)?;
                let header = FrameHeader::of(FrameKind::Chunk, account, self.inner.epoch, body.0);
                *chunk = self.copy(&header, &payload).await?;
            }
            let header = FrameHeader::of(FrameKind::BodyMap, account, self.inner.epoch, body.0);
            let new_map = self.copy(&header, &map.encode()).await?;
            match moves.insert(old_map, new_map) {
                Some(unused) => self.inner.live.add(unused, -1),
                None => self.inner.live.add(old_map, -1),
            }
        }
        Ok(())
    }

    /// Tells the account's messages where their frames are now.
    async fn log_moves(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        moves: &HashMap<Place, Place>,
    ) -> Result<(), EvacuateError> {
        if moves.is_empty() {
            return Ok(());
        }
        loop {
            self.warm_all(account, held).await?;
            let seen = self.inner.log.changed().generation();
            let records = held.states.borrow().planned.plan_moved(moves);
            if records.is_empty() {
                return Ok(());
            }
            if self.log_records(account, held, records)? {
                return Ok(());
            }
            self.inner.log.changed().changed_since(seen).await;
        }
    }

    /// One frame of records that nobody asked for. False: no room yet.
    fn log_records(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        records: Vec<Record>,
    ) -> Result<bool, EvacuateError> {
        let mut payload = Vec::new();
        encode_frame(&records, &mut payload);
        match self.inner.log.room(payload.len(), 1, Purpose::Upkeep) {
            Room::Now => {}
            Room::Later => return Ok(false),
            Room::Full | Room::Never | Room::Fenced => {
                return Err(CheckpointError::NoRoom.into());
            }
        }
        let planned = Planned {
            records,
            by: None,
            draft: ReplyDraft::Done,
        };
        let mut states = held.states.borrow_mut();
        let logged = self.commit_records(account, held, &mut states, planned, Vec::new());
        // Nobody waits for the answer: `settled` does.
        logged
            .map(|_| true)
            .map_err(|_| CheckpointError::NoRoom.into())
    }

    /// Whether the account's metadata is mostly about what is not true any more.
    fn should_restate(&self, held: &Rc<Held>) -> bool {
        let states = held.states.borrow();
        let frames = states.planned.lsn().0.saturating_sub(states.restated.0);
        let mailboxes = states.planned.mailbox_ids();
        let messages: u64 = mailboxes
            .iter()
            .filter_map(|id| states.planned.mailbox(*id))
            .map(|mailbox| u64::from(mailbox.index.len()))
            .sum();
        let stated = messages + u64::try_from(mailboxes.len()).unwrap_or(0);
        states.is_writable() && frames > RESTATE_FRAMES_MIN + 2 * stated
    }

    /// Restates the account, after which its older metadata may go.
    async fn restate(&self, account: AccountId, held: &Rc<Held>) -> Result<(), EvacuateError> {
        loop {
            self.warm_all(account, held).await?;
            let seen = self.inner.log.changed().generation();
            let (records, first) = {
                let states = held.states.borrow();
                let records = states.planned.restated(RESTATE_PART_BYTES);
                let records = records.map_err(|_| EvacuateError::Unreadable(account))?;
                (records, Lsn(states.planned.lsn().0 + 1))
            };
            // All parts or none: no other record may come between them.
            let bytes: usize = records.len() * (RESTATE_PART_BYTES + 64);
            match self.inner.log.room(bytes, records.len(), Purpose::Upkeep) {
                Room::Now => {}
                Room::Later => {
                    self.inner.log.changed().changed_since(seen).await;
                    continue;
                }
                // Too large or no space: the old records are copied instead.
                Room::Full | Room::Never | Room::Fenced => return Ok(()),
            }
            for record in records {
                // A part is missing: it restates nothing, and the old records are copied instead.
                if !self.log_records(account, held, vec![record])? {
                    return Ok(());
                }
            }
            self.settled().await;
            if self.inner.log.fenced().is_some() {
                return Err(CheckpointError::NoRoom.into());
            }
            held.states.borrow_mut().restated = first;
            return Ok(());
        }
    }

    /// A page that an index still names.
    async fn move_page(
        &self,
        held: &Rc<Held>,
        found: &Found,
        payload: &[u8],
    ) -> Result<(), EvacuateError> {
        let mailbox = MailboxId(u32::try_from(found.header.id).unwrap_or(0));
        let is_named = || page_number(held, mailbox, found.place).is_some();
        if !is_named() {
            return Ok(());
        }
        let new = self.copy(&found.header, payload).await?;
        let mut states = held.states.borrow_mut();
        drop(states);
        if let Some(at) = page_number(held, mailbox, found.place) {
            states = held.states.borrow_mut();
            if let Some(index) = states.published.index_mut(mailbox) {
                index.set_page_place(at, new);
            }
            states.replan();
            self.inner.live.add(found.place, -1);
        } else {
            self.inner.live.add(new, -1);
        }
        Ok(())
    }

    async fn warm_all(&self, account: AccountId, held: &Rc<Held>) -> Result<(), EvacuateError> {
        let all = held.states.borrow().planned.mailbox_ids();
        let published = held.states.borrow().published.mailbox_ids();
        let all: Vec<MailboxId> = all.into_iter().chain(published).collect();
        let warmed = self.warm(account, held, &all).await;
        warmed.map_err(|_| EvacuateError::Unreadable(account))
    }

    /// Writes a frame again, with its own header, and counts it as needed.
    async fn copy(&self, header: &FrameHeader, payload: &[u8]) -> Result<Place, EvacuateError> {
        loop {
            let seen = self.inner.log.changed().generation();
            if let Some(place) = self.write_upkeep(header, payload)? {
                self.inner.live.add(place, 1);
                return Ok(place);
            }
            self.inner.log.changed().changed_since(seen).await;
        }
    }
}

/// Bodies above one chunk with their maps, in either state.
fn large_bodies(held: &Rc<Held>) -> BTreeMap<BodyId, Place> {
    let states = held.states.borrow();
    let mut large = BTreeMap::new();
    for state in [&states.planned, &states.published] {
        for mailbox in state
            .mailbox_ids()
            .iter()
            .filter_map(|id| state.mailbox(*id))
        {
            let entries = mailbox.index.iter();
            let chunked = entries.filter(|entry| wide(entry.size) > BODY_INLINE_BYTES_MAX);
            large.extend(chunked.map(|entry| (entry.body, entry.body_place)));
        }
    }
    large
}

fn page_number(held: &Rc<Held>, mailbox: MailboxId, place: Place) -> Option<usize> {
    let states = held.states.borrow();
    let pages = states.published.mailbox(mailbox)?.index.pages();
    pages.iter().position(|slot| slot.place == Some(place))
}

fn is_deletion(payload: &[u8]) -> bool {
    let deletes = |record: &Record| matches!(record, Record::AccountDeleted);
    decode_frame(payload).is_ok_and(|records| records.iter().any(deletes))
}

fn wide(bytes: u32) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn narrow(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
