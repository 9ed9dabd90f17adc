//! What a client hears while one of its commands runs for long: `* OK Running` each period that
//! the operator has set, if any, and how far it has come (INPROGRESS, RFC 9585).
//!
//! Only APPEND, COPY, MOVE and SEARCH use it. Lines are written where the command waits, and none
//! of these has begun a response then, so they never stand inside one. APPEND begins with it when
//! its message has come whole: until then the client is the one who sends, and not waiting.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use imap_proto::response::code::{Code, Progress};
use imap_proto::response::status::{self, Condition};

use crate::limits::IN_PROGRESS_EVERY;
use crate::runtime::Runtime;

use super::{Gone, Session};

/// A command that may run for long. Lives as long as it.
pub struct Running {
    /// When the client was last told (or the command began), on the runtime's clock.
    running_told: Duration,
    in_progress_told: Duration,
    progress: Progress,
}

impl Running {
    /// The command begins; how far it gets is not known.
    pub fn begin<R: Runtime>(session: &Session<R>) -> Self {
        let now = session.shard.runtime().now();
        Running {
            running_told: now,
            in_progress_told: now,
            progress: Progress::Unknown,
        }
    }

    /// So much of so much is done. `goal` stays the same for the whole of a command.
    pub fn has_done(&mut self, done: u32, goal: u32) {
        self.progress = Progress::of(done, goal);
    }

    /// Waits for a part of the command and tells the client in time. A client that does not hear
    /// it, because it is gone, does not stop the work.
    pub async fn wait<R: Runtime, T>(
        &mut self,
        session: &mut Session<R>,
        work: impl Future<Output = T>,
    ) -> T {
        let mut work = pin!(work);
        // Most work is done at once or without a wait worth a timer.
        if let Poll::Ready(done) = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await
        {
            return done;
        }
        loop {
            let now = session.shard.runtime().now();
            let timer = session
                .shard
                .runtime()
                .sleep(self.due(session).saturating_sub(now));
            let done = async { Some(work.as_mut().await) };
            let late = async {
                timer.await;
                None
            };
            if let Some(done) = futures_lite::future::or(done, late).await {
                return done;
            }
            if self.tell(session).await.is_err() {
                return work.await;
            }
        }
    }

    /// Between two steps of the command: tells the client if it is time.
    pub async fn check<R: Runtime>(&mut self, session: &mut Session<R>) -> Result<(), Gone> {
        if session.shard.runtime().now() < self.due(session) {
            return Ok(());
        }
        self.tell(session).await
    }

    /// When something is to be told next. The period may have been changed meanwhile.
    fn due<R: Runtime>(&self, session: &Session<R>) -> Duration {
        let in_progress = self.in_progress_told + IN_PROGRESS_EVERY;
        match session.shard.running_every() {
            Some(period) => in_progress.min(self.running_told + period),
            None => in_progress,
        }
    }

    async fn tell<R: Runtime>(&mut self, session: &mut Session<R>) -> Result<(), Gone> {
        let now = session.shard.runtime().now();
        let period = session.shard.running_every();
        if period.is_some_and(|period| now >= self.running_told + period) {
            self.running_told = now;
            status::untagged(&mut session.wire.out, Condition::Ok, None, "Running");
        }
        if now >= self.in_progress_told + IN_PROGRESS_EVERY {
            self.in_progress_told = now;
            let tag = session.tag().to_vec();
            let progress = self.progress;
            let code = Code::InProgress { tag, progress };
            let out = &mut session.wire.out;
            status::untagged(out, Condition::Ok, Some(&code), "Still at it");
        }
        // The client waits for us, and not the other way round.
        session.set_idle_deadline();
        session.wire.flush().await
    }
}
