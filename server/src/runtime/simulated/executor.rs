//! Tasks, timers and the clock of a simulation.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use super::random::SeededRandom;
use super::stream::{self, SimulatedListener, SimulatedStream};
use crate::runtime::{Peer, Runtime, panic_guard};

/// Turns after which a run is taken for an endless loop.
const TURNS_MAX: u64 = 100_000_000;

/// What the wall clock shows when a simulation starts: 2026-01-01 00:00:00 UTC.
const WALL_START_S: i64 = 1_767_225_600;

/// One run of everything. Lives on one thread.
pub struct Simulation {
    world: Rc<World>,
}

/// One shard's handle. Shards of a simulation share its clock and its order of turns, but count
/// their own tasks and panics.
#[derive(Clone)]
pub struct SimulatedRuntime {
    world: Rc<World>,
    shard: Rc<ShardCounters>,
}

#[derive(Default)]
struct ShardCounters {
    panics: Cell<u64>,
    live: Cell<usize>,
}

/// The run cannot go on: tasks are left, but none can run and no timer is set, or the run took
/// too many turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stalled {
    /// The seed, to run it again.
    pub seed: u64,
    /// Turns until then.
    pub turns: u64,
    /// Tasks that had not ended.
    pub tasks: usize,
}

type Task = Pin<Box<dyn Future<Output = ()>>>;

pub(super) struct World {
    seed: u64,
    random: RefCell<SeededRandom>,
    now: Cell<Duration>,
    turns: Cell<u64>,
    trace: Cell<u64>,
    next_id: Cell<u64>,
    tasks: RefCell<BTreeMap<u64, Task>>,
    timers: RefCell<BTreeMap<(Duration, u64), Waker>>,
    ready: Arc<Ready>,
}

/// Tasks that can run. Behind a mutex because wakers must be `Send`; only one thread runs.
#[derive(Default)]
struct Ready(Mutex<Vec<u64>>);

struct TaskWaker {
    task: u64,
    ready: Arc<Ready>,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        self.ready.add(self.task);
    }
}

impl Ready {
    fn add(&self, task: u64) {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !ready.contains(&task) {
            ready.push(task);
        }
    }

    fn take(&self, random: &mut SeededRandom) -> Option<u64> {
        let mut ready = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ready.is_empty() {
            return None;
        }
        let chosen = random.below(ready.len());
        Some(ready.swap_remove(chosen))
    }
}

impl Simulation {
    /// A run that `seed` determines.
    pub fn new(seed: u64) -> Self {
        Self {
            world: Rc::new(World {
                seed,
                random: RefCell::new(SeededRandom::new(seed)),
                now: Cell::new(Duration::ZERO),
                turns: Cell::new(0),
                trace: Cell::new(seed),
                next_id: Cell::new(0),
                tasks: RefCell::default(),
                timers: RefCell::default(),
                ready: Arc::default(),
            }),
        }
    }

    /// The handle of one more shard.
    pub fn runtime(&self) -> SimulatedRuntime {
        SimulatedRuntime {
            world: self.world.clone(),
            shard: Rc::default(),
        }
    }

    /// A connected pair of streams; `client` is what the server's end sees as its peer.
    pub fn connect_pair(&self, client: Peer) -> (SimulatedStream, SimulatedStream) {
        stream::pair(&self.world, client)
    }

    /// A listener; its `connect` makes connections to it.
    pub fn listener(&self) -> SimulatedListener {
        SimulatedListener::new(&self.world)
    }

    /// Numbers that the seed determines, for the test itself.
    pub fn random_u64(&self) -> u64 {
        self.world.random.borrow_mut().next_u64()
    }

    /// Digest of the order of all turns so far: equal for two runs of one seed.
    pub fn trace(&self) -> u64 {
        self.world.trace.get()
    }

    /// Runs everything until `main` is done, and leaves the other tasks where they are.
    pub fn run_until<T: 'static>(
        &self,
        main: impl Future<Output = T> + 'static,
    ) -> Result<T, Stalled> {
        let result = Rc::new(RefCell::new(None));
        let main_result = result.clone();
        self.world.add_task(Box::pin(async move {
            let value = main.await;
            *main_result.borrow_mut() = Some(value);
        }));
        loop {
            let done = result.borrow_mut().take();
            if let Some(value) = done {
                return Ok(value);
            }
            self.world.turn()?;
        }
    }
}

impl Drop for Simulation {
    /// Tasks hold handles of the world that holds them; this breaks the circle. Their drops may
    /// wake and even spawn others, so the map is emptied until it stays empty.
    fn drop(&mut self) {
        loop {
            let tasks = std::mem::take(&mut *self.world.tasks.borrow_mut());
            if tasks.is_empty() {
                break;
            }
            drop(tasks);
        }
        self.world.timers.borrow_mut().clear();
    }
}

