//! From a scenario and the command line to a run and its report.

use std::fs;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant, SystemTime};

use crate::connection::{cpu_time, open_files_max};
use crate::engine::{Arrival, Engine, Network, Plan, RolePlan, Seat, since};
use crate::limits::FILES_BESIDE;
use crate::options::{Options, TlsKind};
use crate::report::{self, Gauges, OperationId, Recorder, Report, Setting};
use crate::scenario::program::Program;
use crate::scenario::{Protocol, Role, Scenario, Size, Span, Step, shipped};
use crate::session::{Users, World};
use crate::tls::{TlsSettings, Trust};

/// The scenario of that name, or in that file, as the command line changes it.
pub fn scenario(name: &str, options: &Options) -> io::Result<Scenario> {
    let text = match shipped(name) {
        Some(text) => text.to_owned(),
        None => fs::read_to_string(name)
            .map_err(|error| io::Error::other(format!("{name}: {error}")))?,
    };
    let mut scenario =
        Scenario::parse(&text).map_err(|error| io::Error::other(format!("{name}: {error}")))?;
    let load = &mut scenario.load;
    load.connections = options.connections.unwrap_or(load.connections);
    load.users = options.users.unwrap_or(load.users);
    load.duration_s = options.duration_s.unwrap_or(load.duration_s);
    load.rate_per_s = options.rate.or(load.rate_per_s);
    load.gaps = options.gaps.unwrap_or(load.gaps);
    let is_one_user = !options.user.contains("{}");
    if is_one_user {
        load.users = 1;
    } else if load.users == 0 {
        load.users = load.connections;
    }
    let mailbox = &mut scenario.mailbox;
    mailbox.messages = options.messages.unwrap_or(mailbox.messages);
    if let Some(name) = &options.mailbox {
        mailbox.name.clone_from(name);
    }
    if let Some(bytes) = options.message_bytes {
        let bytes = Span::exactly(u64::from(bytes));
        mailbox.sizes = vec![Size { bytes, weight: 1 }];
    }
    if let Some(count) = options.recipients {
        for step in scenario.roles.iter_mut().flat_map(|role| &mut role.steps) {
            if let Step::Deliver { recipients } = step {
                *recipients = Span::exactly(count);
            }
        }
    }
    Ok(scenario)
}

/// Fills the mailboxes, and unless `is_preparation`, runs the scenario; tells what came of it.
pub fn run(
    name: &str,
    scenario: &Scenario,
    options: &Options,
    is_preparation: bool,
) -> io::Result<Report> {
    check_open_files(scenario.load.connections)?;
    let origin = Instant::now();
    let mut recorder = Recorder::new(setting(name, scenario, options)).map_err(io::Error::other)?;
    let mut operations = Operations::default();
    let roles = roles(scenario, options, &mut recorder, &mut operations)?;
    let told = scenario
        .any_step(&|step| *step == Step::Notify)
        .then(|| operations.get("told", &mut recorder))
        .transpose()?;
    let mut world = world(scenario, options);
    // A server of LMTP alone cannot be asked what its mailboxes hold.
    let has_imap = !options.lmtp_target.is_empty()
        || scenario
            .roles
            .iter()
            .any(|role| role.protocol == Protocol::Imap);
    let needs_messages = world.needs_messages && has_imap;
    if is_preparation || (!options.no_prepare && needs_messages) {
        world.needs_messages = true;
        let plan = preparation(scenario, options)?;
        Engine::new(plan, &mut world, &mut recorder, origin)?.run(&mut |_| {})?;
        world.needs_messages = needs_messages;
    }
    if !is_preparation {
        if let Some(path) = &options.interval_log {
            let sink = io::BufWriter::new(fs::File::create(path)?);
            recorder.log_intervals_to(Box::new(sink))?;
        }
        let plan = Plan {
            roles,
            seats: seats(scenario),
            network: network(options)?,
            arrival: arrival(scenario),
            window: Some(Duration::from_secs(scenario.load.duration_s)),
            reply_timeout: Duration::from_secs(options.reply_timeout_s),
            told,
            seed: options.seed,
        };
        let mut line = |text: &str| {
            if !options.quiet {
                // A closed standard error is no reason to end a run.
                let _ = writeln!(io::stderr(), "{text}");
            }
        };
        let mut engine = Engine::new(plan, &mut world, &mut recorder, origin)?;
        let window = engine.run(&mut line)?;
        if window.late > 0 {
            line(&format!(
                "{} arrivals had to wait for a connection that was free",
                window.late
            ));
        }
    }
    let gauges = Gauges {
        connections: 0,
        own_cpu: cpu_time()?,
    };
    recorder.finish(since(origin), gauges)
}

