//! Wakes a shard that went to sleep with work in its queues.
//!
//! glommio 0.9.0 can lose a wake-up. Its loop collects I/O (which queues the woken tasks), arms
//! the preempt timer and runs the queues; but if that timer fires before the first queue has run
//! (the kernel gave the core to somebody else for a moment), "no queue has run" is taken for "no
//! queue has work", and the shard parks until the next event. On a crowded machine a test of
//! TLS echoes met this within seconds and then stood still for ever.
//!
//! A timer ends such a sleep. It beats fast while tasks run and slows down to a few beats per
//! second when nothing happens, so that an idle shard uses no CPU worth measuring. The wake-up of
//! the heart itself can be lost just as well, so each beat sets a row of timers, each twice as far
//! away as the one before: the next one finds both the heart and the work.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use glommio::timer::Timer;

use crate::runtime::channel::{Receiver, Sender, bounded};

/// Longest that a lost wake-up costs on a shard that has something to do.
const BEAT_MIN: Duration = Duration::from_millis(10);

/// Longest that a lost wake-up costs on a shard that was idle: four beats per second, each of
/// at most 30 us.
const BEAT_MAX: Duration = Duration::from_millis(250);

/// How much slower each beat of a shard without work is than the one before.
const BEAT_SLOWDOWN: u32 = 4;

/// Timers that each beat sets; all of them would have to hit the same bad moment.
const TIMERS_AHEAD: u32 = 4;

thread_local! {
    /// Whether a task has run since the last beat.
    static ACTIVE: Cell<bool> = const { Cell::new(false) };
    /// Rouses the heart when it beats slowly and tasks run again.
    static ROUSE: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

/// The heart of the shard of this thread; `stop` it before its executor ends.
pub(super) struct Heart {
    stop: Sender<()>,
    stopped: Receiver<()>,
}

/// Runs `task` and notes that the shard is active whenever it is polled.
pub(super) async fn noting_activity<T>(task: impl Future<Output = T>) -> T {
    let mut task = pin!(task);
    poll_fn(|context| {
        note_activity();
        task.as_mut().poll(context)
    })
    .await
}

fn note_activity() {
    if !ACTIVE.replace(true) {
        // Full means that the heart is roused already.
        ROUSE.with_borrow(|rouse| rouse.as_ref().map(|rouse| rouse.try_send(())));
    }
}

impl Heart {
    /// Starts to beat. Call once per executor, inside it.
    pub(super) fn start(
        queue: glommio::TaskQueueHandle,
    ) -> Result<Self, glommio::GlommioError<()>> {
        let (stop, stop_asked) = bounded(1);
        let (done, stopped) = bounded(1);
        glommio::spawn_local_into(
            async move {
                beat(stop_asked).await;
                drop(done);
            },
            queue,
        )?
        .detach();
        Ok(Self { stop, stopped })
    }

    /// Ends the beating; T7: the executor must not end before its tasks.
    pub(super) async fn stop(self) {
        drop(self.stop);
        let _ = self.stopped.recv().await;
    }
}

async fn beat(stop_asked: Receiver<()>) {
    let (rouse, roused) = bounded(1);
    let mut pause = BEAT_MIN;
    while !stop_asked.is_closed() {
        let timer = first_of_a_row(pause);
        let rest = async {
            // Only a slow heart is roused: a fast one beats soon enough.
            if pause > BEAT_MIN {
                let _ = roused.recv().await;
            } else {
                std::future::pending::<()>().await;
            }
        };
        let end = async {
            let _ = stop_asked.recv().await;
        };
        let slow = (pause > BEAT_MIN).then(|| rouse.clone());
        ROUSE.set(slow);
        futures_lite::future::or(end, futures_lite::future::or(rest, timer)).await;
        pause = if ACTIVE.replace(false) {
            BEAT_MIN
        } else {
            (pause * BEAT_SLOWDOWN).min(BEAT_MAX)
        };
    }
    ROUSE.set(None);
}

/// Waits for `pause`; the further timers of the row are there to repeat a wake-up that got lost.
async fn first_of_a_row(pause: Duration) {
    let mut row: Vec<_> = (0..TIMERS_AHEAD)
        .map(|doublings| Timer::new(pause * 2_u32.pow(doublings)))
        .collect();
    poll_fn(|context| {
        // Every timer is polled, because the first poll is what arms it.
        let polls = row.iter_mut().map(|timer| Pin::new(timer).poll(context));
        match polls.filter(Poll::is_ready).count() {
            0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    })
    .await;
}
