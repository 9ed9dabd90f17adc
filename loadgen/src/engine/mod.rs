//! The loop: events of connections, timers and arrivals become steps of sessions.
//!
//! In a closed loop a session begins its next iteration when the last is over. In an open loop
//! iterations have their times beforehand; one that finds nobody free waits, and its time counts
//! from when it was meant to start.

mod arrivals;
mod client;
mod drive;
mod phase;
mod traffic;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use self::arrivals::Arrivals;
use self::client::Client;
use self::phase::Phase;
use crate::connection::{Completion, Connections, Event};
use crate::limits::{TICK_MS, TICKS_AHEAD, WHEEL_TICK_NS};
use crate::random::Random;
use crate::report::{OperationId, Recorder};
use crate::scenario::Protocol;
use crate::scenario::program::Program;
use crate::session::{Session, World};
use crate::tls::TlsSettings;
use crate::wheel::Wheel;

pub use self::arrivals::Arrival;
pub use self::phase::Window;

/// What connections of a role do.
#[derive(Debug)]
pub struct RolePlan {
    /// The steps.
    pub program: Program,
    /// What they speak.
    pub protocol: Protocol,
    /// Whether every iteration has a connection of its own.
    pub reconnect: bool,
    /// Whether it goes on by itself in an open loop.
    pub background: bool,
    /// How often an arrival is of this role, beside the other weights.
    pub weight: u32,
    /// The operation that a whole iteration is.
    pub whole: Option<OperationId>,
    /// The operation that a connect is.
    pub connect: Option<OperationId>,
    /// Where they connect to: the first of the targets, and how many.
    pub targets: (usize, usize),
}

/// Where connections lead.
#[derive(Debug)]
pub struct Network {
    /// Servers.
    pub targets: Vec<SocketAddr>,
    /// Addresses of ours to connect from, in turn.
    pub sources: Vec<IpAddr>,
    /// TLS, if any.
    pub tls: Option<TlsSettings>,
    /// Whether it begins with STARTTLS and not with the connection.
    pub has_start_tls: bool,
}

/// One connection to be: its role and its user.
#[derive(Clone, Copy, Debug)]
pub struct Seat {
    /// The place of the role.
    pub role: usize,
    /// The number of the user, counted from 0.
    pub user: u32,
}

/// What a run is made of.
pub struct Plan {
    /// Who does what.
    pub roles: Vec<RolePlan>,
    /// Every connection.
    pub seats: Vec<Seat>,
    /// Where to.
    pub network: Network,
    /// How iterations come.
    pub arrival: Arrival,
    /// How long to measure; without it every connection makes one iteration.
    pub window: Option<Duration>,
    /// How long an answer may take.
    pub reply_timeout: Duration,
    /// The operation of a change that a session in IDLE was told of.
    pub told: Option<OperationId>,
    /// Which choices are made.
    pub seed: u64,
}

/// A run under way.
pub struct Engine<'r> {
    connections: Connections,
    clients: Vec<Client>,
    roles: Vec<RolePlan>,
    network: Network,
    world: &'r mut World,
    recorder: &'r mut Recorder,
    wheel: Wheel,
    fired: Vec<u32>,
    arrivals: Arrivals,
    phase: Phase,
    window: Option<Duration>,
    reply_timeout_ns: u64,
    told: Option<OperationId>,
    origin: Instant,
    /// What a session wants sent, and its TLS records; kept for their capacity.
    out: Vec<u8>,
    records: Vec<u8>,
}

impl<'r> Engine<'r> {
    /// A run that has not begun. `origin` is where times count from.
    pub fn new(
        plan: Plan,
        world: &'r mut World,
        recorder: &'r mut Recorder,
        origin: Instant,
    ) -> io::Result<Self> {
        let count = u32::try_from(plan.seats.len()).unwrap_or(u32::MAX);
        let connections = Connections::new(count, &plan.network.targets, &plan.network.sources)?;
        let mut streams = 0..;
        let mut random = || Random::new(plan.seed, streams.next().unwrap_or(0));
        let arrivals = Arrivals::new(plan.arrival, &plan.roles, random());
        let mut clients = Vec::with_capacity(plan.seats.len());
        for seat in &plan.seats {
            let protocol = plan
                .roles
                .get(seat.role)
                .map_or(Protocol::Imap, |r| r.protocol);
            let session = Session::new(protocol, seat.user, random(), world);
            clients.push(Client::new(session, seat.role));
        }
        let now_ns = since(origin);
        Ok(Self {
            connections,
            clients,
            roles: plan.roles,
            network: plan.network,
            world,
            recorder,
            wheel: Wheel::new(WHEEL_TICK_NS, now_ns),
            fired: Vec::new(),
            arrivals,
            phase: Phase::new(),
            window: plan.window,
            reply_timeout_ns: nanoseconds(plan.reply_timeout),
            told: plan.told,
            origin,
            out: Vec::new(),
            records: Vec::new(),
        })
    }

    /// Runs to the end; `every_second` gets the progress line. The server's mistakes are in the
    /// recorder, an error is one of this side.
    pub fn run(&mut self, every_second: &mut dyn FnMut(&str)) -> io::Result<Window> {
        let tick_ns = TICK_MS * 1_000_000;
        let mut next_tick_ns = 0;
        loop {
            let now_ns = self.now_ns();
            if now_ns >= next_tick_ns {
                next_tick_ns = now_ns + tick_ns;
                if let Some(window) = self.tick(now_ns, every_second)? {
                    return Ok(window);
                }
            }
            self.turn(now_ns);
            self.arrive(now_ns);
            let wake_ns = [self.wheel.next_ns(TICKS_AHEAD), self.arrivals.next_ns()]
                .into_iter()
                .flatten()
                .fold(next_tick_ns, u64::min);
            let timeout = wake_ns.saturating_sub(self.now_ns());
            self.connections.wait(Duration::from_nanos(timeout))?;
            while let Some(completion) = self.connections.next() {
                self.handle(completion);
            }
        }
    }

    /// Fires the timers that are due.
    fn turn(&mut self, now_ns: u64) {
        let mut fired = std::mem::take(&mut self.fired);
        self.wheel.turn(now_ns, &mut fired);
        for client in fired.drain(..) {
            self.fire(client, now_ns);
        }
        self.fired = fired;
    }

    fn handle(&mut self, Completion { slot, event }: Completion) {
        let now_ns = self.now_ns();
        match event {
            Event::Connected => self.connected(slot, now_ns),
            Event::Received(buffer) => {
                let bytes = self.connections.bytes(&buffer).len();
                self.count_received(slot, bytes);
                let result = self.received(slot, &buffer, now_ns);
                self.connections.give_back(buffer);
                match result {
                    Ok(progress) => self.progress(slot, progress, now_ns),
                    Err(fault) => self.fail(slot, &fault, now_ns),
                }
            }
            Event::Ended => self.ended(slot, now_ns),
            Event::Failed(error) => self.refused(slot, &error, now_ns),
            Event::Released => self.released(slot, now_ns),
        }
        self.tell(now_ns);
    }

    fn now_ns(&self) -> u64 {
        since(self.origin)
    }

    fn client(&mut self, slot: u32) -> Option<&mut Client> {
        self.clients.get_mut(usize::try_from(slot).ok()?)
    }

    fn role(&self, slot: u32) -> Option<&RolePlan> {
        let client = self.clients.get(usize::try_from(slot).ok()?)?;
        self.roles.get(client.role)
    }
}

/// Nanoseconds since `origin`.
pub fn since(origin: Instant) -> u64 {
    nanoseconds(origin.elapsed())
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
