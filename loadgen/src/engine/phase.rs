//! From the first connect to the last answer.

use std::io;

use super::Engine;
use super::client::Stage;
use crate::connection::cpu_time;
use crate::fault::{Fault, FaultKind};
use crate::limits::PREPARATIONS_MAX;
use crate::report::Gauges;

/// Where a run stands.
#[derive(Clone, Copy, Debug)]
pub enum Phase {
    /// Connections are set up, a few at a time.
    Preparing {
        /// The next one to begin.
        next: u32,
        /// How many have settled.
        settled: u32,
        /// How many of them are ready.
        ready: u32,
    },
    /// Operations count.
    Measuring {
        /// When they stop to.
        end_ns: u64,
        /// The next progress line.
        line_ns: u64,
    },
    /// Answers that are due may still come.
    Draining {
        /// When they are given up.
        end_ns: u64,
    },
}

/// What a run came to, beside its figures.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    /// Arrivals that waited for somebody to be free.
    pub late: u64,
}

const SECOND_NS: u64 = 1_000_000_000;

impl Phase {
    /// The beginning.
    pub fn new() -> Self {
        Self::Preparing {
            next: 0,
            settled: 0,
            ready: 0,
        }
    }
}

impl Engine<'_> {
    pub(super) fn is_measuring(&self) -> bool {
        matches!(self.phase, Phase::Measuring { .. })
    }

    pub(super) fn is_draining(&self) -> bool {
        matches!(self.phase, Phase::Draining { .. })
    }

    /// Whether every connection makes one iteration and is done.
    pub(super) fn is_once(&self) -> bool {
        self.window.is_none()
    }

    /// Looks at what time it is; tells when all is over.
    pub(super) fn tick(
        &mut self,
        now_ns: u64,
        every_second: &mut dyn FnMut(&str),
    ) -> io::Result<Option<super::Window>> {
        match self.phase {
            Phase::Preparing { .. } => {
                self.prepare(now_ns);
                self.start_if_settled(now_ns)
            }
            Phase::Measuring { end_ns, line_ns } => {
                if now_ns >= line_ns {
                    let interval = self.recorder.tick(now_ns, self.gauges()?)?;
                    every_second(&interval.line());
                    let line_ns = line_ns + SECOND_NS;
                    self.phase = Phase::Measuring { end_ns, line_ns };
                }
                if now_ns >= end_ns {
                    self.stop(now_ns);
                }
                Ok(None)
            }
            Phase::Draining { end_ns } => {
                if now_ns >= end_ns {
                    self.drop_waiting();
                }
                let is_quiet = !self.clients.iter().any(super::Client::is_busy);
                // Each answer has its own time; the bound is for iterations of many.
                if !is_quiet && now_ns < end_ns + 2 * self.reply_timeout_ns {
                    return Ok(None);
                }
                self.drop_waiting();
                self.give_up(now_ns);
                Ok(Some(Window {
                    late: self.arrivals.late,
                }))
            }
        }
    }

    pub(super) fn gauges(&self) -> io::Result<Gauges> {
        Ok(Gauges {
            connections: self.connections.open(),
            own_cpu: cpu_time()?,
        })
    }

    /// Begins with more connections, as many at a time as are wanted.
    pub(super) fn prepare(&mut self, now_ns: u64) {
        let count = u32::try_from(self.clients.len()).unwrap_or(u32::MAX);
        loop {
            let Phase::Preparing { next, settled, .. } = &mut self.phase else {
                return;
            };
            if *next >= count || *next - *settled >= PREPARATIONS_MAX {
                return;
            }
            let slot = *next;
            *next += 1;
            if self.is_once() {
                self.begin_iteration(slot, now_ns, now_ns);
            } else if self.role(slot).is_some_and(|role| role.reconnect) {
                self.settle(slot, true);
            } else {
                self.connect(slot, now_ns);
            }
        }
    }

    /// A connection is ready for the first time, or has failed to be.
    pub(super) fn settle(&mut self, slot: u32, is_ready: bool) {
        let Some(client) = self.client(slot) else {
            return;
        };
        if std::mem::replace(&mut client.is_settled, true) {
            return;
        }
        if let Phase::Preparing { settled, ready, .. } = &mut self.phase {
            *settled += 1;
            *ready += u32::from(is_ready);
        }
    }

    fn start_if_settled(&mut self, now_ns: u64) -> io::Result<Option<Window>> {
        let Phase::Preparing { settled, ready, .. } = self.phase else {
            return Ok(None);
        };
        if usize::try_from(settled).unwrap_or(usize::MAX) < self.clients.len() {
            return Ok(None);
        }
        let Some(window) = self.window else {
            return Ok(Some(Window::default()));
        };
        self.recorder.start(now_ns, ready, cpu_time()?);
        self.phase = Phase::Measuring {
            end_ns: now_ns + super::nanoseconds(window),
            line_ns: now_ns + SECOND_NS,
        };
        self.arrivals.start(now_ns);
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX) {
            let is_waiting = self
                .client(slot)
                .is_some_and(|client| matches!(client.stage, Stage::Ready | Stage::Closed));
            if is_waiting {
                self.free(slot, now_ns);
            }
        }
        Ok(None)
    }

    /// The time is over: who owes nothing is closed, the others may still answer.
    fn stop(&mut self, now_ns: u64) {
        self.recorder.stop(now_ns);
        self.arrivals.stop();
        self.phase = Phase::Draining {
            end_ns: now_ns + self.reply_timeout_ns,
        };
        // Who is in IDLE stays as long as somebody waits for it to hear of a change.
        let is_awaited = self
            .clients
            .iter()
            .any(|client| client.stage == Stage::Others);
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX) {
            let is_done = self.client(slot).is_some_and(|client| {
                !(client.is_busy() || (is_awaited && client.stage == Stage::Thinking))
            });
            if is_done {
                self.finish(slot);
            }
        }
    }

    /// What nobody has made by now is given up.
    fn drop_waiting(&mut self) {
        for _ in 0..self.arrivals.drop_waiting() {
            let kind = FaultKind::Dropped.name();
            self.recorder
                .fail(None, kind, "nobody had been free to make it at the end");
        }
    }

    /// What has not been answered by now is late.
    fn give_up(&mut self, now_ns: u64) {
        for slot in 0..u32::try_from(self.clients.len()).unwrap_or(u32::MAX) {
            if self.client(slot).is_some_and(|client| client.is_busy()) {
                let fault = Fault::because(FaultKind::TimedOut, "no answer before the end");
                self.fail(slot, &fault, now_ns);
            }
        }
    }
}
