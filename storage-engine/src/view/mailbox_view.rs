//! The view: the newest published state of a mailbox and what its sessions are still owed.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::flag_changes::FlagChanges;
use super::floor::Floor;
use super::ghosts::Ghosts;
use super::{Change, ChangeKind, SessionView};
use crate::acl::Acl;
use crate::ids::{ChangeNumber, MailboxId, ModSeq, SessionKey, Uid, UidValidity};
use crate::index::{Entry, MailboxIndex, MailboxSnapshot};
use crate::request::{Flags, UidRange};
use crate::state_limits::GHOSTS_MAX;

/// Arrivals that are recent for a session which has not entered the view yet: its SELECT is being
/// answered at this moment, so a few are enough.
const UNCLAIMED_RECENT_MAX: usize = 64;

/// One mailbox on one core. Fed with changes in order, read by the sessions of the core.
#[derive(Debug)]
pub struct View {
    pub(super) mailbox: MailboxId,
    pub(super) index: MailboxIndex,
    pub(super) keywords: Arc<Vec<String>>,
    pub(super) now: ChangeNumber,
    pub(super) uid_validity: UidValidity,
    pub(super) uid_next: Uid,
    pub(super) highest_mod_seq: ModSeq,
    pub(super) ended: bool,
    acl: Acl,
    pub(super) ghosts: Ghosts,
    pub(super) flags: FlagChanges,
    sessions: BTreeMap<SessionKey, Position>,
    went_floor: Floor,
    flags_floor: Floor,
    unclaimed_recent: VecDeque<(SessionKey, UidRange)>,
    /// No message below this UID lacks `\Seen`.
    seen_below: Cell<Uid>,
}

/// What one session has been told, and arrivals that are recent for it.
#[derive(Debug)]
struct Position {
    went: ChangeNumber,
    flags: ChangeNumber,
    recent: Vec<UidRange>,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is in the view.
    Done,
    /// It was in the view already.
    Known,
    /// Changes before it are missing: take a snapshot and [`View::resync`].
    Gap,
}

impl View {
    /// A view that nobody has entered.
    pub fn new(snapshot: MailboxSnapshot) -> View {
        View {
            mailbox: snapshot.mailbox,
            index: snapshot.index,
            keywords: snapshot.keywords,
            now: snapshot.change,
            uid_validity: snapshot.uid_validity,
            uid_next: snapshot.uid_next,
            highest_mod_seq: snapshot.highest_mod_seq,
            ended: false,
            acl: snapshot.acl,
            ghosts: Ghosts::default(),
            flags: FlagChanges::default(),
            sessions: BTreeMap::new(),
            went_floor: Floor::default(),
            flags_floor: Floor::default(),
            unclaimed_recent: VecDeque::new(),
            seen_below: Cell::new(Uid(1)),
        }
    }

    /// Takes in the next change.
    pub fn apply(&mut self, change: &Change) -> Applied {
        if change.number <= self.now {
            return Applied::Known;
        }
        if change.number.0 != self.now.0 + 1 {
            return Applied::Gap;
        }
        self.now = change.number;
        match &change.kind {
            ChangeKind::Came {
                entries,
                recent_for,
            } => self.came(entries, *recent_for),
            ChangeKind::Went { uids, mod_seq } => self.went(uids, *mod_seq),
            ChangeKind::FlagsChanged { flags, mod_seq, by } => {
                self.set_flags(flags, *mod_seq);
                let uids = flags.iter().map(|(uid, _)| *uid);
                self.flags.note(change.number, uids, *by);
            }
            ChangeKind::Keyword { name } => Arc::make_mut(&mut self.keywords).push(name.clone()),
            ChangeKind::Rebased { index } => self.index = index.clone(),
            ChangeKind::Moved { places } => {
                for (uid, body, summary) in places {
                    self.index.set_places(*uid, *body, *summary);
                    if let Some(entry) = self.ghosts.entry_mut(*uid) {
                        (entry.body_place, entry.summary_place) = (*body, *summary);
                    }
                }
            }
            ChangeKind::Acl { acl } => self.acl = acl.clone(),
            ChangeKind::Ended => self.ended = true,
        }
        self.trim();
        Applied::Done
    }

    /// Catches up with a snapshot after a gap: what came, went and changed is computed from the
    /// difference. Whose silent change it was is not known any more, so all are told.
    pub fn resync(&mut self, snapshot: MailboxSnapshot) {
        if snapshot.change <= self.now {
            return;
        }
        let (mut went, mut changed) = (Vec::new(), Vec::new());
        let mut newer = snapshot.index.iter().peekable();
        for old in self.index.iter() {
            while newer.next_if(|new| new.uid < old.uid).is_some() {}
            match newer.next_if(|new| new.uid == old.uid) {
                Some(new) if new.mod_seq != old.mod_seq => changed.push(new.uid),
                Some(_) => {}
                None => went.push(old),
            }
        }
        drop(newer);
        // The first of these expunges may have been the very next change.
        let mod_seq = ModSeq(self.highest_mod_seq.0 + 1);
        self.now = snapshot.change;
        self.ghosts.note(went, self.now, mod_seq);
        if !changed.is_empty() {
            self.flags.note(self.now, changed.into_iter(), None);
        }
        self.index = snapshot.index;
        self.seen_below.set(Uid(1));
        self.keywords = snapshot.keywords;
        self.acl = snapshot.acl;
        self.uid_next = snapshot.uid_next;
        self.highest_mod_seq = snapshot.highest_mod_seq;
        self.trim();
    }

