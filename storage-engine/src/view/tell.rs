//! What a session is told, in the order that keeps its client's numbers right: expunges, then
//! arrivals, then flags.

use super::{SessionView, View};
use crate::ids::{ChangeNumber, ModSeq, Uid};
use crate::request::{Flags, UidRange};

/// One untagged response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// `* n EXPUNGE`
    Expunge(u32),
    /// `* n EXISTS`
    Exists(u32),
    /// `* n RECENT`
    Recent(u32),
    /// The keyword table grew: FLAGS and PERMANENTFLAGS.
    Keywords,
    /// `* n FETCH (...)`
    Fetch {
        /// Sequence number.
        sequence: u32,
        /// UID.
        uid: Uid,
        /// The newest flags; None when only the MODSEQ is told (RFC 7162 3.1.3, own silent STORE).
        flags: Option<Flags>,
        /// MODSEQ, for CONDSTORE sessions.
        mod_seq: Option<ModSeq>,
    },
}

/// Whether EXPUNGE may be told now (RFC 3501 7.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expunges {
    /// All of them.
    Tell,
    /// Up to this change: the command's own.
    TellUpTo(ChangeNumber),
    /// None: FETCH, STORE, SEARCH by number, or no command in progress.
    Hold,
}

/// Whether the session enabled CONDSTORE (RFC 7162 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condstore {
    /// MODSEQ is told.
    On,
    /// It is not.
    Off,
}

/// Flag changes that are told part by part, so that nobody holds the answer for a million messages
/// at once. The session counts as told when all parts are.
#[derive(Debug)]
pub(super) struct Telling {
    /// Every change up to here is told with the last part.
    until: ChangeNumber,
    /// HIGHESTMODSEQ then.
    mod_seq: ModSeq,
    /// The messages, ascending.
    changed: Vec<UidRange>,
    /// Told up to this one.
    after: Uid,
}

/// What is told at a time, and whether that was all.
#[derive(Debug)]
pub struct Part {
    /// In order.
    pub events: Vec<Event>,
    /// Nothing is left: the command may end.
    pub is_last: bool,
}

impl SessionView {
    /// All steps: at the end of a command, and on each wake of IDLE.
    pub fn tell(
        &mut self,
        view: &mut View,
        expunges: Expunges,
        condstore: Condstore,
    ) -> Vec<Event> {
        self.tell_part(view, expunges, condstore, usize::MAX).events
    }

    /// As [`SessionView::tell`], with the flags of at most `most` messages. To be called until
    /// the last part, with nothing else in between.
    pub fn tell_part(
        &mut self,
        view: &mut View,
        expunges: Expunges,
        condstore: Condstore,
        most: usize,
    ) -> Part {
        let mut events = Vec::new();
        match expunges {
            Expunges::Tell => self.tell_expunges(view, view.now, &mut events),
            Expunges::TellUpTo(change) => self.tell_expunges(view, change, &mut events),
            Expunges::Hold => {}
        }
        self.push_arrivals(view, &mut events);
        let is_last = self.tell_flags(view, condstore, most, &mut events);
        view.advance(self.key, self.went, self.flags);
        Part { events, is_last }
    }

    /// The second step alone: before a command with UIDs or `*`, so that it sees what another
    /// connection just put there.
    pub fn tell_arrivals(&mut self, view: &mut View) -> Vec<Event> {
        let mut events = Vec::new();
        self.push_arrivals(view, &mut events);
        events
    }

    fn tell_expunges(&mut self, view: &View, until: ChangeNumber, events: &mut Vec<Event>) {
        let until = until.min(view.now).max(self.went);
        // Ascending: all below that are told now are gone for the client when its turn comes.
        let mut held_back = 0;
        for ghost in view.ghosts.range(self.went, Uid(1), self.told_next) {
            if ghost.went > until {
                held_back += 1;
            } else {
                let live = view.index.rank(ghost.entry.uid);
                events.push(Event::Expunge(live + held_back + 1));
            }
        }
        self.went = until;
    }

    /// New keywords alone, before an answer that may name one: they may be told at any time.
    pub fn tell_keywords(&mut self, view: &View) -> Option<Event> {
        let is_new = self.keywords_told < view.keywords.len();
        self.keywords_told = view.keywords.len();
        is_new.then_some(Event::Keywords)
    }

    fn push_arrivals(&mut self, view: &mut View, events: &mut Vec<Event>) {
        events.extend(self.tell_keywords(view));
        if self.told_next == view.uid_next {
            return;
        }
        let before = self.exists(view);
        self.told_next = view.uid_next;
        self.came_mod_seq = view.highest_mod_seq;
        for range in view.take_recent(self.key) {
            self.recent.push(range);
        }
        let exists = self.exists(view);
        if exists > before {
            events.push(Event::Exists(exists));
            events.push(Event::Recent(self.recent_count(view)));
        }
    }

    fn tell_flags(
        &mut self,
        view: &View,
        condstore: Condstore,
        most: usize,
        events: &mut Vec<Event>,
    ) -> bool {
        let mut telling = self.telling.take().unwrap_or_else(|| Telling {
            until: view.now,
            mod_seq: view.highest_mod_seq,
            changed: if self.flags < view.flags.newest() {
                view.flags.since(self.flags)
            } else {
                Vec::new()
            },
            after: Uid(0),
        });
        let rest = telling.rest();
        let mut messages = self.messages(view, &rest);
        for (sequence, message) in messages.by_ref().take(most) {
            let uid = message.uid();
            telling.after = uid;
            let only_own = view.flags.only_own_silent(uid, self.flags, self.key);
            if only_own && condstore == Condstore::Off {
                continue;
            }
            events.push(Event::Fetch {
                sequence,
                uid,
                flags: (!only_own).then(|| message.flags()),
                mod_seq: (condstore == Condstore::On).then(|| message.mod_seq()),
            });
        }
        if messages.next().is_some() {
            self.telling = Some(telling);
            return false;
        }
        self.flags = telling.until;
        self.flags_mod_seq = telling.mod_seq;
        true
    }
}

impl Telling {
    /// The ranges that are left.
    fn rest(&self) -> Vec<UidRange> {
        let from = self
            .changed
            .partition_point(|range| range.last <= self.after);
        let rest = self.changed.get(from..).unwrap_or_default().iter();
        rest.map(|range| UidRange {
            first: range.first.max(Uid(self.after.0.saturating_add(1))),
            last: range.last,
        })
        .collect()
    }
}
