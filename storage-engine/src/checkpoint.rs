//! Checkpoints: the published state as frames, so that the next start replays little and accounts
//! can leave memory.
//!
//! In order: index pages and account states of all accounts that changed, durable; tables of their
//! slices, durable; then the manifest, which names the tables and where replay begins. A crash in
//! between leaves the old manifest and frames that nobody names. Everything here can be deleted:
//! it only costs the next start time.
//!
//! An account or table that cannot be read is left out, and then replay begins where it began
//! before: nothing that is left out is passed.

mod tables;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::rc::Rc;

use crate::account::Form;
use crate::disk::{Disk, DiskError, write_whole};
use crate::ids::{AccountId, MailboxId, Place, SegmentId, Slice};
use crate::limits::{CHECKPOINT_COST_SHARE, CHECKPOINT_LOG_BYTES_MIN};
use crate::log::{FrameHeader, FrameKind, Purpose, Room};
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, Slot, States, Stored};
use crate::recovery::manifest::{Manifest, manifest_name};
use crate::recovery::start_file::ReplayFrom;

/// What the next checkpoint has to write, and what the last one wrote.
pub(crate) struct CheckpointState {
    /// Newest durable table of each slice.
    pub tables: BTreeMap<Slice, Place>,
    pub shards: usize,
    /// Segments that compaction emptied in this process.
    pub removed: BTreeSet<SegmentId>,
    /// Slices whose table must be written although no account of theirs changed.
    pub dirty_slices: BTreeSet<Slice>,
    dirty: HashSet<AccountId>,
    /// Where replay begins by the newest manifest.
    replay: ReplayFrom,
    /// Bytes of the log when the last checkpoint ended, and what it wrote itself.
    log_bytes: u64,
    log_bytes_min: u64,
    cost_bytes: u64,
    /// Accounts in memory are above the budget, and only a checkpoint lets them go.
    pub pressing: bool,
    running: bool,
}

/// Why there was no checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The manifest was not written.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// No room in the log, or the log is fenced.
    #[error("no room in the log")]
    NoRoom,
    /// An index page or account state is unreadable.
    #[error("account {0} is unreadable")]
    Unreadable(AccountId),
}

/// What a checkpoint had to leave out, because it could not be read.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    pub accounts: HashSet<AccountId>,
    /// Slices whose table is the old one.
    pub slices: BTreeSet<Slice>,
}

/// How far the checkpoint of one account came.
enum Progress {
    /// Its state frame is in the log.
    Written(Stored),
    /// There is nothing to write.
    NotNeeded,
    /// More was changed meanwhile: look again.
    Again,
    /// Wait for room.
    NoRoom,
}

/// An account whose state frame is in the log.
struct Written {
    account: AccountId,
    held: Rc<Held>,
    stored: Stored,
}

impl CheckpointState {
    pub(crate) fn new(
        tables: BTreeMap<Slice, Place>,
        shards: usize,
        segment_bytes: u32,
    ) -> CheckpointState {
        let (removed, dirty) = (BTreeSet::new(), HashSet::new());
        CheckpointState {
            tables,
            shards,
            removed,
            dirty_slices: BTreeSet::new(),
            dirty,
            replay: ReplayFrom::BEGINNING,
            log_bytes: 0,
            log_bytes_min: CHECKPOINT_LOG_BYTES_MIN.min(u64::from(segment_bytes / 2)),
            cost_bytes: 0,
            pressing: false,
            running: false,
        }
    }

    /// The account changed since the last checkpoint.
    pub(crate) fn note_dirty(&mut self, account: AccountId) {
        self.dirty.insert(account);
    }

    /// Whether the log has grown so much that a checkpoint costs a small share of it; for memory it
    /// may cost more.
    fn is_due(&self, log_bytes: u64) -> bool {
        let grown = log_bytes.saturating_sub(self.log_bytes);
        let small_share = match self.pressing {
            true => 0,
            false => self.cost_bytes.saturating_mul(CHECKPOINT_COST_SHARE),
        };
        grown >= self.log_bytes_min.max(small_share)
    }
}

impl<D: Disk> MailStore<D> {
    /// Writes a checkpoint if it is due.
    pub(crate) async fn checkpoint_if_due(&self) -> bool {
        let log_bytes = self.inner.log.counters().bytes;
        if !self.inner.checkpoint.borrow().is_due(log_bytes) {
            return false;
        }
        if let Err(error) = self.checkpoint().await {
            tracing::warn!(%error, "no checkpoint");
            // Not again at once: whatever is wrong needs the log to go on, or an operator.
            self.inner.checkpoint.borrow_mut().log_bytes = log_bytes;
            return false;
        }
        true
    }

