//! A machine that runs the whole engine on the simulated disk, life after life, and compares what
//! comes out of each with the plain model: exactly one of the states from the last acknowledged
//! one on, whole operations only, every message with its own octets.

mod check;
mod drive;
mod rot;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::{block_on, or, yield_now};
use storage_engine::clock::Clock;
use storage_engine::disk::sim::{Faults, SimDisk};
use storage_engine::ids::{AccountId, ChangeNumber, MailboxKey, SegmentId};
use storage_engine::mail_store::{Answer, MailStore, Publish, Shards};
use storage_engine::recovery::{Indexes, Options, Sabotage, recover};
use storage_engine::testing::Rng;
use storage_engine::view::Change;

use super::plain::PlainAccount;

/// Accounts of the machine.
const ACCOUNTS: u64 = 3;

/// How an account stands, as far as its clients were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    Unborn,
    Alive(PlainAccount),
    Deleted,
}

/// What the clients of one account know.
#[derive(Debug)]
pub struct Account {
    pub id: AccountId,
    /// After the last operation that was acknowledged.
    pub told: Life,
    /// After each operation since whose outcome is not known.
    pub maybe: Vec<Life>,
    /// Names the next message's octets.
    pub tag: i64,
}

/// What a seed decides about one life of the machine.
#[derive(Debug, Clone)]
pub struct Plan {
    pub shards: usize,
    pub options: Options,
    pub faults: Faults,
    pub operations: u64,
}

/// Everything of one seed.
pub struct World {
    pub disk: SimDisk,
    pub accounts: Vec<Account>,
    pub rng: Rng,
    pub now_s: Rc<Cell<i64>>,
    pub seed: u64,
    pub sabotage: Option<Sabotage>,
    /// Segments that compaction removed, over all lives.
    pub removed: u64,
    /// Lives that ended by a crash.
    pub crashes: u64,
}

/// The running stores of one life.
pub struct Stores {
    pub stores: Rc<RefCell<Vec<MailStore<SimDisk>>>>,
}

struct SimClock(Rc<Cell<i64>>);

impl Clock for SimClock {
    fn now_s(&self) -> i64 {
        self.0.get()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            for _ in 0..duration.as_millis() / 20 {
                yield_now().await;
            }
        })
    }
}

/// The other shards, on the same thread.
struct Others {
    stores: Rc<RefCell<Vec<MailStore<SimDisk>>>>,
    me: usize,
}

impl Others {
    fn others(&self) -> Vec<MailStore<SimDisk>> {
        let stores = self.stores.borrow();
        let others = stores
            .iter()
            .enumerate()
            .filter(|(shard, _)| *shard != self.me);
        others.map(|(_, store)| store.clone()).collect()
    }
}

impl Shards for Others {
    fn evacuate(&self, segment: SegmentId) -> Answer<bool> {
        let others = self.others();
        Box::pin(async move {
            let mut all = true;
            for store in others {
                all &= store.evacuate(segment).await;
            }
            all
        })
    }

    fn forget(&self, segment: SegmentId) -> Answer<()> {
        let others = self.others();
        Box::pin(async move { others.iter().for_each(|store| store.forget(segment)) })
    }

    /// Its clients move nothing between accounts; `tests/moves.rs` does.
    fn settle(&self, _: AccountId, open: Vec<storage_engine::account::OpenMove>) {
        assert_eq!(open, []);
    }
}

impl Stores {
    /// The store that owns the account.
    pub fn of(&self, account: AccountId) -> MailStore<SimDisk> {
        let stores = self.stores.borrow();
        stores[account.slice().shard(stores.len())].clone()
    }
}

impl World {
    pub fn new(seed: u64, sabotage: Option<Sabotage>) -> World {
        let accounts = (0..ACCOUNTS).map(|n| Account {
            id: AccountId([n as u8 * 37 + 1; 16]),
            told: Life::Unborn,
            maybe: Vec::new(),
            tag: n as i64 * 1_000_000,
        });
        World {
            disk: SimDisk::new(seed),
            accounts: accounts.collect(),
            rng: Rng::new(seed),
            now_s: Rc::new(Cell::new(1_000)),
            seed,
            sabotage,
            removed: 0,
            crashes: 0,
        }
    }

    /// Lives until the seed is over. Panics at the first thing that can't be.
    pub fn run(&mut self) {
        for life in 0..3 + self.rng.below(4) {
            let plan = self.plan();
            self.live(&plan, life);
            self.disk = self.disk.restart();
        }
        // What is there at the end is there whatever the indexes say.
        for indexes in [Indexes::Use, Indexes::Ignore] {
            let options = Options {
                indexes,
                ..self.options()
            };
            let (faults, shards) = (Faults::default(), 1 + self.rng.below(3) as usize);
            let plan = Plan {
                shards,
                options,
                faults,
                operations: 0,
            };
            self.live(&plan, 99);
            self.disk = self.disk.restart();
        }
    }

