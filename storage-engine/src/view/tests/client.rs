//! A session of the model and its client, which believes what it is told.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use super::owner::{Core, Owner};
use crate::ids::{SessionKey, Uid};
use crate::index::EntryRef;
use crate::request::{Flags, UidRange};
use crate::testing::Rng;
use crate::view::{Condstore, Event, Expunges, SequenceNumber, SequenceRange, SessionView, View};

/// A session and its client, which believes what it is told.
pub struct Client {
    pub core: usize,
    pub view: SessionView,
    pub condstore: Condstore,
    pub uids: Vec<Uid>,
    pub flags: BTreeMap<Uid, Flags>,
    pub mod_seqs: BTreeMap<Uid, u64>,
    /// Where the scheme says it stands: told of what came, went, flags.
    pub came: u64,
    pub went: u64,
    pub told_flags: u64,
    /// RECENT as last told.
    pub recents: usize,
}

impl Client {
    pub fn enter(core: usize, cores: &mut [Core], session: u64, rng: &mut Rng) -> Client {
        let view = &mut cores[core].view;
        let key = SessionKey {
            shard: core as u32,
            session,
        };
        let condstore = if rng.percent(50) {
            Condstore::On
        } else {
            Condstore::Off
        };
        let now = view.now().0;
        let index = view.index().clone();
        Client {
            core,
            view: SessionView::new(view, key, None),
            condstore,
            uids: index.iter().map(|entry| entry.uid).collect(),
            flags: index.iter().map(|entry| (entry.uid, entry.flags)).collect(),
            mod_seqs: index
                .iter()
                .map(|entry| (entry.uid, entry.mod_seq.0))
                .collect(),
            came: now,
            went: now,
            told_flags: now,
            recents: 0,
        }
    }

    pub fn hear(&mut self, view: &View, events: Vec<Event>, seed: u64) {
        let mut live = view.index().iter();
        let unseen = live.find(|entry| !entry.flags.contains(Flags::SEEN));
        let unseen = unseen.map(|entry| entry.uid);
        assert_eq!(view.first_unseen(), unseen, "seed {seed}");
        for event in events {
            match event {
                Event::Expunge(number) => {
                    self.uids.remove(number as usize - 1);
                }
                Event::Exists(exists) => {
                    assert!(exists as usize > self.uids.len(), "seed {seed}");
                    for number in self.uids.len() as u32 + 1..=exists {
                        // What a client does after EXISTS: FETCH of the new numbers.
                        let uid = self.view.uid_at(view, number).unwrap();
                        let entry = self.view.entry(view, uid).unwrap();
                        self.uids.push(uid);
                        self.flags.insert(uid, entry.flags);
                        self.mod_seqs.insert(uid, entry.mod_seq.0);
                    }
                }
                Event::Recent(count) => self.recents = count as usize,
                Event::Keywords => {}
                Event::Fetch {
                    sequence,
                    uid,
                    flags,
                    mod_seq,
                } => {
                    assert_eq!(self.uids[sequence as usize - 1], uid, "seed {seed}");
                    assert_eq!(mod_seq.is_some(), self.condstore == Condstore::On);
                    if let Some(flags) = flags {
                        self.flags.insert(uid, flags);
                    }
                    if let Some(mod_seq) = mod_seq {
                        self.mod_seqs.insert(uid, mod_seq.0);
                    }
                }
            }
        }
    }

    pub fn tell(&mut self, expunges: Expunges, cores: &mut [Core], seed: u64) {
        let view = &mut cores[self.core].view;
        let now = view.now().0;
        match expunges {
            Expunges::Tell => self.went = now,
            Expunges::TellUpTo(change) => self.went = self.went.max(change.0.min(now)),
            Expunges::Hold => {}
        }
        // Some in one piece, some in parts.
        let most = [usize::MAX, 2, 1][(seed % 3) as usize];
        loop {
            let view = &mut cores[self.core].view;
            let part = self.view.tell_part(view, expunges, self.condstore, most);
            (self.came, self.told_flags) = (now, now);
            self.hear(&cores[self.core].view, part.events, seed);
            if part.is_last {
                return;
            }
            assert!(self.view.has_untold(&cores[self.core].view), "seed {seed}");
        }
    }

