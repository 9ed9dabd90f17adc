//! Production: one pinned glommio executor per shard.
//!
//! The numbers T1 to T26 name traps of glommio 0.9.0 that were reproduced; each comment says
//! what goes wrong and what we do instead.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use glommio::{Latency, LocalExecutorBuilder, Placement, PoolPlacement, Shares, TaskQueueHandle};

use super::channel::bounded;
use super::{Runtime, panic_guard};

mod heartbeat;
mod socket;

#[cfg(test)]
mod tests;

use heartbeat::Heart;
pub use socket::{GlommioListener, GlommioStream};

/// T2: more cancelled operations in one reactor pass than the ring is deep are flushed late, and
/// then hit other operations. 4,096 with drops in chunks of 64 never did.
const RING_DEPTH: usize = 4096;

/// T11: a busy shard looks at sockets and foreign wake-ups only when its preempt timer fires; the
/// default of 100 ms shows as latency. Both of our queues ask for this instead.
const QUEUE_LATENCY: Duration = Duration::from_millis(1);

/// The preempt timer while neither of our queues has work. Then only a shard's start and end
/// run, and a start during which this fires before the first task has run would sleep for ever:
/// see [`heartbeat`], which is not there yet.
const PREEMPT_TIMER: Duration = Duration::from_secs(10);

/// Registered memory for file I/O of one shard; beyond it plain memory is used (T21), so the
/// callers bound their own reads.
const IO_MEMORY_BYTES: usize = 1 << 20;

/// T26: threads for truncate, rename, remove; not pinned to the shard's core.
const BLOCKING_THREADS: usize = 2;

/// Sessions against bulk work (checkpoints, compaction), when both want the core.
const SESSION_SHARES: usize = 1000;
const BULK_SHARES: usize = 100;

/// T7: an executor that ends does not drop blocked tasks, so their descriptors stay open. After
/// the shard's main future the rest gets this long to end by itself.
const LAST_TASKS_WAIT: Duration = Duration::from_secs(5);

/// File that each shard makes first thing in a data directory; see [`settle_io_polling`].
const PROBE_FILE_PREFIX: &str = ".io-probe-";

/// The executor of one shard. Never crosses shards.
#[derive(Clone)]
pub struct GlommioRuntime {
    shard: Rc<Shard>,
}

struct Shard {
    started: Instant,
    sessions: TaskQueueHandle,
    bulk: TaskQueueHandle,
    panics: Cell<u64>,
    live: Cell<usize>,
}

/// Where the shards' executors run.
#[derive(Debug, Clone)]
pub struct ShardsConfig {
    /// CPUs that this process may use, from [`super::preflight::usable_cpus`]. Shards are dealt to
    /// them in turn; there may be more shards than CPUs.
    pub cpus: Vec<usize>,
    /// Directories that the storage engine opens files in; they exist.
    pub data_dirs: Vec<PathBuf>,
}

/// Threads of running shards.
#[derive(Debug)]
pub struct ShardThreads {
    threads: Vec<JoinHandle<io::Result<()>>>,
}

/// Starts one thread per element of `parts` and runs `main` there with the shard's number and its
/// part: its sockets, its ends of the channels. A panic in `main` itself (not in a task that it
/// spawned) ends the process: a shard that is gone would leave its accounts unserved. When one
/// executor cannot start, the error comes back at once; shards that did start end as soon as
/// the other ends of their channels and stop tokens are dropped.
pub fn run_shards<P, F, M>(
    config: &ShardsConfig,
    parts: Vec<P>,
    main: M,
) -> io::Result<ShardThreads>
where
    P: Send + 'static,
    F: Future<Output = ()> + 'static,
    M: Fn(usize, GlommioRuntime, P) -> F + Clone + Send + 'static,
{
    let mut threads = Vec::with_capacity(parts.len());
    for (index, part) in parts.into_iter().enumerate() {
        let cpu = index
            .checked_rem(config.cpus.len())
            .and_then(|slot| config.cpus.get(slot));
        let placement = cpu.map_or(Placement::Unbound, |cpu| Placement::Fixed(*cpu));
        let main = main.clone();
        let data_dirs = config.data_dirs.clone();
        let shard_main = move |runtime| main(index, runtime, part);
        threads.push(start_shard(index, placement, data_dirs, shard_main)?);
    }
    Ok(ShardThreads { threads })
}

