//! Random operations on the engine's account state and on the plain model: the same refusals, the
//! same state, whatever way the records take: applied live, replayed from bytes, or restated.

mod plain;

use std::collections::HashMap;

use plain::{PlainAccount, PlainOperation, dump};
use storage_engine::account::{AccountState, Form, PlanContext};
use storage_engine::ids::{BodyId, ChangeNumber, MailboxId, Place, SegmentId};
use storage_engine::record::{Record, decode_frame, encode_frame};
use storage_engine::request::{Actor, Operation, Refusal, Reply};
use storage_engine::testing::Rng;
use storage_engine::view::{Applied, Change, View};

/// The engine's state as a shard holds it, and all ways to come to it.
struct Engine {
    planned: AccountState,
    published: AccountState,
    replayed: AccountState,
    in_flight: Vec<(Vec<Record>, Option<storage_engine::view::By>)>,
    frames: Vec<Vec<u8>>,
    views: HashMap<MailboxId, View>,
    live_bodies: HashMap<BodyId, u32>,
}

impl Engine {
    fn new() -> Engine {
        Engine {
            planned: AccountState::default(),
            published: AccountState::default(),
            replayed: AccountState::default(),
            in_flight: Vec::new(),
            frames: Vec::new(),
            views: HashMap::new(),
            live_bodies: HashMap::new(),
        }
    }

    fn submit(&mut self, operation: &Operation, now_s: i64) -> Result<Option<Reply>, Refusal> {
        let context = PlanContext {
            actor: &Actor::Owner,
            now_s,
            uploads: &HashMap::new(),
        };
        let mut planned = self.planned.plan(operation, &context)?;
        let mut n = 0;
        while let Some(body) = planned.body(n) {
            let offset = body.0 as u32;
            let place = |segment| Place {
                segment: SegmentId(segment),
                offset,
                len: 1,
            };
            planned.set_places(n, place(1), place(2));
            n += 1;
        }
        if planned.records.is_empty() {
            return Ok(None);
        }
        for record in &planned.records {
            self.planned.apply(record);
        }
        let mut frame = Vec::new();
        encode_frame(&planned.records, &mut frame);
        self.frames.push(frame);
        self.in_flight.push((planned.records, planned.by));
        Ok(None)
    }

    /// The records in flight become durable.
    fn publish(&mut self) {
        for (records, by) in std::mem::take(&mut self.in_flight) {
            for record in records {
                self.count_bodies(&record);
                let effects = self.published.apply_published(&record, by);
                for dead in effects.dead {
                    let live = self.live_bodies.remove(&dead.body);
                    assert_eq!(live, Some(0), "a body died that a message uses");
                }
                for (mailbox, kind) in effects.changes {
                    if let Some(view) = self.views.get_mut(&mailbox) {
                        let number = ChangeNumber(view.now().0 + 1);
                        assert_eq!(view.apply(&Change { number, kind }), Applied::Done);
                    }
                }
                for id in self.published.mailbox_ids() {
                    if let Some(snapshot) = self.published.snapshot(id, ChangeNumber(0)) {
                        self.views.entry(id).or_insert_with(|| View::new(snapshot));
                    }
                }
            }
        }
        for frame in &self.frames {
            for record in decode_frame(frame).unwrap() {
                self.replayed.apply(&record);
            }
        }
        self.frames.clear();
    }

    /// Users of each body by plain counting, to check what the state says died.
    fn count_bodies(&mut self, record: &Record) {
        if let Record::MessageAdded { entry, .. } = record {
            self.live_bodies.insert(entry.body, 0);
        }
    }

    fn id(&self, name: &str) -> MailboxId {
        let description = self.planned.describe(&Actor::Owner);
        let mut mailboxes = description.mailboxes.iter();
        mailboxes
            .find(|status| status.name == name)
            .map(|status| status.mailbox)
            .unwrap()
    }

    fn check(&mut self, model: &PlainAccount, seed: u64) {
        let expected = model.clone().seen_from_outside();
        for state in [&self.planned, &self.published, &self.replayed] {
            assert_eq!(plain_of(state), expected, "seed {seed}");
        }
        for (id, view) in &self.views {
            let held = self.published.snapshot(*id, ChangeNumber(0));
            assert_eq!(view.ended(), held.is_none(), "seed {seed}");
            if let Some(held) = held {
                assert!(view.index().iter().eq(held.index.iter()), "seed {seed}");
                assert_eq!(view.keywords(), held.keywords.as_slice());
                assert_eq!(view.acl(), &held.acl);
                assert_eq!(view.uid_next(), held.uid_next);
                assert_eq!(view.highest_mod_seq(), held.highest_mod_seq);
            }
        }
        let ended = |id: &MailboxId| self.published.snapshot(*id, ChangeNumber(0)).is_none();
        self.views.retain(|id, _| !ended(id));
    }