fn world(scenario: &Scenario, options: &Options) -> World {
    let users = Users {
        pattern: options.user.clone(),
        password: options.password.clone(),
        first: options.first_user,
        count: scenario.load.users,
    };
    let mut world = World::new(users, scenario.mailbox.clone(), options.seed);
    world.has_start_tls = options.tls == TlsKind::Starttls;
    world.needs_messages =
        scenario.mailbox.messages > 0 || scenario.any_step(&Step::needs_messages);
    world.needs_numbers = scenario.any_step(&|step| matches!(step, Step::Search { .. }));
    world.needs_capabilities = scenario.any_step(&Step::needs_capabilities) || world.needs_messages;
    world
}

fn setting(name: &str, scenario: &Scenario, options: &Options) -> Setting {
    Setting {
        scenario: name.to_owned(),
        target: options.target.join(","),
        command: crate::options::shown(std::env::args()),
        arrival: match scenario.load.rate_per_s {
            Some(rate_per_s) => report::Arrival::Open { rate_per_s },
            None => report::Arrival::Closed,
        },
        connections: scenario.load.connections,
        started_at: SystemTime::now(),
    }
}

fn arrival(scenario: &Scenario) -> Arrival {
    match scenario.load.rate_per_s {
        Some(rate_per_s) => Arrival::Open {
            rate_per_s,
            gaps: scenario.load.gaps,
        },
        None => Arrival::Closed,
    }
}

/// The operations of a recorder by name, in the order in which the scenario has them.
#[derive(Default)]
struct Operations(Vec<(String, OperationId)>);

impl Operations {
    fn get(&mut self, name: &str, recorder: &mut Recorder) -> io::Result<OperationId> {
        if let Some((_, id)) = self.0.iter().find(|(known, _)| known == name) {
            return Ok(*id);
        }
        let id = recorder.add_operation(name).map_err(io::Error::other)?;
        self.0.push((name.to_owned(), id));
        Ok(id)
    }
}

fn roles(
    scenario: &Scenario,
    options: &Options,
    recorder: &mut Recorder,
    operations: &mut Operations,
) -> io::Result<Vec<RolePlan>> {
    let mut plans = Vec::new();
    for role in &scenario.roles {
        let connect = (role.reconnect && role.measure_as.is_none())
            .then(|| operations.get("connect", recorder))
            .transpose()?;
        let whole = role
            .measure_as
            .as_ref()
            .map(|name| operations.get(name, recorder))
            .transpose()?;
        plans.push(RolePlan {
            program: Program::new(role, |name| operations.get(name, recorder))?,
            protocol: role.protocol,
            reconnect: role.reconnect,
            background: role.background,
            weight: role.weight,
            whole,
            connect,
            targets: match role.protocol {
                Protocol::Lmtp if !options.lmtp_target.is_empty() => {
                    (options.target.len(), options.lmtp_target.len())
                }
                _ => (0, options.target.len()),
            },
        });
    }
    Ok(plans)
}

