//! A closed loop: every session logs in, and then each sends its next operation when the answer
//! to the last has been checked.

use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::connection::{Completion, Connections, Event, cpu_time};
use crate::fault::{Fault, FaultKind};
use crate::limits::{PREPARATIONS_MAX, RECONNECT_PAUSE_MS, TICK_MS};
use crate::op::Operation;
use crate::random::Random;
use crate::report::Report;
use crate::session::{Progress, Script, Session};

/// What to do.
#[derive(Debug)]
pub struct Plan {
    /// The server.
    pub target: SocketAddr,
    /// One entry a connection: who logs in on it.
    pub users: Vec<String>,
    /// What every session does.
    pub script: Script,
    /// How long to measure.
    pub duration: Duration,
    /// How long an answer may take.
    pub reply_timeout: Duration,
    /// Which messages are chosen.
    pub seed: u64,
}

/// Runs `plan` to its end. The server's mistakes are in the report; an error is one of this side.
pub fn run(plan: Plan) -> io::Result<Report> {
    let mut scenario = Scenario::new(plan)?;
    let mut completions = Vec::new();
    let mut next_tick = Instant::now();
    loop {
        let now = Instant::now();
        if now >= next_tick {
            next_tick = now + Duration::from_millis(TICK_MS);
            if scenario.tick(now)? == Next::Done {
                return scenario.end();
            }
        }
        let timeout = next_tick.saturating_duration_since(Instant::now());
        scenario.connections.wait(timeout, &mut completions)?;
        for completion in completions.drain(..) {
            scenario.handle(completion, Instant::now());
        }
    }
}

struct Scenario {
    connections: Connections,
    clients: Vec<Client>,
    operation: Operation,
    duration: Duration,
    reply_timeout: Duration,
    phase: Phase,
    cpu_at_start: Duration,
    report: Report,
    /// What a session wants sent; kept for its capacity.
    out: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Preparing,
    Measuring { start: Instant },
    Draining,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Continue,
    Done,
}

struct Client {
    session: Session,
    state: ClientState,
    /// When what is under way began: the operation once there is one.
    since: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClientState {
    /// It has not been connected yet.
    New,
    /// The connect is under way.
    Connecting,
    /// Greeting and login are under way.
    Preparing,
    /// Nothing is due.
    Resting,
    /// An operation is under way.
    Busy,
    /// LOGOUT is answered and the server's end of the connection is due.
    Leaving,
    /// The kernel still holds the connection.
    Closing { until: Instant },
    /// There is no connection, and there will be none before `until`.
    Down { until: Instant },
}

impl ClientState {
    fn is_due(self) -> bool {
        match self {
            Self::Connecting | Self::Preparing | Self::Busy | Self::Leaving => true,
            Self::New | Self::Resting | Self::Closing { .. } | Self::Down { .. } => false,
        }
    }
}

impl Scenario {
    fn new(plan: Plan) -> io::Result<Self> {
        let count = u32::try_from(plan.users.len()).map_err(io::Error::other)?;
        let operation = plan.script.operation;
        let script = Rc::new(plan.script);
        let now = Instant::now();
        let clients = plan
            .users
            .into_iter()
            .zip(0_u64..)
            .map(|(user, number)| Client {
                session: Session::new(script.clone(), user, Random::new(plan.seed, number)),
                state: ClientState::New,
                since: now,
            });
        Ok(Self {
            connections: Connections::new(count, plan.target)?,
            clients: clients.collect(),
            operation,
            duration: plan.duration,
            reply_timeout: plan.reply_timeout,
            phase: Phase::Preparing,
            cpu_at_start: Duration::ZERO,
            report: Report::new(operation.name(), count).map_err(io::Error::other)?,
            out: Vec::new(),
        })
    }

    fn end(mut self) -> io::Result<Report> {
        self.report.cpu = cpu_time()?.saturating_sub(self.cpu_at_start);
        Ok(self.report)
    }

    /// Moves the run on: the next phase, late answers, connections to make.
    fn tick(&mut self, now: Instant) -> io::Result<Next> {
        self.give_up_late(now);
        match self.phase {
            Phase::Preparing if self.operation == Operation::Login => self.start(now)?,
            Phase::Preparing => {
                self.prepare_more(now);
                let is_unsettled =
                    |client: &Client| client.state == ClientState::New || client.state.is_due();
                if !self.clients.iter().any(is_unsettled) {
                    self.start(now)?;
                }
            }
            Phase::Measuring { start } if now >= start + self.duration => {
                self.report.window = now - start;
                self.phase = Phase::Draining;
            }
            Phase::Measuring { .. } => self.reconnect(now),
            Phase::Draining if self.clients.iter().any(|client| client.state.is_due()) => {}
            Phase::Draining => return Ok(Next::Done),
        }
        Ok(Next::Continue)
    }

    fn start(&mut self, now: Instant) -> io::Result<()> {
        // A login is an operation of its own, so every client is ready for it from the start.
        let ready = match self.operation {
            Operation::Login => ClientState::New,
            Operation::Noop | Operation::Fetch | Operation::Store => ClientState::Resting,
        };
        let is_ready = |client: &&Client| client.state == ready;
        let prepared = self.clients.iter().filter(is_ready).count();
        self.report.prepared = u32::try_from(prepared).map_err(io::Error::other)?;
        self.cpu_at_start = cpu_time()?;
        if prepared == 0 {
            self.phase = Phase::Draining;
            return Ok(());
        }
        self.phase = Phase::Measuring { start: now };
        for slot in 0..self.clients.len() {
            match self.clients.get(slot).map(|client| client.state) {
                Some(ClientState::Resting) => self.begin(slot, now),
                Some(ClientState::New) => self.connect(slot, now),
                _ => {}
            }
        }
        Ok(())
    }

