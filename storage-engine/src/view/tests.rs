//! Clients that know only what they are told must converge: the scheme as a random model, with
//! several cores that are fed late, CONDSTORE, folds, moved frames and lost changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::{Applied, By, Change, ChangeKind, Condstore, Event, Expunges};
use super::{SequenceNumber, SequenceRange, SessionView, View};
use crate::account::RangeBuilder;
use crate::ids::UidValidity;
use crate::ids::{BodyId, ChangeNumber, MailboxId, ModSeq, Place, SegmentId, SessionKey, Uid};
use crate::index::{Entry, MailboxIndex, MailboxSnapshot};
use crate::request::{Flags, UidRange};
use crate::testing::Rng;

/// The owner: everything that ever was.
struct Owner {
    index: MailboxIndex,
    now: ChangeNumber,
    mod_seq: u64,
    next: u32,
    history: Vec<Past>,
    recent_for: Vec<SessionKey>,
    keywords: Vec<String>,
}

/// One message's whole life.
struct Past {
    uid: Uid,
    came: u64,
    went: Option<(u64, u64)>,
    flags: Flags,
    mod_seq: u64,
    /// (change, by whom, silent)
    changes: Vec<(u64, SessionKey, bool)>,
}

struct Core {
    view: View,
    feed: VecDeque<Arc<Change>>,
}

/// A session and its client, which believes what it is told.
struct Client {
    core: usize,
    view: SessionView,
    condstore: Condstore,
    uids: Vec<Uid>,
    flags: BTreeMap<Uid, Flags>,
    mod_seqs: BTreeMap<Uid, u64>,
    /// Where the scheme says it stands: told of what came, went, flags.
    came: u64,
    went: u64,
    told_flags: u64,
    /// Which flags it could know: nothing from before it came.
    recents: usize,
}

impl Owner {
    fn publish(&mut self, kind: ChangeKind, cores: &mut [Core]) {
        self.now.0 += 1;
        let number = self.now;
        let change = Arc::new(Change { number, kind });
        for core in cores {
            core.feed.push_back(change.clone());
        }
    }

    fn snapshot(&self) -> MailboxSnapshot {
        MailboxSnapshot {
            mailbox: MailboxId(1),
            index: self.index.clone(),
            keywords: Arc::new(self.keywords.clone()),
            change: self.now,
            uid_validity: UidValidity(1),
            uid_next: Uid(self.next),
            highest_mod_seq: ModSeq(self.mod_seq),
        }
    }

