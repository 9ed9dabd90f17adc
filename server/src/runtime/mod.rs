//! The one seam between the server and the executor it runs on.
//!
//! Production runs on glommio, one pinned executor per shard ([`glommio_runtime`]); tests run
//! whole shards in one seeded, deterministic simulation ([`simulated`]). Nothing outside this
//! folder and the storage engine's disk names glommio.
//!
//! - [`Runtime`]: spawn, timers, clocks, randomness; [`Stream`] and [`Listener`]: bytes.
//! - [`kick`]: ends a connection from elsewhere on its shard without cancelling its task.
//! - [`channel`]: bounded channels that wake any executor, and the mesh between shards.
//! - [`stop`] and [`signals`]: how the process is asked to end or to reload.
//! - [`memory`]: what the allocator is told before threads start.
//! - [`preflight`]: what the kernel and the limits must offer, said clearly before the start.

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::IpAddr;
use std::task::{Context, Poll, ready};
use std::time::Duration;

pub mod channel;
pub mod glommio_runtime;
pub mod kick;
pub mod memory;
pub mod preflight;
pub mod signals;
pub mod simulated;
pub mod stop;

mod panic_guard;
mod peer;

pub use kick::Kick;
pub use panic_guard::{abort_on_panic, vital};
pub use peer::Peer;
pub use stop::{Stop, StopSource};

/// One shard's executor: a cheap handle that every task of the shard holds. Never crosses shards.
pub trait Runtime: Clone + 'static {
    /// A connection's bytes.
    type Stream: Stream;
    /// Where connections come from.
    type Listener: Listener<Stream = Self::Stream>;
    /// Where the shard's accounts are stored.
    type Disk: storage_engine::disk::Disk;

    /// Runs `task` on this shard, detached. It is only scheduled here and first polled later, so
    /// the caller's borrows and panics never meet it. A panic inside ends that task only and is
    /// counted in [`Runtime::task_panics`].
    fn spawn(&self, task: impl Future<Output = ()> + 'static);

    /// As [`Runtime::spawn`], for bulk work (checkpoints, compaction) that must leave the
    /// sessions their turn.
    fn spawn_bulk(&self, task: impl Future<Output = ()> + 'static);

    /// Waits. A task may own a handful of these, never thousands; use a sweeper for time-outs of
    /// many sessions.
    fn sleep(&self, for_: Duration) -> impl Future<Output = ()> + 'static;

    /// Monotonic time since the start of the executor (or of the simulation).
    fn now(&self) -> Duration;

    /// Seconds since the Unix epoch.
    fn wall_s(&self) -> i64;

    /// Lets others run if this task had its share; call about every 50 us of work.
    fn yield_if_needed(&self) -> impl Future<Output = ()> + 'static;

    /// Unpredictable number (seeded in a simulation).
    fn random_u64(&self) -> u64;

    /// How many tasks of this shard have ended by a panic.
    fn task_panics(&self) -> u64;

    /// How many spawned tasks have not ended.
    fn tasks_live(&self) -> usize;
}

/// One connection's bytes, owned by the task that serves it. The three polls are what an
/// implementation gives; callers use the async methods.
#[allow(async_fn_in_trait, reason = "tasks of a shard never leave its thread")]
pub trait Stream: 'static {
    /// Ready when there is something to read: bytes, end or error. Takes no byte.
    fn poll_readable(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// Takes bytes that are there; 0 means the end (`bytes` must not be empty).
    fn poll_read(&mut self, context: &mut Context<'_>, bytes: &mut [u8])
    -> Poll<io::Result<usize>>;

    /// Sends a first part of `bytes` and says how much that was (at least 1).
    fn poll_write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>>;

    /// Acknowledges what has come, if the network wants that and it would be delayed.
    fn acknowledge(&self) {}

    /// Says what is left to say, then shuts both directions down at once without waiting for
    /// the peer; call before dropping. Reads and writes fail or end afterwards.
    fn close(&mut self);

    /// Who is at the other end.
    fn peer(&self) -> Peer;

    /// Our own address, as the client has used it, if it is one of TCP. Asks the kernel.
    fn local_ip(&self) -> Option<IpAddr> {
        None
    }

    /// Lets a sweeper on the same shard end this connection.
    fn kick_handle(&self) -> Kick;

    /// Waits until there is something to read: bytes, end or error. Holds no buffer while it
    /// waits. May be dropped while pending and called again (it is selected against wake-ups).
    async fn readable(&mut self) -> io::Result<()> {
        poll_fn(|context| self.poll_readable(context)).await
    }

    /// Waits for bytes and appends what is there to `buffer`, at most [`READ_BYTES_MAX`] at a
    /// time; 0 means the end. May be dropped while pending; no byte is lost by that.
    async fn read_into(&mut self, buffer: &mut Vec<u8>) -> io::Result<usize> {
        poll_fn(|context| {
            with_read_scratch(|scratch| {
                let read = ready!(self.poll_read(context, scratch))?;
                buffer.extend_from_slice(scratch.get(..read).unwrap_or_default());
                Poll::Ready(Ok(read))
            })
        })
        .await
    }

    /// Sends all of it. Dropped while pending, an unknown part was sent: then only close.
    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let sent = poll_fn(|context| self.poll_write(context, rest)).await?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }
}

/// Where connections come from. One task per listener calls `accept` in a plain loop.
#[allow(async_fn_in_trait, reason = "tasks of a shard never leave its thread")]
pub trait Listener: 'static {
    /// What it accepts.
    type Stream: Stream;

    /// The next connection. Must not be dropped while pending: a connection that the kernel has
    /// already handed over would hang. [`Kick::listener`] ends it with an error instead.
    async fn accept(&self) -> io::Result<Self::Stream>;

    /// Lets another task on the same shard end the accept loop.
    fn kick_handle(&self) -> Kick;
}

/// Most bytes that one [`Stream::read_into`] appends: the size of a shard's read scratch. A TLS
/// record of the largest size (16 KiB and its overhead) arrives in one read.
pub const READ_BYTES_MAX: usize = 32 * 1024;

thread_local! {
    /// One read buffer per shard: a connection that waits has none of its own.
    static READ_SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; READ_BYTES_MAX]);
}

/// Lends the shard's read buffer for the length of one poll, never across an await.
pub(crate) fn with_read_scratch<T>(use_it: impl FnOnce(&mut [u8]) -> T) -> T {
    READ_SCRATCH.with_borrow_mut(|scratch| use_it(scratch))
}

/// Runs `work` for at most `for_`; `None` when the time is over. For reads and waits only: the
/// future is dropped at the end of the time, which loses an accepted connection or leaves half a
/// write behind.
pub async fn within<R: Runtime, T>(
    runtime: &R,
    for_: Duration,
    work: impl Future<Output = T>,
) -> Option<T> {
    let timer = runtime.sleep(for_);
    futures_lite::future::or(async { Some(work.await) }, async {
        timer.await;
        None
    })
    .await
}