    fn prepare_more(&mut self, now: Instant) {
        let is_due = |client: &&Client| client.state.is_due();
        let due = self.clients.iter().filter(is_due).count();
        let limit = usize::try_from(PREPARATIONS_MAX).unwrap_or(usize::MAX);
        let new: Vec<usize> = (0..)
            .zip(&self.clients)
            .filter(|(_, client)| client.state == ClientState::New)
            .map(|(slot, _)| slot)
            .take(limit.saturating_sub(due))
            .collect();
        for slot in new {
            self.connect(slot, now);
        }
    }

    fn reconnect(&mut self, now: Instant) {
        for slot in 0..self.clients.len() {
            if let Some(ClientState::Down { until }) = self.clients.get(slot).map(|it| it.state)
                && now >= until
            {
                self.connect(slot, now);
            }
        }
    }

    fn give_up_late(&mut self, now: Instant) {
        for slot in 0..self.clients.len() {
            let is_late = self.clients.get(slot).is_some_and(|client| {
                client.state.is_due() && now.duration_since(client.since) > self.reply_timeout
            });
            if is_late {
                let why = format_args!("no answer in {:.1} s", self.reply_timeout.as_secs_f64());
                self.fail(slot, Fault::because(FaultKind::TimedOut, why), now);
            }
        }
    }

    fn handle(&mut self, completion: Completion, now: Instant) {
        let slot = completion.slot;
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        match completion.event {
            Event::Connected => {
                client.session.connected();
                client.state = ClientState::Preparing;
                self.connections.receive(slot);
            }
            Event::Received => self.received(slot, now),
            Event::Ended => match client.session.closed() {
                Ok(()) => self.close(slot, now),
                Err(fault) => self.fail(slot, fault, now),
            },
            Event::Failed(error) => {
                let kind = match client.state {
                    ClientState::Connecting => FaultKind::Connect,
                    _ => FaultKind::Closed,
                };
                self.fail(slot, Fault::because(kind, error), now);
            }
            Event::Released => {
                if let ClientState::Closing { until } = client.state {
                    client.state = ClientState::Down { until };
                    if until <= now && matches!(self.phase, Phase::Measuring { .. }) {
                        self.connect(slot, now);
                    }
                }
            }
        }
    }

    fn received(&mut self, slot: usize, now: Instant) {
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        self.out.clear();
        let bytes = self.connections.received(slot);
        let progress = match client.session.receive(bytes, &mut self.out) {
            Ok(progress) => progress,
            Err(fault) => return self.fail(slot, fault, now),
        };
        if !self.out.is_empty() {
            // Each step of the preparation has its own time; of a login it is one operation.
            if self.operation != Operation::Login {
                client.since = now;
            }
            self.send(slot, now);
        }
        match progress {
            Progress::Waiting => {}
            Progress::Prepared => self.rest_or_begin(slot, now),
            Progress::Finished => self.finished(slot, now),
        }
        self.connections.receive(slot);
    }

    fn finished(&mut self, slot: usize, now: Instant) {
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        let latency = now.duration_since(client.since);
        if matches!(self.phase, Phase::Measuring { .. }) {
            self.report.operation_in_window(latency);
        } else {
            self.report.operation_after_window(latency);
        }
        if self.operation == Operation::Login {
            client.since = now;
            client.state = ClientState::Leaving;
        } else {
            self.rest_or_begin(slot, now);
        }
    }

    fn rest_or_begin(&mut self, slot: usize, now: Instant) {
        if matches!(self.phase, Phase::Measuring { .. }) {
            self.begin(slot, now);
        } else if let Some(client) = self.clients.get_mut(slot) {
            client.state = ClientState::Resting;
        }
    }

    fn begin(&mut self, slot: usize, now: Instant) {
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        self.out.clear();
        client.since = now;
        client.state = ClientState::Busy;
        match client.session.begin(&mut self.out) {
            Ok(()) => self.send(slot, now),
            Err(fault) => self.fail(slot, fault, now),
        }
    }

    fn send(&mut self, slot: usize, now: Instant) {
        if let Err(error) = self.connections.send(slot, &self.out) {
            self.fail(slot, Fault::because(FaultKind::Closed, error), now);
        }
    }

    fn connect(&mut self, slot: usize, now: Instant) {
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
        client.since = now;
        client.state = ClientState::Connecting;
        if let Err(error) = self.connections.connect(slot) {
            self.fail(slot, Fault::because(FaultKind::Connect, error), now);
        }
    }

    fn fail(&mut self, slot: usize, fault: Fault, now: Instant) {
        self.report.fault(fault);
        self.close(slot, now + Duration::from_millis(RECONNECT_PAUSE_MS));
    }

    /// Ends the slot's connection; there may be another from `until` on.
    fn close(&mut self, slot: usize, until: Instant) {
        if let Some(client) = self.clients.get_mut(slot) {
            client.state = ClientState::Closing { until };
            self.connections.close(slot);
        }
    }
}

#[cfg(test)]
mod tests;