impl ShardThreads {
    /// Waits for every shard; the first error wins.
    pub fn join(self) -> io::Result<()> {
        let mut outcome = Ok(());
        for thread in self.threads {
            let ended = thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("a shard's thread panicked")));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

fn start_shard<F, M>(
    index: usize,
    placement: Placement,
    data_dirs: Vec<PathBuf>,
    main: M,
) -> io::Result<JoinHandle<io::Result<()>>>
where
    F: Future<Output = ()> + 'static,
    M: FnOnce(GlommioRuntime) -> F + Send + 'static,
{
    // Our own thread around `make`, so that a failure to start an executor is an error for the
    // caller and not a panic inside glommio's thread.
    let (started, has_started) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name(format!("shard-{index}"))
        .spawn(move || {
            let executor = LocalExecutorBuilder::new(placement)
                .name(&format!("shard-{index}"))
                .ring_depth(RING_DEPTH)
                .io_memory(IO_MEMORY_BYTES)
                .preempt_timer(PREEMPT_TIMER)
                .blocking_thread_pool_placement(PoolPlacement::Unbound(BLOCKING_THREADS))
                .make();
            let executor = match executor {
                Ok(executor) => executor,
                Err(error) => {
                    let _ = started.send(Err(io_error(error)));
                    return Ok(());
                }
            };
            let _ = started.send(Ok(()));
            executor.run(run_shard(index, data_dirs, main))
        })?;
    match has_started.recv() {
        Ok(Ok(())) => Ok(thread),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(io::Error::other(format!(
            "shard {index} died while it started"
        ))),
    }
}

async fn run_shard<F, M>(index: usize, data_dirs: Vec<PathBuf>, main: M) -> io::Result<()>
where
    F: Future<Output = ()> + 'static,
    M: FnOnce(GlommioRuntime) -> F + 'static,
{
    for directory in &data_dirs {
        settle_io_polling(directory, index).await?;
    }
    let runtime = GlommioRuntime::new();
    let heart = Heart::start(runtime.shard.sessions).map_err(io_error)?;
    let (done, main_done) = bounded::<()>(1);
    let shard_main = {
        let runtime = runtime.clone();
        heartbeat::noting_activity(async move {
            // The loop in which the executor started still has the long preempt timer; a sleep
            // ends that loop, and the next one is armed for our queues.
            runtime.sleep(QUEUE_LATENCY).await;
            super::abort_on_panic(main(runtime)).await;
            drop(done);
        })
    };
    // In the queue of the sessions, for its latency; not counted among the tasks it waits for.
    glommio::spawn_local_into(shard_main, runtime.shard.sessions)
        .map_err(io_error)?
        .detach();
    let _ = main_done.recv().await;
    runtime.wait_for_tasks(LAST_TASKS_WAIT).await;
    heart.stop().await;
    Ok(())
}

/// T1: the first file that a thread opens on a device decides, by a read, whether glommio polls
/// for I/O there; an empty or preallocated file looks like "supported", and then every later read
/// fails with EOPNOTSUPP. A write-only file makes the probe fail and settles it for good. glommio
/// logs one line at error level for this, which is expected.
async fn settle_io_polling(directory: &Path, shard: usize) -> io::Result<()> {
    let path = directory.join(format!("{PROBE_FILE_PREFIX}{shard}"));
    let file = glommio::io::DmaFile::create(&path)
        .await
        .map_err(io_error)?;
    file.close().await.map_err(io_error)?;
    std::fs::remove_file(&path)
}

/// T24: the conversion into `io::Error` loses the number, which callers match on.
fn io_error<T>(error: glommio::GlommioError<T>) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::from_raw_os_error(number),
        None => io::Error::other(error.to_string()),
    }
}