    /// The mailbox.
    pub fn mailbox(&self) -> MailboxId {
        self.mailbox
    }

    /// The newest change that is in here.
    pub fn now(&self) -> ChangeNumber {
        self.now
    }

    /// The messages as of now.
    pub fn index(&self) -> &MailboxIndex {
        &self.index
    }

    /// Keywords in bit order.
    pub fn keywords(&self) -> &[String] {
        &self.keywords
    }

    /// Who else may do what, as of now.
    pub fn acl(&self) -> &Acl {
        &self.acl
    }

    /// UIDVALIDITY.
    pub fn uid_validity(&self) -> UidValidity {
        self.uid_validity
    }

    /// UIDNEXT.
    pub fn uid_next(&self) -> Uid {
        self.uid_next
    }

    /// HIGHESTMODSEQ as of now; a session may be told [`super::SessionView::highest_mod_seq`] only.
    pub fn highest_mod_seq(&self) -> ModSeq {
        self.highest_mod_seq
    }

    /// The first message without `\Seen`. Remembers what it has passed, so that a thousand
    /// sessions which select a mailbox look through it once.
    pub fn first_unseen(&self) -> Option<Uid> {
        let first = self.index.first_unseen(self.seen_below.get());
        self.seen_below.set(first.unwrap_or(self.uid_next));
        first
    }

    /// Whether the mailbox is no more: its sessions end by BYE.
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Sessions in the view.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// Sessions that must be ended because of what they have not been told.
    pub fn laggards(&self) -> Vec<SessionKey> {
        if self.ghosts.len() <= GHOSTS_MAX {
            return Vec::new();
        }
        let floor = self.went_floor.least();
        let slowest = self.sessions.iter();
        let slowest = slowest.filter(|(_, position)| Some(position.went) == floor);
        slowest.map(|(key, _)| *key).collect()
    }

    /// A session leaves.
    pub fn leave(&mut self, session: SessionView) {
        self.forget(session.key());
    }

    /// A session that did not leave in good order is no longer owed anything.
    pub fn forget(&mut self, session: SessionKey) {
        if let Some(position) = self.sessions.remove(&session) {
            self.went_floor.leave(position.went);
            self.flags_floor.leave(position.flags);
            self.trim();
        }
    }

    pub(super) fn enter(&mut self, session: SessionKey) {
        self.forget(session);
        let mut recent = Vec::new();
        self.unclaimed_recent.retain(|(key, range)| {
            if *key == session {
                recent.push(*range);
            }
            *key != session
        });
        let position = Position {
            went: self.now,
            flags: self.now,
            recent,
        };
        self.went_floor.enter(position.went);
        self.flags_floor.enter(position.flags);
        self.sessions.insert(session, position);
    }

    /// The session has been told up to here, which is never less than before.
    pub(super) fn advance(&mut self, session: SessionKey, went: ChangeNumber, flags: ChangeNumber) {
        let Some(position) = self.sessions.get_mut(&session) else {
            return;
        };
        self.went_floor.leave(position.went);
        self.flags_floor.leave(position.flags);
        (position.went, position.flags) = (went, flags);
        self.went_floor.enter(went);
        self.flags_floor.enter(flags);
        self.trim();
    }

    /// Arrivals that are recent for this session and that it has not taken yet.
    pub(super) fn take_recent(&mut self, session: SessionKey) -> Vec<UidRange> {
        let position = self.sessions.get_mut(&session);
        position
            .map(|held| std::mem::take(&mut held.recent))
            .unwrap_or_default()
    }

    fn came(&mut self, entries: &[Entry], recent_for: Option<SessionKey>) {
        for entry in entries {
            self.index.add(*entry);
            self.uid_next = Uid(entry.uid.0.saturating_add(1));
            self.highest_mod_seq = self.highest_mod_seq.max(entry.mod_seq);
        }
        let (Some(session), Some(first), Some(last)) =
            (recent_for, entries.first(), entries.last())
        else {
            return;
        };
        let range = UidRange {
            first: first.uid,
            last: last.uid,
        };
        match self.sessions.get_mut(&session) {
            Some(position) => match position.recent.last_mut() {
                Some(held) if held.last.0 + 1 == range.first.0 => held.last = range.last,
                _ => position.recent.push(range),
            },
            None => {
                self.unclaimed_recent.push_back((session, range));
                if self.unclaimed_recent.len() > UNCLAIMED_RECENT_MAX {
                    self.unclaimed_recent.pop_front();
                }
            }
        }
    }

    fn went(&mut self, uids: &[UidRange], mod_seq: ModSeq) {
        self.highest_mod_seq = self.highest_mod_seq.max(mod_seq);
        if !self.sessions.is_empty() {
            let ranges = uids.iter();
            let going = ranges.flat_map(|range| self.index.range(range.first, range.last));
            let going = going.collect();
            self.ghosts.note(going, self.now, mod_seq);
        }
        self.index.remove(uids);
    }

    fn set_flags(&mut self, flags: &[(Uid, Flags)], mod_seq: ModSeq) {
        self.highest_mod_seq = self.highest_mod_seq.max(mod_seq);
        for (uid, flags) in flags {
            self.index.set_flags(*uid, *flags, mod_seq);
            if !flags.contains(Flags::SEEN) {
                self.seen_below.set(self.seen_below.get().min(*uid));
            }
        }
    }

    fn trim(&mut self) {
        self.ghosts
            .trim(self.went_floor.least().unwrap_or(self.now));
        self.flags
            .trim(self.flags_floor.least().unwrap_or(self.now));
    }
}