    fn append(&mut self, rng: &mut Rng, cores: &mut [Core]) {
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

    fn pick(&self, rng: &mut Rng, from: &[Uid]) -> Vec<Uid> {
        let chance = [1, 10, 60][rng.below(3) as usize];
        let picked = from.iter().copied().filter(|_| rng.percent(chance));
        picked.collect()
    }

    fn expunge(&mut self, rng: &mut Rng, cores: &mut [Core]) {
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

    fn store(&mut self, uids: Vec<Uid>, by: By, rng: &mut Rng, cores: &mut [Core]) -> Vec<Uid> {
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
                past.flags = Flags(rng.next() & 31);
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

impl Client {
    fn enter(
        core: usize,
        cores: &mut [Core],
        session: u64,
        owner: &Owner,
        rng: &mut Rng,
    ) -> Client {
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
        let _ = owner;
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

    fn hear(&mut self, view: &View, events: Vec<Event>, seed: u64) {
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

    fn tell(&mut self, expunges: Expunges, cores: &mut [Core], seed: u64) {
        let view = &mut cores[self.core].view;
        let now = view.now().0;
        match expunges {
            Expunges::Tell => self.went = now,
            Expunges::TellUpTo(change) => self.went = self.went.max(change.0.min(now)),
            Expunges::Hold => {}
        }
        let events = self.view.tell(view, expunges, self.condstore);
        (self.came, self.told_flags) = (now, now);
        self.hear(&cores[self.core].view, events, seed);
    }

    /// The definition: the n-th that came <= C and had not gone <= W.
    fn expected(&self, owner: &Owner) -> Vec<Uid> {
        let seen = owner.history.iter().filter(|past| {
            past.came <= self.came && past.went.is_none_or(|(went, _)| went > self.went)
        });
        seen.map(|past| past.uid).collect()
    }

    fn check(&self, owner: &Owner, cores: &[Core], rng: &mut Rng, seed: u64) {
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
                let numbers = (from as u32 + 1..).zip(&expected[from..]);
                let plain: Vec<_> = numbers.map(|(number, uid)| (number, *uid)).collect();
                let uids: Vec<_> = walked.iter().map(|(n, entry)| (*n, entry.uid)).collect();
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
    fn check_mod_seq(&self, owner: &Owner, view: &View, seed: u64) {
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

    fn check_converged(&self, owner: &Owner, seed: u64) {
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

impl Core {
    /// Takes in what has come, up to here or a random part of it.
    fn feed(&mut self, until: Option<ChangeNumber>, owner: &Owner, rng: &mut Rng, lossy: bool) {
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

/// `lossy` loses changes on the way, so that views catch up by snapshots. Then a coalesced
/// difference hides when a message came and went, so only the clients' convergence is checked.
fn run(seed: u64, lossy: bool) {
    let mut rng = Rng::new(seed);
    let mut owner = Owner {
        index: MailboxIndex::default(),
        now: ChangeNumber(0),
        mod_seq: 1,
        next: 1,
        history: Vec::new(),
        recent_for: Vec::new(),
        keywords: Vec::new(),
    };
    let mut cores: Vec<Core> = (0..2)
        .map(|_| Core {
            view: View::new(owner.snapshot()),
            feed: VecDeque::new(),
        })
        .collect();
    let mut clients: Vec<Client> = Vec::new();
    for session in 0..4 {
        clients.push(Client::enter(
            session as usize % 2,
            &mut cores,
            session,
            &owner,
            &mut rng,
        ));
        owner.recent_for.push(clients[session as usize].view.key());
    }
    for step in 0..150u64 {
        let at = rng.below(clients.len() as u64) as usize;
        let core = clients[at].core;
        match rng.below(100) {
            0..20 => owner.append(&mut rng, &mut cores),
            20..30 => owner.expunge(&mut rng, &mut cores),
            30..35 => fold(&mut owner, &mut rng, &mut cores),
            35..37 => {
                owner.keywords.push(format!("k{step}"));
                let name = format!("k{step}");
                owner.publish(ChangeKind::Keyword { name }, &mut cores);
            }
            37..40 => {
                let old = clients.swap_remove(at);
                cores[core].view.leave(old.view);
                clients.push(Client::enter(
                    core,
                    &mut cores,
                    100 + step,
                    &owner,
                    &mut rng,
                ));
            }
            40..55 => cores[core].feed(None, &owner, &mut rng, lossy),
            55..70 => store(
                &mut owner,
                &mut clients[at],
                &mut cores,
                &mut rng,
                seed,
                lossy,
            ),
            70..85 => clients[at].tell(Expunges::Hold, &mut cores, seed),
            85..88 => {
                let upto = ChangeNumber(rng.below(owner.now.0 + 1));
                if !lossy {
                    clients[at].tell(Expunges::TellUpTo(upto), &mut cores, seed);
                }
            }
            _ => {
                let now = owner.now;
                cores[core].feed(Some(now), &owner, &mut rng, lossy);
                clients[at].tell(Expunges::Tell, &mut cores, seed);
                let live: Vec<Uid> = owner.index.iter().map(|entry| entry.uid).collect();
                assert_eq!(clients[at].uids, live, "seed {seed}");
                clients[at].check_converged(&owner, seed);
                assert!(
                    !clients[at].view.has_untold(&cores[core].view),
                    "seed {seed}"
                );
            }
        }
        if !lossy {
            for client in &clients {
                client.check(&owner, &cores, &mut rng, seed);
            }
        }
    }
    finish(owner, clients, cores, rng, seed, lossy);
}

fn finish(
    owner: Owner,
    mut clients: Vec<Client>,
    mut cores: Vec<Core>,
    mut rng: Rng,
    seed: u64,
    lossy: bool,
) {
    for core in &mut cores {
        core.feed(Some(owner.now), &owner, &mut rng, lossy);
    }
    for client in &mut clients {
        client.tell(Expunges::Tell, &mut cores, seed);
        client.check_converged(&owner, seed);
        assert_eq!(
            client.view.highest_mod_seq(&cores[client.core].view).0,
            owner.mod_seq
        );
    }
    for core in &cores {
        // Nobody is owed anything, so nothing is kept.
        assert_eq!(core.view.ghosts.len(), 0, "seed {seed}");
        assert_eq!(core.view.flags.newest(), ChangeNumber(0), "seed {seed}");
    }
}

fn fold(owner: &mut Owner, rng: &mut Rng, cores: &mut [Core]) {
    if rng.percent(50) {
        owner.index.fold();
        let index = owner.index.clone();
        owner.publish(ChangeKind::Rebased { index }, cores);
    } else {
        let every: Vec<Uid> = owner.index.iter().map(|entry| entry.uid).collect();
        let place = Place {
            segment: SegmentId(2),
            ..Place::NONE
        };
        let moved = owner.pick(rng, &every).into_iter();
        let places: Vec<_> = moved.map(|uid| (uid, place, place)).collect();
        for (uid, body, summary) in &places {
            owner.index.set_places(*uid, *body, *summary);
        }
        owner.publish(ChangeKind::Moved { places }, cores);
    }
}

fn store(
    owner: &mut Owner,
    client: &mut Client,
    cores: &mut [Core],
    rng: &mut Rng,
    seed: u64,
    lossy: bool,
) {
    let silent = rng.percent(50);
    let session = client.view.key();
    let uids = owner.pick(rng, &client.uids);
    let by = By { session, silent };
    let told_flags = client.told_flags;
    let uids = owner.store(uids, by, rng, cores);
    if silent {
        for past in owner.history.iter().filter(|past| uids.contains(&past.uid)) {
            // A silent STORE tells its client nothing: it knows its own, unless others' changes
            // are still to be told and overrule it.
            let others = past
                .changes
                .iter()
                .any(|(at, who, was_silent)| *at > told_flags && (*who != session || !was_silent));
            if !others {
                client.flags.insert(past.uid, past.flags);
            }
        }
    }
    // The session goes on once its view has its own change.
    let now = owner.now;
    cores[client.core].feed(Some(now), owner, rng, lossy);
    client.tell(Expunges::Hold, cores, seed);
}

#[test]
fn clients_converge_and_numbers_follow_the_definition() {
    let seeds = std::env::var("VIEW_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok());
    for seed in 0..seeds.unwrap_or(150) {
        run(seed, false);
    }
}

#[test]
fn clients_converge_when_views_lose_changes() {
    for seed in 0..150 {
        run(seed, true);
    }
}

#[test]
fn arrivals_are_recent_for_one_session_only() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut owner = Owner {
            index: MailboxIndex::default(),
            now: ChangeNumber(0),
            mod_seq: 1,
            next: 1,
            history: Vec::new(),
            recent_for: Vec::new(),
            keywords: Vec::new(),
        };
        let view = View::new(owner.snapshot());
        let feed = VecDeque::new();
        let mut cores = vec![Core { view, feed }];
        let mut clients = Vec::new();
        for session in 0..3 {
            clients.push(Client::enter(0, &mut cores, session, &owner, &mut rng));
            owner.recent_for.push(clients[session as usize].view.key());
        }
        for _ in 0..20 {
            owner.append(&mut rng, &mut cores);
        }
        cores[0].feed(Some(owner.now), &owner, &mut rng, false);
        clients
            .iter_mut()
            .for_each(|client| client.tell(Expunges::Tell, &mut cores, seed));
        for past in &owner.history {
            let for_whom = clients
                .iter()
                .filter(|client| client.view.is_recent(past.uid));
            assert!(for_whom.count() <= 1, "seed {seed}");
        }
        for client in &clients {
            let held = client
                .uids
                .iter()
                .filter(|uid| client.view.is_recent(**uid));
            assert_eq!(held.count(), client.recents, "seed {seed}");
        }
    }
}