impl World {
    fn fresh_id(&self) -> u64 {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        id
    }

    fn add_task(&self, task: Task) {
        let id = self.fresh_id();
        self.tasks.borrow_mut().insert(id, task);
        self.ready.add(id);
    }

    /// A seeded choice in `0..bound`, part of the order of events.
    pub(super) fn choose(&self, bound: usize) -> usize {
        self.random.borrow_mut().below(bound)
    }

    fn turn(&self) -> Result<(), Stalled> {
        let chosen = self.ready.take(&mut self.random.borrow_mut());
        let Some(id) = chosen else {
            return self.advance_clock();
        };
        if self.turns.get() >= TURNS_MAX {
            return Err(self.stalled());
        }
        // A task is out of the map while it runs, so that it can spawn others.
        let task = self.tasks.borrow_mut().remove(&id);
        let Some(mut task) = task else {
            return Ok(());
        };
        self.record(id);
        let waker = Waker::from(Arc::new(TaskWaker {
            task: id,
            ready: self.ready.clone(),
        }));
        if task
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_pending()
        {
            self.tasks.borrow_mut().insert(id, task);
        }
        Ok(())
    }

    fn advance_clock(&self) -> Result<(), Stalled> {
        let Some(((due, _), waker)) = self.timers.borrow_mut().pop_first() else {
            return Err(self.stalled());
        };
        self.now.set(due.max(self.now.get()));
        waker.wake();
        Ok(())
    }

    /// FNV-1a over the order of turns and their times.
    fn record(&self, task: u64) {
        self.turns.set(self.turns.get() + 1);
        let time_ns = u64::try_from(self.now.get().as_nanos()).unwrap_or(u64::MAX);
        let mut trace = self.trace.get();
        for word in [task, time_ns] {
            for byte in word.to_le_bytes() {
                trace = (trace ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
            }
        }
        self.trace.set(trace);
    }

    fn stalled(&self) -> Stalled {
        Stalled {
            seed: self.seed,
            turns: self.turns.get(),
            tasks: self.tasks.borrow().len(),
        }
    }
}

impl fmt::Display for Stalled {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "simulation of seed {} stalled after {} turns with {} tasks left",
            self.seed, self.turns, self.tasks
        )
    }
}

impl std::error::Error for Stalled {}

/// A timer that takes itself out when it is dropped early.
struct Sleep {
    world: Rc<World>,
    key: (Duration, u64),
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.world.now.get() >= self.key.0 {
            return Poll::Ready(());
        }
        self.world
            .timers
            .borrow_mut()
            .insert(self.key, context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.world.timers.borrow_mut().remove(&self.key);
    }
}

impl Runtime for SimulatedRuntime {
    type Stream = SimulatedStream;
    type Listener = SimulatedListener;
    type Disk = storage_engine::disk::sim::SimDisk;

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let shard = self.shard.clone();
        shard.live.set(shard.live.get() + 1);
        self.world.add_task(Box::pin(async move {
            if panic_guard::catch(task).await.is_err() {
                shard.panics.set(shard.panics.get() + 1);
            }
            shard.live.set(shard.live.get() - 1);
        }));
    }

    fn spawn_bulk(&self, task: impl Future<Output = ()> + 'static) {
        self.spawn(task);
    }

    fn sleep(&self, for_: Duration) -> impl Future<Output = ()> + 'static {
        let due = self.world.now.get().saturating_add(for_);
        Sleep {
            key: (due, self.world.fresh_id()),
            world: self.world.clone(),
        }
    }

    fn now(&self) -> Duration {
        self.world.now.get()
    }

    fn wall_s(&self) -> i64 {
        let since_start = i64::try_from(self.world.now.get().as_secs()).unwrap_or(i64::MAX);
        WALL_START_S.saturating_add(since_start)
    }

    /// Yields at seeded moments, so that code which relies on not being interrupted is found.
    fn yield_if_needed(&self) -> impl Future<Output = ()> + 'static {
        let mut yields = self.world.choose(4) == 0;
        poll_fn(move |context| {
            if std::mem::take(&mut yields) {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Poll::Ready(())
        })
    }

    fn random_u64(&self) -> u64 {
        self.world.random.borrow_mut().next_u64()
    }

    fn task_panics(&self) -> u64 {
        self.shard.panics.get()
    }

    fn tasks_live(&self) -> usize {
        self.shard.live.get()
    }
}