    /// A body that died may not be used, one that is used may not have died.
    fn check_bodies(&self, seed: u64) {
        let mut used: Vec<BodyId> = Vec::new();
        for id in self.published.mailbox_ids() {
            let mailbox = self.published.mailbox(id).unwrap();
            used.extend(mailbox.index.iter().map(|entry| entry.body));
        }
        used.sort_unstable();
        used.dedup();
        let mut live: Vec<BodyId> = self.live_bodies.keys().copied().collect();
        live.sort_unstable();
        assert_eq!(used, live, "seed {seed}");
    }

    /// A checkpoint: folds, places the pages, and reads the state back from it.
    fn checkpoint(&mut self, seed: u64) {
        for id in self.published.mailbox_ids() {
            let index = self.published.index_mut(id).unwrap();
            index.fold();
            for i in 0..index.pages().len() {
                index.set_page_place(
                    i,
                    Place {
                        segment: SegmentId(9),
                        offset: 0,
                        len: 0,
                    },
                );
            }
        }
        let bytes = self.published.encode(Form::Pages).unwrap();
        let mut read = AccountState::decode(&bytes).unwrap();
        for id in read.mailbox_ids() {
            let pages = self.published.mailbox(id).unwrap().index.pages().to_vec();
            let index = read.index_mut(id).unwrap();
            for (i, slot) in pages.into_iter().enumerate() {
                assert!(index.warm(i, slot.page.unwrap()), "seed {seed}");
            }
        }
        self.replayed = read;
        let in_flight = self.in_flight.iter().flat_map(|(records, _)| records);
        self.planned.replan_from(&self.published, in_flight);
    }

    /// Drops all older records: the account is what its restatement says.
    fn restate(&mut self) {
        let mut restated = AccountState::default();
        for record in self.published.restated(300).unwrap() {
            let mut frame = Vec::new();
            encode_frame(std::slice::from_ref(&record), &mut frame);
            for record in decode_frame(&frame).unwrap() {
                restated.apply(&record);
                self.published.apply(&record);
                self.planned.apply(&record);
            }
        }
        assert!(!restated.damaged());
        self.replayed = restated;
    }
}

fn plain_of(state: &AccountState) -> PlainAccount {
    let description = state.describe(&Actor::Owner);
    let selectable = description
        .mailboxes
        .iter()
        .filter(|status| !status.noselect);
    let snapshots = selectable.map(|status| state.snapshot(status.mailbox, ChangeNumber(0)));
    let snapshots: Vec<_> = snapshots.map(Option::unwrap).collect();
    dump(&description, &state.alerts(), &snapshots, 0)
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let (mut engine, mut now_s, mut tag) = (Engine::new(), 1000, 0);
    let mut model = PlainAccount::new(now_s);
    engine
        .submit(
            &Operation::CreateAccount {
                mailboxes: Vec::new(),
            },
            now_s,
        )
        .unwrap();
    for _ in 0..120 {
        now_s += rng.below(2) as i64;
        let operation = PlainOperation::random(&mut rng, &model, &mut tag);
        let expected = model.apply(&operation, now_s);
        let outcome = engine.submit(&operation.to_engine(|name| engine.id(name)), now_s);
        assert_eq!(outcome.map(|_| ()), expected, "seed {seed}: {operation:?}");
        match rng.below(20) {
            0..10 => engine.publish(),
            10 => {
                engine.publish();
                engine.checkpoint(seed);
            }
            11 if engine.in_flight.is_empty() => engine.restate(),
            12 if !engine.in_flight.is_empty() => {
                // A checkpoint under load: the planned state is built again on its pages.
                let frames = std::mem::take(&mut engine.frames);
                engine.checkpoint(seed);
                engine.frames = frames;
            }
            _ => {}
        }
        if engine.in_flight.is_empty() {
            let last = std::mem::take(&mut model.last_uid_validity);
            engine.check(&model, seed);
            engine.check_bodies(seed);
            model.last_uid_validity = last;
        }
    }
}

#[test]
fn engine_state_equals_the_plain_model_by_every_way() {
    let seeds = std::env::var("MODEL_SEEDS")
        .ok()
        .and_then(|n| n.parse().ok());
    for seed in 0..seeds.unwrap_or(200) {
        run(seed);
    }
}
