//! Clients of the machine: one after the other within an account, all accounts at once.

use std::future::Future;
use std::pin::Pin;

use storage_engine::disk::sim::SimDisk;
use storage_engine::ids::MailboxId;
use storage_engine::mail_store::MailStore;
use storage_engine::request::*;
use storage_engine::testing::Rng;

use super::{Account, Life, Plan, Stores, World, all};
use crate::plain::{PlainAccount, PlainOperation};

/// A client goes on, or its machine is dead or fenced.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    GoOn,
    Stop,
}

/// One account's client.
struct Client<'a> {
    account: &'a mut Account,
    store: MailStore<SimDisk>,
    disk: SimDisk,
    /// A sync fails in this life.
    faulty: bool,
    rng: Rng,
    now_s: std::rc::Rc<std::cell::Cell<i64>>,
    seed: u64,
}

impl World {
    /// All clients at once, until they are done or the machine is.
    pub(super) async fn drive(&mut self, stores: &Stores, plan: &Plan) {
        let mut clients: Vec<Pin<Box<dyn Future<Output = ()> + '_>>> = Vec::new();
        for account in &mut self.accounts {
            let mut client = Client {
                store: stores.of(account.id),
                disk: self.disk.clone(),
                faulty: plan.faults.fail_sync_after.is_some(),
                account,
                rng: Rng::new(self.rng.next_u64()),
                now_s: self.now_s.clone(),
                seed: self.seed,
            };
            let operations = plan.operations;
            clients.push(Box::pin(async move {
                for _ in 0..operations {
                    if client.step().await == Next::Stop {
                        return;
                    }
                }
            }));
        }
        all(clients).await;
    }
}

