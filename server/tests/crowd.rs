//! Many sessions in one mailbox at random, over the shards; nobody sees an impossible sequence.
//!
//! `CROWD_SECONDS` (10) and `CROWD_SESSIONS` (200) set the size, `TEST_SEED` repeats a run.

mod crowding;
mod dialogue;
mod harness;

use crowding::ledger::Mark;
use crowding::member::{Crowd, Member, Trouble};
use crowding::random::Random;
use harness::client::{Client, string_after};
use harness::server::{Server, is_corepost};
use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Each member has a thread with this much stack.
const STACK_BYTES: usize = 512 * 1024;

type Row = (u32, BTreeSet<String>, u64);

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name)
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(default)
}

fn crowd_on(server: &Server) -> Crowd {
    server.add_account("crowd@localhost", "secret");
    Crowd {
        address: server.addresses.imap.clone(),
        account: "crowd@localhost".into(),
        password: "secret".into(),
        ledger: Mutex::default(),
    }
}

/// What stops the crowd, and what it complained about.
struct Course {
    end: Instant,
    crashes: bool,
    failed: AtomicBool,
    complaints: Mutex<Vec<String>>,
}

impl Course {
    fn new(seconds: u64, crashes: bool) -> Self {
        let end = Instant::now() + Duration::from_secs(seconds);
        Self {
            end,
            crashes,
            failed: AtomicBool::new(false),
            complaints: Mutex::default(),
        }
    }

    fn complain(&self, text: String) {
        self.failed.store(true, Ordering::Relaxed);
        self.complaints.lock().expect("no poison").push(text);
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.end && !self.failed.load(Ordering::Relaxed)
    }
}

/// One member's life; after the end it still has its session.
fn live(crowd: &Crowd, course: &Course, number: usize, seed: u64) -> Option<Member> {
    let mut member = match Member::join(crowd, number, seed) {
        Ok(member) => member,
        Err(trouble) => {
            course.complain(format!("session {number} cannot join: {trouble:?}"));
            return None;
        }
    };
    while course.goes_on() {
        let mut outcome = member.act(crowd);
        while course.crashes && matches!(outcome, Err(Trouble::Gone)) && course.goes_on() {
            outcome = member.rejoin(crowd);
        }
        if let Err(trouble) = outcome {
            course.complain(format!("session {number}: {trouble:?}"));
            return None;
        }
    }
    Some(member)
}

/// Runs the crowd; `interrupt` is called once in its middle.
fn run(crowd: &Crowd, course: &Course, seed: u64, mut interrupt: impl FnMut()) -> Vec<Member> {
    let sessions = setting("CROWD_SESSIONS", 200) as usize;
    let mut members = Vec::new();
    std::thread::scope(|scope| {
        let spawn = |number| {
            std::thread::Builder::new()
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || live(crowd, course, number, seed))
                .expect("a thread")
        };
        let threads: Vec<_> = (0..sessions).map(spawn).collect();
        std::thread::sleep(course.end.saturating_duration_since(Instant::now()) / 2);
        interrupt();
        for thread in threads {
            match thread.join() {
                Ok(member) => members.extend(member),
                Err(_) => course.complain("a session failed, see above".into()),
            }
        }
    });
    members
}

/// All sessions and a fresh one must agree; returns what the fresh one saw.
fn compare(crowd: &Crowd, course: &Course, members: &mut [Member], seed: u64) -> Vec<Row> {
    let mut truth = None;
    let fresh = Member::join(crowd, usize::MAX / 2, seed);
    match fresh.and_then(|mut fresh| fresh.table(crowd)) {
        Ok(table) => truth = Some(table),
        Err(trouble) => course.complain(format!("the fresh session: {trouble:?}")),
    }
    let truth = truth.unwrap_or_default();
    for member in members {
        if let Err(trouble) = member.settle(crowd) {
            course.complain(format!("session {} at the end: {trouble:?}", member.number));
            continue;
        }
        for (known, row) in member.mirror.messages.iter().zip(&truth) {
            let stale = known.flags.as_ref().is_some_and(|flags| *flags != row.1)
                || (known.mod_seq != 0 && known.mod_seq != row.2)
                || known.uid != Some(row.0);
            if stale {
                course.complain(format!(
                    "session {} knows {known:?}, not {row:?}",
                    member.number
                ));
            }
        }
        match member.table(crowd) {
            Ok(table) if table == truth => {}
            Ok(table) => {
                let differs = table.iter().zip(&truth).find(|(a, b)| a != b);
                let counts = (table.len(), truth.len());
                course.complain(format!("session {}: {counts:?} {differs:?}", member.number));
            }
            Err(trouble) => course.complain(format!("session {}: {trouble:?}", member.number)),
        }
    }
    truth
}