    /// Writes a checkpoint now. One at a time: a second call waits for the first.
    pub(crate) async fn checkpoint(&self) -> Result<LeftOut, CheckpointError> {
        loop {
            let seen = self.inner.upkeep.generation();
            if !self.inner.checkpoint.borrow().running {
                break;
            }
            self.inner.upkeep.changed_since(seen).await;
        }
        self.inner.checkpoint.borrow_mut().running = true;
        let before = self.inner.log.counters().bytes;
        // Records from here on lie at or behind this place. Those before it are published once
        // the log has settled; only then is it known which accounts they changed.
        let (segment, from) = self.inner.log.layout_end();
        let replay = ReplayFrom { segment, from };
        let settled = self.settle_or_fail().await;
        // What this checkpoint covers is not replayed: chunks that were not counted by now would
        // stay wrong for ever, and their space would never come back.
        self.count_maps().await;
        let dirty = std::mem::take(&mut self.inner.checkpoint.borrow_mut().dirty);
        let slices = std::mem::take(&mut self.inner.checkpoint.borrow_mut().dirty_slices);
        let result = match settled {
            Ok(()) => self.write_checkpoint(replay, &dirty, &slices).await,
            Err(error) => Err(error),
        };
        let mut state = self.inner.checkpoint.borrow_mut();
        state.running = false;
        match &result {
            Ok(left_out) => {
                state.dirty.extend(&left_out.accounts);
                state.dirty_slices.extend(&left_out.slices);
                state.log_bytes = self.inner.log.counters().bytes;
                state.cost_bytes = state.log_bytes.saturating_sub(before);
                self.count(|counters| counters.checkpoints += 1);
            }
            Err(_) => {
                state.dirty.extend(dirty);
                state.dirty_slices.extend(slices);
            }
        }
        drop(state);
        self.inner.upkeep.notify();
        result
    }

    async fn write_checkpoint(
        &self,
        replay: ReplayFrom,
        dirty: &HashSet<AccountId>,
        slices: &BTreeSet<Slice>,
    ) -> Result<LeftOut, CheckpointError> {
        let (mut written, mut left_out) = (Vec::new(), LeftOut::default());
        for account in dirty {
            match self.write_account(*account).await {
                Ok(one) => written.extend(one),
                Err(CheckpointError::Unreadable(account)) => {
                    self.set_unread(account, true);
                    left_out.accounts.insert(account);
                }
                Err(error) => return Err(error),
            }
        }
        self.settle_or_fail().await?;
        let changes = self.table_changes(dirty, slices, &written);
        let tables = self.write_tables(&changes).await?;
        self.settle_or_fail().await?;
        left_out.slices.extend(tables.unreadable);
        let replay = match left_out.accounts.is_empty() && left_out.slices.is_empty() {
            true => replay,
            false => self.inner.checkpoint.borrow().replay,
        };
        let is_in = |account: &AccountId| !left_out.slices.contains(&account.slice());
        written.retain(|one| is_in(&one.account));
        // The manifest has the counts, so they come first.
        self.count_states(&written, 1);
        let manifest = self.write_manifest(replay, tables.places).await;
        if let Err(error) = manifest {
            self.count_states(&written, -1);
            return Err(error);
        }
        self.inner.checkpoint.borrow_mut().replay = replay;
        for one in written {
            self.set_unread(one.account, false);
            one.held.states.borrow_mut().stored = Some(one.stored);
        }
        let changed = changes.into_values().flatten();
        for (account, entry) in changed.filter(|(account, _)| is_in(account)) {
            self.release_told(account, entry);
        }
        let out = dirty.iter().filter(|account| !is_in(account));
        left_out.accounts.extend(out);
        Ok(left_out)
    }

    /// The new states are needed (1) and the old ones are not, or the other way round (-1).
    fn count_states(&self, written: &[Written], sign: i64) {
        for one in written {
            self.inner.live.add(one.stored.place, sign);
            if let Some(old) = one.held.states.borrow().stored {
                self.inner.live.add(old.place, -sign);
            }
        }
    }

    async fn write_manifest(
        &self,
        replay: ReplayFrom,
        tables: BTreeMap<Slice, Place>,
    ) -> Result<(), CheckpointError> {
        let manifest = {
            let mut state = self.inner.checkpoint.borrow_mut();
            for (slice, place) in tables {
                self.inner.live.add(place, 1);
                if let Some(old) = state.tables.insert(slice, place) {
                    self.inner.live.add(old, -1);
                    self.inner.reader.forget_table(old);
                }
            }
            Manifest {
                epoch: self.inner.epoch,
                shard: u32::try_from(self.inner.shard).unwrap_or(u32::MAX),
                replay,
                tables: state.tables.clone(),
                live_bytes: self.inner.live.changes(),
                removed: state.removed.clone(),
            }
        };
        let name = manifest_name(self.inner.epoch, self.inner.shard);
        write_whole(&self.inner.disk, &name, &manifest.encode()).await?;
        Ok(())
    }