    /// One life without faults and one that only reads, both with a clean end.
    pub fn run_shortly(&mut self) {
        for operations in [20 + self.rng.below(40), 0] {
            let plan = Plan {
                shards: 1 + self.rng.below(2) as usize,
                options: self.options(),
                faults: Faults::default(),
                operations,
            };
            self.live(&plan, operations);
            self.disk = self.disk.restart();
        }
    }

    fn options(&mut self) -> Options {
        Options {
            segment_bytes: 256 << 10,
            memory_bytes: [0, 20_000, 1 << 20][self.rng.below(3) as usize],
            body_cache_bytes: [0, 10_000][self.rng.below(2) as usize],
            descriptors_max: 2,
            sabotage: self.sabotage,
            ..Options::default()
        }
    }

    fn plan(&mut self) -> Plan {
        let mut options = self.options();
        if self.rng.percent(25) {
            options.indexes = Indexes::Ignore;
        }
        let mut faults = Faults::default();
        match self.rng.below(10) {
            0..7 => faults.crash_after = Some(1 + self.rng.below(120)),
            7 => faults.fail_sync_after = Some(1 + self.rng.below(40)),
            _ => {}
        }
        let (shards, operations) = (1 + self.rng.below(3) as usize, 5 + self.rng.below(60));
        Plan {
            shards,
            options,
            faults,
            operations,
        }
    }

    /// One life: recovery, the comparison, operations, the end.
    fn live(&mut self, plan: &Plan, life: u64) {
        let seed = self.seed;
        // Power may go during recovery too.
        if self.rng.percent(15) {
            let crash_after = Some(1 + self.rng.below(12));
            self.disk.set_faults(Faults {
                crash_after,
                ..Faults::default()
            });
            let recovered = block_on(recover(&self.disk, plan.shards, &plan.options));
            assert!(
                recovered.is_ok() || self.disk.is_off(),
                "seed {seed}: {recovered:?}"
            );
            self.disk = self.disk.restart();
        }
        block_on(async {
            let recovered = recover(&self.disk, plan.shards, &plan.options).await;
            let recovered = recovered.unwrap_or_else(|e| panic!("seed {seed} life {life}: {e}"));
            assert_eq!(
                recovered.report.read_only.len(),
                0,
                "seed {seed}: {}",
                recovered.report
            );
            let stores = self.open(recovered.shards, plan).await;
            let running = or(self.work(&stores, plan, life), run_loops(&stores));
            running.await;
            let counted = stores.stores.borrow();
            let removed = counted
                .iter()
                .map(|store| store.counters().segments_removed);
            self.removed += removed.sum::<u64>();
            drop(counted);
            // They know each other, and so would stay for ever.
            stores.stores.borrow_mut().clear();
        });
        self.crashes += u64::from(self.disk.is_off());
    }

    async fn open(&self, starts: Vec<storage_engine::recovery::ShardStart>, plan: &Plan) -> Stores {
        let stores: Rc<RefCell<Vec<MailStore<SimDisk>>>> = Rc::default();
        let numbers: RefCell<HashMap<MailboxKey, ChangeNumber>> = RefCell::default();
        let numbers = Rc::new(numbers);
        for (me, start) in starts.into_iter().enumerate() {
            let numbers = numbers.clone();
            let publish: Publish = Rc::new(move |key: MailboxKey, change: Arc<Change>| {
                let last = numbers.borrow_mut().insert(key, change.number);
                // An account that was out of memory in between goes on with a higher number.
                let first = last.is_none_or(|last| change.number > last);
                assert!(first, "changes out of order");
            });
            let clock = Rc::new(SimClock(self.now_s.clone()));
            let others = Rc::new(Others {
                stores: stores.clone(),
                me,
            });
            let (disk, options) = (self.disk.clone(), plan.options.clone());
            let store = MailStore::open(disk, start, options, clock, publish, others).await;
            let store = store.unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
            stores.borrow_mut().push(store);
        }
        Stores { stores }
    }

    async fn work(&mut self, stores: &Stores, plan: &Plan, life: u64) {
        self.compare(stores, life).await;
        self.disk.set_faults(plan.faults);
        self.drive(stores, plan).await;
        if !self.disk.is_off() && (plan.operations == 0 || self.rng.percent(60)) {
            let stores = stores.stores.borrow().clone();
            for store in stores {
                store.shutdown().await;
            }
        }
    }
}

/// The loops of all shards; they never end.
async fn run_loops(stores: &Stores) {
    let stores = stores.stores.borrow().clone();
    let mut loops: Vec<Pin<Box<dyn Future<Output = ()>>>> = Vec::new();
    for store in stores {
        let log = store.clone();
        loops.push(Box::pin(async move { log.run_log().await }));
        loops.push(Box::pin(async move { store.run_maintenance().await }));
    }
    all(loops).await;
    std::future::pending().await
}

/// Runs all of them at once, polled in order.
pub async fn all<'a, T>(futures: Vec<Pin<Box<dyn Future<Output = T> + 'a>>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, result) in &mut futures {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *result = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        match ready {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    futures
        .into_iter()
        .map(|(_, result)| result.unwrap())
        .collect()
}