/// Compares the mailbox with everything that was ever acknowledged.
fn audit(crowd: &Crowd, course: &Course, truth: &[Row]) {
    let mut client = Client::login(&crowd.address, &crowd.account, &crowd.password);
    client.select("INBOX");
    let answer = client
        .run("UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        .ok();
    let mut found: Vec<(u32, Mark, BTreeSet<String>, u64)> = Vec::new();
    for (line, row) in answer
        .untagged
        .iter()
        .filter(|l| l.windows(5).any(|w| w == b"FETCH"))
        .zip(truth)
    {
        let subject = string_after(line, "(SUBJECT)]").unwrap_or_default();
        let subject = String::from_utf8_lossy(&subject);
        let mark = subject.trim().trim_start_matches("Subject: ").to_string();
        found.push((row.0, mark, row.1.clone(), row.2));
    }
    if found.len() != truth.len() {
        course.complain(format!(
            "{} subjects for {} messages",
            found.len(),
            truth.len()
        ));
    }
    let ledger = crowd.ledger.lock().expect("no poison");
    ledger
        .audit(&found)
        .into_iter()
        .for_each(|complaint| course.complain(complaint));
    println!(
        "{} stored, {} expunged, {} left",
        ledger.stored.len(),
        ledger.gone.len(),
        truth.len()
    );
}

fn conclude(crowd: &Crowd, course: &Course, mut members: Vec<Member>, seed: u64) {
    let commands: u64 = members.iter().map(|member| member.commands).sum();
    if !course.failed.load(Ordering::Relaxed) {
        let truth = compare(crowd, course, &mut members, seed);
        audit(crowd, course, &truth);
    }
    println!(
        "seed {seed}: {} sessions, {commands} commands",
        members.len()
    );
    let complaints = course.complaints.lock().expect("no poison");
    let first: Vec<&String> = complaints.iter().take(12).collect();
    assert!(
        complaints.is_empty(),
        "seed {seed}: {} complaints: {first:#?}",
        complaints.len()
    );
    assert!(commands > 100, "hardly anything ran");
}

/// How many connections each shard holds.
fn print_spread(server: &Server) {
    if !is_corepost() {
        return;
    }
    let mut stream = TcpStream::connect(&server.addresses.admin).expect("the admin address");
    let request = "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("a request");
    let mut text = String::new();
    stream.read_to_string(&mut text).expect("an answer");
    text.lines()
        .filter(|line| line.starts_with("corepost_shard_connections{"))
        .for_each(|line| println!("{line}"));
}

#[test]
fn a_crowd_in_one_mailbox_agrees() {
    let seed = Random::seed();
    println!("seed {seed}");
    let server = Server::start("crowd", 2);
    let crowd = crowd_on(&server);
    let course = Course::new(setting("CROWD_SECONDS", 10), false);
    let members = run(&crowd, &course, seed, || print_spread(&server));
    conclude(&crowd, &course, members, seed);
}

#[test]
fn a_crowd_survives_a_kill_in_the_middle() {
    if !is_corepost() {
        println!("SKIPPED: a stand-in cannot be killed in one blow");
        return;
    }
    let seed = Random::seed();
    println!("seed {seed}");
    let mut server = Server::start("crowd-kill", 2);
    let crowd = crowd_on(&server);
    let course = Course::new(setting("CROWD_SECONDS", 10), true);
    let members = run(&crowd, &course, seed, || {
        server.kill();
        crowd.ledger.lock().expect("no poison").forget_recent();
        server.restart();
    });
    conclude(&crowd, &course, members, seed);
}
