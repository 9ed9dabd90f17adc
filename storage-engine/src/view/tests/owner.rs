//! The owner of the model: everything that ever was, published to all cores.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::account::RangeBuilder;
use crate::ids::UidValidity;
use crate::ids::{BodyId, ChangeNumber, MailboxId, ModSeq, Place, SegmentId, SessionKey, Uid};
use crate::index::{Entry, MailboxIndex, MailboxSnapshot};
use crate::request::Flags;
use crate::testing::Rng;
use crate::view::{Applied, By, Change, ChangeKind, View};

/// The owner: everything that ever was.
pub struct Owner {
    pub index: MailboxIndex,
    pub now: ChangeNumber,
    pub mod_seq: u64,
    pub next: u32,
    pub history: Vec<Past>,
    pub recent_for: Vec<SessionKey>,
    pub keywords: Vec<String>,
}

/// One message's whole life.
pub struct Past {
    pub uid: Uid,
    pub came: u64,
    pub went: Option<(u64, u64)>,
    pub flags: Flags,
    pub mod_seq: u64,
    /// (change, by whom, silent)
    pub changes: Vec<(u64, SessionKey, bool)>,
}

pub struct Core {
    pub view: View,
    pub feed: VecDeque<Arc<Change>>,
}

impl Owner {
    pub fn new() -> Owner {
        Owner {
            index: MailboxIndex::default(),
            now: ChangeNumber(0),
            mod_seq: 1,
            next: 1,
            history: Vec::new(),
            recent_for: Vec::new(),
            keywords: Vec::new(),
        }
    }

    pub fn publish(&mut self, kind: ChangeKind, cores: &mut [Core]) {
        self.now.0 += 1;
        let number = self.now;
        let change = Arc::new(Change { number, kind });
        for core in cores {
            core.feed.push_back(change.clone());
        }
    }

    pub fn snapshot(&self) -> MailboxSnapshot {
        MailboxSnapshot {
            mailbox: MailboxId(1),
            index: self.index.clone(),
            keywords: Arc::new(self.keywords.clone()),
            change: self.now,
            uid_validity: UidValidity(1),
            uid_next: Uid(self.next),
            highest_mod_seq: ModSeq(self.mod_seq),
            acl: Default::default(),
        }
    }

    pub fn append(&mut self, rng: &mut Rng, cores: &mut [Core]) {
        let mut entries = Vec::new();
        for _ in 0..1 + rng.below(3) {
            self.mod_seq += 1;
            let place = Place {
                segment: SegmentId(1),
                offset: self.next,
                len: 1,
            };
            let entry = Entry {
                uid: Uid(self.next),
                mod_seq: ModSeq(self.mod_seq),
                flags: Flags(0),
                internal_date_s: 0,
                zone_min: 0,
                saved_s: 0,
                size: 1,
                body: BodyId(u64::from(self.next)),
                body_place: place,
                summary_place: place,
            };
            self.next += 1 + u32::from(rng.percent(20));
            self.index.add(entry);
            self.history.push(Past {
                uid: entry.uid,
                came: self.now.0 + 1,
                went: None,
                flags: Flags(0),
                mod_seq: self.mod_seq,
                changes: Vec::new(),
            });
            entries.push(entry);
        }
        // Holes at the end can't be seen: UIDNEXT is the last one + 1 in a change.
        self.next = entries.last().unwrap().uid.0 + 1;
        let at = usize::try_from(rng.below(self.recent_for.len() as u64 + 1)).unwrap();
        let recent_for = self.recent_for.get(at).copied();
        self.publish(
            ChangeKind::Came {
                entries,
                recent_for,
            },
            cores,
        );
    }

    pub fn pick(&self, rng: &mut Rng, from: &[Uid]) -> Vec<Uid> {
        let chance = [1, 10, 60][rng.below(3) as usize];
        let picked = from.iter().copied().filter(|_| rng.percent(chance));
        picked.collect()
    }

    pub fn expunge(&mut self, rng: &mut Rng, cores: &mut [Core]) {
        let live: Vec<Uid> = self.index.iter().map(|entry| entry.uid).collect();
        let going = self.pick(rng, &live);
        if going.is_empty() {
            return;
        }
        self.mod_seq += 1;
        for past in &mut self.history {
            if going.contains(&past.uid) {
                past.went = Some((self.now.0 + 1, self.mod_seq));
            }
        }
        let uids = RangeBuilder::from_iter(going).finish();
        self.index.remove(&uids);
        let mod_seq = ModSeq(self.mod_seq);
        self.publish(ChangeKind::Went { uids, mod_seq }, cores);
    }

    pub fn store(&mut self, uids: Vec<Uid>, by: By, rng: &mut Rng, cores: &mut [Core]) -> Vec<Uid> {
        let uids: Vec<Uid> = uids
            .into_iter()
            .filter(|uid| self.index.get(*uid).is_some())
            .collect();
        if uids.is_empty() {
            return uids;
        }
        self.mod_seq += 1;
        let mod_seq = ModSeq(self.mod_seq);
        let mut told = Vec::new();
        for past in &mut self.history {
            if uids.contains(&past.uid) {
                past.flags = Flags(rng.next_u64() & 31);
                past.mod_seq = self.mod_seq;
                past.changes.push((self.now.0 + 1, by.session, by.silent));
                self.index.set_flags(past.uid, past.flags, mod_seq);
                told.push((past.uid, past.flags));
            }
        }
        let kind = ChangeKind::FlagsChanged {
            flags: told,
            mod_seq,
            by: Some(by),
        };
        self.publish(kind, cores);
        uids
    }
}

impl Core {
    /// Takes in what has come, up to here or a random part of it.
    pub fn feed(&mut self, until: Option<ChangeNumber>, owner: &Owner, rng: &mut Rng, lossy: bool) {
        while let Some(change) = self.feed.pop_front() {
            if lossy && rng.percent(5) {
                continue;
            }
            if self.view.apply(&change) == Applied::Gap {
                self.view.resync(owner.snapshot());
                self.feed.clear();
                return;
            }
            if until.is_none() && rng.percent(30) || until.is_some_and(|at| self.view.now() >= at) {
                return;
            }
        }
        if until.is_some_and(|at| self.view.now() < at) {
            self.view.resync(owner.snapshot());
        }
    }
}