    /// A page of the account is unreadable, so no state of it can be written: the account takes no
    /// more writes, and replay does not pass its records, until it can be read again.
    fn set_unread(&self, account: AccountId, unread: bool) {
        let accounts = self.inner.accounts.borrow();
        let Some(Slot::Held(held)) = accounts.get(&account) else {
            return;
        };
        let mut states = held.states.borrow_mut();
        if unread && !states.unread {
            tracing::error!(%account, "no checkpoint can be made of it: the account is read-only");
        }
        let was_writable = states.is_writable();
        states.unread = unread;
        self.note_writable(was_writable, states.is_writable());
    }

    async fn settle_or_fail(&self) -> Result<(), CheckpointError> {
        self.settled().await;
        match self.inner.log.fenced() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Folds and writes one account. `None`: deleted, or not in memory and so not changed.
    async fn write_account(&self, account: AccountId) -> Result<Option<Written>, CheckpointError> {
        let held = match self.inner.accounts.borrow().get(&account) {
            Some(Slot::Held(held)) => held.clone(),
            Some(Slot::Closed(_) | Slot::Loading(_)) | None => {
                return Ok(None);
            }
        };
        if held.states.borrow().incomplete {
            return Err(CheckpointError::Unreadable(account));
        }
        loop {
            let overlaid = overlaid(&held.states.borrow());
            let warmed = self.warm(account, &held, &overlaid).await;
            warmed.map_err(|_| CheckpointError::Unreadable(account))?;
            let seen = self.inner.log.changed().generation();
            match self.fold_and_write(account, &held, &overlaid)? {
                Progress::Written(stored) => {
                    return Ok(Some(Written {
                        account,
                        held,
                        stored,
                    }));
                }
                Progress::NotNeeded => return Ok(None),
                Progress::Again => {}
                Progress::NoRoom => self.inner.log.changed().changed_since(seen).await,
            }
        }
    }

    /// One step without a wait: the pages of `overlaid` are warm.
    fn fold_and_write(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        overlaid: &[MailboxId],
    ) -> Result<Progress, CheckpointError> {
        let mut states = held.states.borrow_mut();
        // Unborn ones were refused, and a deleted one needs no frame.
        if !states.published.exists() {
            return Ok(Progress::NotNeeded);
        }
        if self::overlaid(&states) != overlaid {
            return Ok(Progress::Again);
        }
        let told = self.fold(&mut states, overlaid);
        let step = self.write_pages(account, &mut states);
        self.share_folded(account, held, states, told);
        Ok(step?.map_or(Progress::NoRoom, Progress::Written))
    }

    /// Enqueues pages that have no place and then the state. `None`: wait for room.
    fn write_pages(
        &self,
        account: AccountId,
        states: &mut States,
    ) -> Result<Option<Stored>, CheckpointError> {
        for mailbox in states.published.mailbox_ids() {
            let id = u64::from(mailbox.0);
            let Some(index) = states.published.index_mut(mailbox) else {
                continue;
            };
            for at in 0..index.pages().len() {
                let Some(slot) = index.pages().get(at) else {
                    continue;
                };
                let Some(page) = slot.page.clone().filter(|_| slot.place.is_none()) else {
                    continue;
                };
                match self.write_frame(account, FrameKind::IndexPage, id, page.bytes())? {
                    Some(place) => {
                        self.inner.live.add(place, 1);
                        index.set_page_place(at, place);
                    }
                    None => return Ok(None),
                }
            }
        }
        let lsn = states.published.lsn();
        let encoded = states.published.encode(Form::Pages);
        let payload = encoded.map_err(|_| CheckpointError::Unreadable(account))?;
        let place = self.write_frame(account, FrameKind::AccountState, lsn.0, &payload)?;
        Ok(place.map(|place| Stored {
            lsn,
            place,
            gap: states.gap,
        }))
    }

    fn write_frame(
        &self,
        account: AccountId,
        kind: FrameKind,
        id: u64,
        payload: &[u8],
    ) -> Result<Option<Place>, CheckpointError> {
        let header = FrameHeader::of(kind, account, self.inner.epoch, id);
        self.write_upkeep(&header, payload)
    }

    /// One frame with nobody waiting. `None`: no room yet.
    pub(crate) fn write_upkeep(
        &self,
        header: &FrameHeader,
        payload: &[u8],
    ) -> Result<Option<Place>, CheckpointError> {
        match self.inner.log.room(payload.len(), 1, Purpose::Upkeep) {
            Room::Now => {
                let place = self.inner.log.enqueue(header, &[payload]);
                place.map(Some).map_err(|_| CheckpointError::NoRoom)
            }
            Room::Later => Ok(None),
            Room::Full | Room::Never | Room::Fenced => Err(CheckpointError::NoRoom),
        }
    }
}

/// Mailboxes with messages that are in no page yet.
fn overlaid(states: &States) -> Vec<MailboxId> {
    let ids = states.published.mailbox_ids();
    let has_overlay = |id: &MailboxId| {
        states
            .published
            .mailbox(*id)
            .is_some_and(|held| held.index.overlay_len() > 0)
    };
    ids.into_iter().filter(has_overlay).collect()
}