    /// The definition: the n-th that came <= C and had not gone <= W.
    pub fn expected(&self, owner: &Owner) -> Vec<Uid> {
        let seen = owner.history.iter().filter(|past| {
            past.came <= self.came && past.went.is_none_or(|(went, _)| went > self.went)
        });
        seen.map(|past| past.uid).collect()
    }

    pub fn check(&self, owner: &Owner, cores: &[Core], rng: &mut Rng, seed: u64) {
        let view = &cores[self.core].view;
        let expected = self.expected(owner);
        assert_eq!(self.uids, expected, "seed {seed}");
        let exists = self.view.exists(view);
        assert_eq!(exists as usize, expected.len(), "seed {seed}");
        for (at, uid) in expected.iter().enumerate() {
            let number = at as u32 + 1;
            assert_eq!(self.view.uid_at(view, number), Some(*uid), "seed {seed}");
            assert_eq!(self.view.seq_of(view, *uid), Some(number), "seed {seed}");
        }
        assert_eq!(self.view.uid_at(view, exists + 1), None);
        let (a, b) = (
            rng.below(u64::from(exists)) + 1,
            rng.below(u64::from(exists)) + 1,
        );
        let number = |n: u64| SequenceNumber::Number(n as u32);
        let set = [
            SequenceRange {
                first: number(a),
                last: SequenceNumber::Star,
            },
            SequenceRange {
                first: number(b),
                last: number(a),
            },
        ];
        let from = a.min(b) as usize - 1;
        match self.view.resolve_sequence(view, &set) {
            None => assert_eq!(exists, 0, "seed {seed}"),
            Some(ranges) => {
                let walked: Vec<_> = self.view.messages(view, &ranges).collect();
                let (mut shown, most) = (Vec::new(), 1 + rng.below(10) as usize);
                let mut messages = self.view.messages(view, &ranges);
                let mut look = |number, message: EntryRef<'_>| {
                    shown.push((number, message.entry()));
                    match shown.len() % most {
                        0 => ControlFlow::Break(()),
                        _ => ControlFlow::Continue(()),
                    }
                };
                while messages.walk(&mut look).is_break() {}
                let whole = walked
                    .iter()
                    .map(|(number, message)| (*number, message.entry()));
                assert!(whole.eq(shown), "seed {seed}");
                let numbers = (from as u32 + 1..).zip(&expected[from..]);
                let plain: Vec<_> = numbers.map(|(number, uid)| (number, *uid)).collect();
                let uids: Vec<_> = walked.iter().map(|(n, entry)| (*n, entry.uid())).collect();
                assert_eq!(uids, plain, "seed {seed}");
                assert_eq!(ranges, self.view.resolve_uids(view, &of_uids(&ranges)));
            }
        }
        let over = SequenceRange {
            first: number(1),
            last: number(u64::from(exists) + 1),
        };
        assert_eq!(self.view.resolve_sequence(view, &[over]), None);
        self.check_mod_seq(owner, view, seed);
    }

    /// Every change that this client has not been told of lies above what it may be told.
    pub fn check_mod_seq(&self, owner: &Owner, view: &View, seed: u64) {
        let told = self.view.highest_mod_seq(view).0;
        assert!(told <= view.highest_mod_seq().0);
        for past in &owner.history {
            if let Some((went, mod_seq)) = past.went
                && went > self.went
            {
                assert!(mod_seq > told, "seed {seed}: a going is hidden");
                continue;
            }
            let untold = past.came > self.came
                || past
                    .changes
                    .last()
                    .is_some_and(|change| change.0 > self.told_flags);
            if past.went.is_none() && untold {
                assert!(past.mod_seq > told, "seed {seed}: a change is hidden");
            }
        }
    }

    pub fn check_converged(&self, owner: &Owner, seed: u64) {
        for past in owner.history.iter().filter(|past| past.went.is_none()) {
            let flags = self.flags.get(&past.uid);
            assert_eq!(flags, Some(&past.flags), "seed {seed} {:?}", past.uid);
            if self.condstore == Condstore::On {
                let mod_seq = self.mod_seqs.get(&past.uid);
                assert_eq!(mod_seq, Some(&past.mod_seq), "seed {seed} {:?}", past.uid);
            }
        }
    }
}

fn of_uids(ranges: &[UidRange]) -> Vec<SequenceRange> {
    let ranges = ranges.iter();
    let ranges = ranges.map(|range| SequenceRange {
        first: SequenceNumber::Number(range.first.0),
        last: SequenceNumber::Number(range.last.0),
    });
    ranges.collect()
}