/// Every connection's role and user. Fixed counts come first; the rest is dealt by weight, so
/// that roles are mixed over users.
fn seats(scenario: &Scenario) -> Vec<Seat> {
    let connections = usize::try_from(scenario.load.connections).unwrap_or(usize::MAX);
    let mut roles = Vec::new();
    for (place, role) in scenario.roles.iter().enumerate() {
        let count = usize::try_from(role.count.unwrap_or(0)).unwrap_or(usize::MAX);
        roles.extend(std::iter::repeat_n(
            place,
            count.min(connections - roles.len()),
        ));
    }
    let weight = |role: &Role| match role.count {
        Some(_) => 0,
        None => i64::from(role.weight),
    };
    let total: i64 = scenario.roles.iter().map(weight).sum();
    // Whoever has waited longest for its share is next.
    let mut credits = vec![0_i64; scenario.roles.len()];
    while roles.len() < connections && total > 0 {
        for (credit, role) in credits.iter_mut().zip(&scenario.roles) {
            *credit += weight(role);
        }
        let richest =
            (0..credits.len()).max_by_key(|place| (credits.get(*place), usize::MAX - place));
        let Some(place) = richest else {
            break;
        };
        if let Some(credit) = credits.get_mut(place) {
            *credit -= total;
        }
        roles.push(place);
    }
    let users = scenario.load.users.max(1);
    roles
        .into_iter()
        .zip(0..)
        .map(|(role, number): (usize, u32)| Seat {
            role,
            user: number % users,
        })
        .collect()
}

/// One connection for each user that has a mailbox: what is missing of it is appended.
fn preparation(scenario: &Scenario, options: &Options) -> io::Result<Plan> {
    let role = Role {
        name: "preparation".to_owned(),
        protocol: Protocol::Imap,
        count: None,
        weight: 1,
        reconnect: true,
        background: false,
        measure_as: Some("preparation".to_owned()),
        setup: Vec::new(),
        steps: vec![Step::Login, Step::Select, Step::Fill, Step::Logout],
    };
    // With a name for the whole, no step is an operation of its own, and none is asked for.
    let program = Program::new(&role, |name| Err(io::Error::other(name.to_owned())))?;
    let users = scenario.load.users.min(scenario.load.connections).max(1);
    Ok(Plan {
        roles: vec![RolePlan {
            program,
            protocol: Protocol::Imap,
            reconnect: true,
            background: false,
            weight: 1,
            whole: None,
            connect: None,
            targets: (0, options.target.len()),
        }],
        seats: (0..users).map(|user| Seat { role: 0, user }).collect(),
        network: network(options)?,
        arrival: Arrival::Closed,
        window: None,
        reply_timeout: Duration::from_secs(options.reply_timeout_s),
        told: None,
        seed: options.seed,
    })
}

fn network(options: &Options) -> io::Result<Network> {
    let mut targets = Vec::new();
    for target in options.target.iter().chain(&options.lmtp_target) {
        targets.push(resolve(target)?);
    }
    let tls = match options.tls {
        TlsKind::None => None,
        TlsKind::Implicit | TlsKind::Starttls => {
            let first = options.target.first().map_or("", String::as_str);
            let host = first.rsplit_once(':').map_or(first, |(host, _)| host);
            let trust = match (&options.ca, options.insecure) {
                (Some(path), _) => Trust::Authorities(path),
                (None, true) => Trust::Anybody,
                (None, false) => {
                    return Err(io::Error::other(
                        "TLS wants --ca FILE, or --insecure to believe any certificate",
                    ));
                }
            };
            Some(TlsSettings::new(host.trim_matches(['[', ']']), trust)?)
        }
    };
    Ok(Network {
        targets,
        sources: options
            .source
            .iter()
            .flat_map(|range| range.0.clone())
            .collect(),
        tls,
        has_start_tls: options.tls == TlsKind::Starttls,
    })
}

fn resolve(target: &str) -> io::Result<SocketAddr> {
    target
        .to_socket_addrs()
        .map_err(|error| io::Error::other(format!("{target}: {error}")))?
        .next()
        .ok_or_else(|| io::Error::other(format!("{target} has no address")))
}

fn check_open_files(connections: u32) -> io::Result<()> {
    let limit = open_files_max()?;
    let wanted = u64::from(connections) + FILES_BESIDE;
    if limit < wanted {
        return Err(io::Error::other(format!(
            "{connections} connections need {wanted} open files, and the limit is {limit}: \
             raise it (ulimit -n)"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
