//! One session's position in a view: three numbers and the ranges that are recent for it.

use std::borrow::Cow;

use super::View;
use super::messages::Messages;
use super::recent::RecentRanges;
use super::tell::Telling;
use crate::ids::{ChangeNumber, ModSeq, SessionKey, Uid};
use crate::index::Entry;
use crate::request::UidRange;

/// What a session has been told. Lives on the session's core beside the view it belongs to.
#[derive(Debug)]
pub struct SessionView {
    pub(super) key: SessionKey,
    /// Told of what came below this UID.
    pub(super) told_next: Uid,
    /// Told of what went up to this change.
    pub(super) went: ChangeNumber,
    /// Told of flags up to this change.
    pub(super) flags: ChangeNumber,
    /// HIGHESTMODSEQ when it was last told of what came, and of flags.
    pub(super) came_mod_seq: ModSeq,
    pub(super) flags_mod_seq: ModSeq,
    pub(super) keywords_told: usize,
    pub(super) recent: RecentRanges,
    /// Flags that are being told in parts.
    pub(super) telling: Option<Telling>,
}

impl SessionView {
    /// Enters the view: the session has been told of all that is there now (the answer of SELECT
    /// says it). `recent` is what [`crate::request::Selected::recent`] gives.
    pub fn new(view: &mut View, key: SessionKey, recent: Option<UidRange>) -> SessionView {
        view.enter(key);
        let mut session = SessionView {
            key,
            told_next: view.uid_next,
            went: view.now,
            flags: view.now,
            came_mod_seq: view.highest_mod_seq,
            flags_mod_seq: view.highest_mod_seq,
            keywords_told: view.keywords.len(),
            recent: RecentRanges::default(),
            telling: None,
        };
        let later = view.take_recent(key);
        let ranges = recent.into_iter().chain(later);
        ranges.for_each(|range| session.recent.push(range));
        session
    }

    /// The session.
    pub fn key(&self) -> SessionKey {
        self.key
    }

    /// UIDNEXT as far as the session has been told.
    pub fn told_uid_next(&self) -> Uid {
        self.told_next
    }

    /// EXISTS: the number of messages that the client knows of.
    pub fn exists(&self, view: &View) -> u32 {
        self.before(view, self.told_next)
    }

    /// RECENT.
    pub fn recent_count(&self, view: &View) -> u32 {
        let count = |range: &UidRange| {
            let end = Uid(range.last.0.saturating_add(1)).min(self.told_next);
            let first = range.first.min(end);
            self.before(view, end) - self.before(view, first)
        };
        self.recent.iter().map(count).sum()
    }

    /// Whether the message is `\Recent` for this session.
    pub fn is_recent(&self, uid: Uid) -> bool {
        self.recent.contains(uid)
    }

    /// The UID of message `sequence` (from 1).
    pub fn uid_at(&self, view: &View, sequence: u32) -> Option<Uid> {
        let rank = sequence.checked_sub(1)?;
        let ghosts = view.ghosts.range(self.went, Uid(1), self.told_next);
        let ghosts: Vec<Uid> = ghosts.map(|ghost| ghost.entry.uid).collect();
        // Ghost i has rank `live below it` + i.
        let (mut low, mut high) = (0, ghosts.len());
        while low < high {
            let middle = (low + high) / 2;
            let uid = *ghosts.get(middle)?;
            match (view.index.rank(uid) + u32::try_from(middle).ok()?).cmp(&rank) {
                std::cmp::Ordering::Equal => return Some(uid),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        let live = view.index.nth(rank - u32::try_from(low).ok()?)?;
        (live < self.told_next).then_some(live)
    }

    /// The sequence number of a message of this session.
    pub fn seq_of(&self, view: &View, uid: Uid) -> Option<u32> {
        self.entry(view, uid)?;
        Some(self.before(view, uid) + 1)
    }

    /// A message of this session, the last state of one that went but has not been told included.
    pub fn entry(&self, view: &View, uid: Uid) -> Option<Entry> {
        if uid >= self.told_next {
            return None;
        }
        let live = view.index.get(uid);
        live.or_else(|| self.ghost(view, uid))
    }

    /// Whether the message went, but has not been told of (FETCH: `NO [EXPUNGEISSUED]` when its
    /// bytes are gone too).
    pub fn is_gone(&self, view: &View, uid: Uid) -> bool {
        self.ghost(view, uid).is_some()
    }

    /// Messages of this session in these ranges (ascending), with their sequence numbers.
    pub fn messages<'a>(&self, view: &'a View, uids: &'a [UidRange]) -> Messages<'a> {
        Messages::new(self, view, Cow::Borrowed(uids))
    }

    /// Messages of this session with `first <= uid <= last`, with their sequence numbers.
    pub fn range<'a>(&self, view: &'a View, first: Uid, last: Uid) -> Messages<'a> {
        Messages::new(self, view, Cow::Owned(vec![UidRange { first, last }]))
    }

    /// HIGHESTMODSEQ that may be told: below every change that has not been (RFC 7162 3.2).
    pub fn highest_mod_seq(&self, view: &View) -> ModSeq {
        let mut told = view.highest_mod_seq;
        if self.told_next < view.uid_next {
            told = told.min(self.came_mod_seq);
        }
        if self.flags < view.flags.newest() {
            told = told.min(self.flags_mod_seq);
        }
        if let Some(mod_seq) = view.ghosts.first_mod_seq_after(self.went) {
            told = told.min(ModSeq(mod_seq.0.saturating_sub(1)));
        }
        told
    }

    /// Whether there is anything to tell.
    pub fn has_untold(&self, view: &View) -> bool {
        self.told_next < view.uid_next
            || self.flags < view.flags.newest()
            || self.went < view.ghosts.newest()
            || self.keywords_told < view.keywords.len()
    }

    /// Whether some message went that the client still counts (RFC 5530 EXPUNGEISSUED).
    pub fn has_untold_expunges(&self, view: &View) -> bool {
        let mut ghosts = view.ghosts.range(self.went, Uid(1), self.told_next);
        ghosts.next().is_some()
    }

    /// The session's messages with a smaller UID.
    pub(super) fn before(&self, view: &View, uid: Uid) -> u32 {
        let uid = uid.min(self.told_next);
        let ghosts = view.ghosts.range(self.went, Uid(1), uid);
        let ghosts = u32::try_from(ghosts.count()).unwrap_or(u32::MAX);
        view.index.rank(uid) + ghosts
    }

    fn ghost(&self, view: &View, uid: Uid) -> Option<Entry> {
        let ghost = view.ghosts.get(uid)?;
        (ghost.went > self.went && uid < self.told_next).then_some(ghost.entry)
    }
}
