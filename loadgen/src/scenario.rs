//! A closed loop: every session logs in, and then each sends its next operation when the answer
//! to the last has been checked.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime};

use crate::connection::{Completion, Connections, Event, cpu_time};
use crate::fault::{Fault, FaultKind};
use crate::limits::{PREPARATIONS_MAX, RECONNECT_PAUSE_MS, TICK_MS};
use crate::op::Operation;
use crate::random::Random;
use crate::report::{Arrival, Gauges, OperationId, Recorder, Report, Sample, Setting};
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
    /// The command line, for the report.
    pub command: String,
    /// Where a histogram of each second goes.
    pub interval_log: Option<PathBuf>,
    /// Whether nobody wants to see progress.
    pub is_quiet: bool,
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
    /// What the times of the recorder count from.
    origin: Instant,
    recorder: Recorder,
    recorded: OperationId,
    next_interval: Option<Instant>,
    is_quiet: bool,
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
        let mut recorder = Recorder::new(Setting {
            scenario: operation.name().to_owned(),
            target: plan.target.to_string(),
            command: plan.command,
            arrival: Arrival::Closed,
            connections: count,
            started_at: SystemTime::now(),
        })
        .map_err(io::Error::other)?;
        let recorded = recorder
            .add_operation(operation.name())
            .map_err(io::Error::other)?;
        if let Some(path) = &plan.interval_log {
            recorder.log_intervals_to(Box::new(BufWriter::new(File::create(path)?)))?;
        }
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
            origin: now,
            recorder,
            recorded,
            next_interval: None,
            is_quiet: plan.is_quiet,
            out: Vec::new(),
        })
    }

    fn end(self) -> io::Result<Report> {
        let now_ns = self.ns(Instant::now());
        let gauges = self.gauges()?;
        self.recorder.finish(now_ns, gauges)
    }

    fn gauges(&self) -> io::Result<Gauges> {
        let is_open = |client: &&Client| {
            client.state.is_due() && client.state != ClientState::Connecting
                || client.state == ClientState::Resting
        };
        let open = self.clients.iter().filter(is_open).count();
        Ok(Gauges {
            connections: u32::try_from(open).map_err(io::Error::other)?,
            own_cpu: cpu_time()?,
        })
    }

    fn ns(&self, instant: Instant) -> u64 {
        u64::try_from(instant.duration_since(self.origin).as_nanos()).unwrap_or(u64::MAX)
    }

    /// Ends an interval of the report when a second is over.
    fn tick_recorder(&mut self, now: Instant) -> io::Result<()> {
        if let Some(due) = self.next_interval
            && now >= due
        {
            self.next_interval = Some(due + Duration::from_secs(1));
            let gauges = self.gauges()?;
            let interval = self.recorder.tick(self.ns(now), gauges)?;
            if !self.is_quiet {
                // Nobody is left to be told when standard error is closed.
                let _ = writeln!(io::stderr(), "{}", interval.line());
            }
        }
        Ok(())
    }

    /// Moves the run on: the next phase, late answers, connections to make.
    fn tick(&mut self, now: Instant) -> io::Result<Next> {
        self.give_up_late(now);
        self.tick_recorder(now)?;
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
                self.next_interval = Some(now);
                self.tick_recorder(now)?;
                self.recorder.stop(self.ns(now));
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
        let ready = u32::try_from(prepared).map_err(io::Error::other)?;
        self.recorder.start(self.ns(now), ready, cpu_time()?);
        self.next_interval = Some(now + Duration::from_secs(1));
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
        let since = client.since;
        let started_ns = self.ns(since);
        self.recorder.record(&Sample {
            operation: self.recorded,
            intended_ns: started_ns,
            started_ns,
            ended_ns: self.ns(now),
            sent_bytes: 0,
            received_bytes: 0,
        });
        let Some(client) = self.clients.get_mut(slot) else {
            return;
        };
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
        self.recorder
            .fail(Some(self.recorded), fault.kind.name(), &fault.example);
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