impl Client<'_> {
    async fn step(&mut self) -> Next {
        self.now_s.set(self.now_s.get() + self.rng.below(2) as i64);
        let alive = match &self.account.told {
            Life::Alive(account) => account.clone(),
            Life::Unborn => return self.create().await,
            Life::Deleted => return self.create_again().await,
        };
        match self.rng.below(200) {
            0 => {
                let outcome = self.execute(Operation::DeleteAccount);
                self.account.maybe = vec![Life::Deleted];
                let outcome = outcome.await;
                self.settle(vec![outcome], vec![Ok(())])
            }
            // Where a sync fails one of them may find no space and the next one find some.
            1..20 if !self.faulty => self.append_several(alive).await,
            20..40 => self.read().await,
            _ => {
                let mut tag = self.account.tag;
                let operation = PlainOperation::random(&mut self.rng, &alive, &mut tag);
                self.account.tag = tag;
                self.operate(alive, operation).await
            }
        }
    }

    async fn create(&mut self) -> Next {
        let now_s = self.now_s.get();
        self.account.maybe = vec![Life::Alive(PlainAccount::new(now_s))];
        let outcome = self
            .execute(Operation::CreateAccount {
                mailboxes: Vec::new(),
            })
            .await;
        self.settle(vec![outcome], vec![Ok(())])
    }

    /// The id of a deleted account is refused for ever.
    async fn create_again(&mut self) -> Next {
        let outcome = self
            .execute(Operation::CreateAccount {
                mailboxes: Vec::new(),
            })
            .await;
        self.account.maybe = vec![Life::Deleted];
        self.settle(vec![outcome], vec![Err(Refusal::AccountExists)])
    }

    async fn operate(&mut self, mut alive: PlainAccount, operation: PlainOperation) -> Next {
        let Some(description) = self.describe().await else {
            return Next::Stop;
        };
        let id = |name: &str| id_of(&description, name);
        let now_s = self.now_s.get();
        let expected = alive.apply(&operation, now_s);
        self.account.maybe = vec![Life::Alive(alive)];
        let outcome = self.execute_at(operation.to_engine(id), now_s).await;
        self.settle(vec![outcome], vec![expected])
    }

    /// Several appends in flight at once, planned in this order.
    async fn append_several(&mut self, mut alive: PlainAccount) -> Next {
        if self.describe().await.is_none() {
            return Next::Stop;
        }
        let now_s = self.now_s.get();
        let (mut operations, mut expected) = (Vec::new(), Vec::new());
        self.account.maybe.clear();
        while operations.len() < 3 {
            let mut tag = self.account.tag;
            let operation = PlainOperation::random(&mut self.rng, &alive, &mut tag);
            self.account.tag = tag;
            // One that replaces a message may have to read pages first: others overtake it.
            let is_plain = matches!(operation, PlainOperation::Append { replaces: None, .. });
            if is_plain {
                expected.push(alive.apply(&operation, now_s));
                self.account.maybe.push(Life::Alive(alive.clone()));
                operations.push(operation.to_engine(|_| unreachable!()));
            }
        }
        let this = &*self;
        let requests = operations.into_iter().map(|operation| {
            Box::pin(this.execute_at(operation, now_s))
                as Pin<Box<dyn Future<Output = Result<Reply, Refusal>> + '_>>
        });
        let outcomes = all(requests.collect()).await;
        self.settle(outcomes, expected)
    }

    /// Reads a random message while others write and compaction runs.
    async fn read(&mut self) -> Next {
        let Some(description) = self.describe().await else {
            return Next::Stop;
        };
        let held = description
            .mailboxes
            .iter()
            .filter(|status| status.messages > 0);
        let held: Vec<MailboxId> = held.map(|status| status.mailbox).collect();
        let Some(mailbox) = held.get(self.rng.below(held.len() as u64) as usize) else {
            return Next::GoOn;
        };
        let snapshot = Operation::Snapshot { mailbox: *mailbox };
        let Ok(Reply::Snapshot(snapshot)) = self.execute(snapshot).await else {
            return Next::Stop;
        };
        let nth = self.rng.below(u64::from(snapshot.index.len()));
        let entry = snapshot
            .index
            .nth(nth as u32)
            .and_then(|uid| snapshot.index.get(uid));
        let entry = entry.expect("a message of the snapshot");
        match super::check::read_message(&self.store, self.account.id, *mailbox, entry).await {
            Ok(()) => Next::GoOn,
            Err(error) if error.is_contained() => Next::Stop,
            Err(error) => panic!("seed {}: {error:?} {entry:?}", self.seed),
        }
    }

    async fn describe(&self) -> Option<std::sync::Arc<AccountDescription>> {
        match self.execute(Operation::Describe).await {
            Ok(Reply::Account(description)) => Some(description),
            _ => None,
        }
    }

    fn execute(
        &self,
        operation: Operation,
    ) -> impl Future<Output = Result<Reply, Refusal>> + use<> {
        self.execute_at(operation, self.now_s.get())
    }

    fn execute_at(
        &self,
        operation: Operation,
        now_s: i64,
    ) -> impl Future<Output = Result<Reply, Refusal>> + use<> {
        let (store, account) = (self.store.clone(), self.account.id);
        async move {
            store
                .execute(Request {
                    account,
                    actor: Actor::Owner,
                    now_s,
                    operation,
                })
                .await
        }
    }

    /// Compares the answers with what the model says, and notes what the client now knows.
    fn settle(
        &mut self,
        outcomes: Vec<Result<Reply, Refusal>>,
        expected: Vec<Result<(), Refusal>>,
    ) -> Next {
        let mut next = Next::GoOn;
        let mut known = 0;
        for (at, (outcome, expected)) in outcomes.into_iter().zip(expected).enumerate() {
            match outcome.map(|_| ()) {
                Err(Refusal::Unknown | Refusal::Unreadable) => next = Next::Stop,
                Err(refusal @ (Refusal::ReadOnly | Refusal::Full)) => {
                    // No space is what a dying disk may say too.
                    let dying = self.faulty || self.disk.is_off();
                    assert!(refusal == Refusal::ReadOnly || dying, "seed {}", self.seed);
                    // Not done, and so nothing that was planned on it either.
                    self.account.maybe.truncate(at);
                    next = Next::Stop;
                    break;
                }
                answer => {
                    assert_eq!(answer, expected, "seed {}", self.seed);
                    known = at + 1;
                }
            }
        }
        if known > 0 {
            let mut maybe = self.account.maybe.split_off(known);
            self.account.told = self.account.maybe.pop().expect("the last one known");
            std::mem::swap(&mut self.account.maybe, &mut maybe);
        }
        next
    }
}

fn id_of(description: &AccountDescription, name: &str) -> MailboxId {
    let mut statuses = description.mailboxes.iter();
    let status = statuses.find(|status| status.name == name);
    status.expect("a mailbox of the model").mailbox
}