impl GlommioRuntime {
    /// The runtime of the executor that this is called on.
    fn new() -> Self {
        let executor = glommio::executor();
        let sessions = executor.create_task_queue(
            Shares::Static(SESSION_SHARES),
            Latency::Matters(QUEUE_LATENCY),
            "sessions",
        );
        let bulk = executor.create_task_queue(
            Shares::Static(BULK_SHARES),
            Latency::Matters(QUEUE_LATENCY),
            "bulk",
        );
        Self {
            shard: Rc::new(Shard {
                started: Instant::now(),
                sessions,
                bulk,
                panics: Cell::new(0),
                live: Cell::new(0),
            }),
        }
    }

    /// T12: `spawn_local` polls the child at once inside the caller, so that panics and borrows
    /// cross; `spawn_local_into` only schedules. A panic in a task would end the executor's
    /// thread, so each body is guarded.
    fn spawn_into(&self, queue: TaskQueueHandle, task: impl Future<Output = ()> + 'static) {
        // Boxed before anything wraps it: each wrapper holds what it was given and what it awaits,
        // so an unboxed task would lie there several times over, for as long as a session idles.
        let task = Box::pin(task);
        let shard = self.shard.clone();
        shard.live.set(shard.live.get() + 1);
        let guarded = async move {
            let task = heartbeat::noting_activity(task);
            if let Err(message) = panic_guard::catch(task).await {
                shard.panics.set(shard.panics.get() + 1);
                tracing::error!(message, "a task panicked; only that task ends");
            }
            shard.live.set(shard.live.get() - 1);
        };
        match glommio::spawn_local_into(guarded, queue) {
            // T8: cancelling a task leaks its allocation, so tasks are detached and end by
            // themselves.
            Ok(task) => drop(task.detach()),
            Err(error) => unreachable!("the shard's queues live as long as its executor: {error}"),
        }
    }

    async fn wait_for_tasks(&self, at_most: Duration) {
        let deadline = self.now() + at_most;
        while self.tasks_live() > 0 && self.now() < deadline {
            self.sleep(Duration::from_millis(1)).await;
        }
        if self.tasks_live() > 0 {
            tracing::warn!(tasks = self.tasks_live(), "tasks outlived their shard");
        }
    }
}

impl Runtime for GlommioRuntime {
    type Stream = GlommioStream;
    type Listener = GlommioListener;
    type Disk = storage_engine::disk::glommio::GlommioDisk;

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        self.spawn_into(self.shard.sessions, task);
    }

    fn spawn_bulk(&self, task: impl Future<Output = ()> + 'static) {
        self.spawn_into(self.shard.bulk, task);
    }

    fn sleep(&self, for_: Duration) -> impl Future<Output = ()> + 'static {
        glommio::timer::sleep(for_)
    }

    fn now(&self) -> Duration {
        self.shard.started.elapsed()
    }

    fn wall_s(&self) -> i64 {
        // A clock before 1970 is a machine without a clock; 0 is as good as any.
        SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .map_or(0, |since| {
                i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
            })
    }

    fn yield_if_needed(&self) -> impl Future<Output = ()> + 'static {
        glommio::yield_if_needed()
    }

    fn random_u64(&self) -> u64 {
        match getrandom::u64() {
            Ok(number) => number,
            // Only a kernel without getrandom(2) gets here, and preflight has refused it.
            Err(error) => panic!("no randomness: {error}"),
        }
    }

    fn task_panics(&self) -> u64 {
        self.shard.panics.get()
    }

    fn tasks_live(&self) -> usize {
        self.shard.live.get()
    }
}
