//! What a client hears while its command takes long: the disk of a simulated server stands still
//! for 47 seconds, and the client notes every line.

mod simulation;

use std::rc::Rc;
use std::time::Duration;

use corepost::limits::CHANGES_WAITING_MAX;
use corepost::net::stream::Connection;
use corepost::runtime::simulated::{SimulatedStream, Simulation};
use corepost::runtime::{Peer, Runtime, Stream};
use corepost::session;
use simulation::{Accounts, World, accounts, open_shards};
use storage_engine::disk::sim::SimDisk;
use storage_engine::request::{Actor, Operation};

/// For so long the disk does nothing: 4 periods of 10 s, 3 of INPROGRESS's 15 s.
const STANDS_STILL: Duration = Duration::from_secs(47);

struct Client {
    stream: SimulatedStream,
    input: Vec<u8>,
}

impl Client {
    async fn line(&mut self) -> String {
        loop {
            if let Some(end) = self.input.windows(2).position(|pair| pair == b"\r\n") {
                let line: Vec<u8> = self.input.drain(..end + 2).collect();
                return String::from_utf8_lossy(&line[..end]).into_owned();
            }
            let read = self.stream.read_into(&mut self.input).await.unwrap();
            assert_ne!(read, 0, "the server closed the connection");
        }
    }

    async fn send(&mut self, text: &str) {
        self.stream.write_all(text.as_bytes()).await.unwrap();
    }

    /// All lines up to the tagged one.
    async fn answer(&mut self, tag: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.line().await;
            let is_last = line.starts_with(tag) && line.as_bytes().get(tag.len()) == Some(&b' ');
            lines.push(line);
            if is_last {
                return lines;
            }
        }
    }

    async fn run(&mut self, tag: &str, command: &str) -> Vec<String> {
        self.send(&format!("{tag} {command}\r\n")).await;
        self.answer(tag).await
    }
}

/// What the client reads from the command to its end.
fn heard(accounts: &Rc<Accounts>, seed: u64, running_s: u64, command: &str) -> Vec<String> {
    let simulation = Rc::new(Simulation::new(seed));
    let (world, known) = (simulation.clone(), accounts.clone());
    let command = command.to_owned();
    let main = async move {
        let of = World {
            disk: SimDisk::new(seed),
            shards: 2,
            changes_waiting_max: CHANGES_WAITING_MAX,
            // So that SEARCH must ask the disk.
            body_cache_bytes: 0,
            running_s,
        };
        let shards = open_shards(&world, &known, &of).await;
        let mailboxes = Vec::new();
        let create = Operation::CreateAccount { mailboxes };
        let created = shards[0].request(known.account, Actor::System, create);
        created.await.unwrap();
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1000));
        let (stream, server) = world.connect_pair(Peer::tcp(address));
        let serve = session::serve(shards[1].clone(), Connection::plain(server), ());
        shards[1].runtime().spawn(serve);
        let input = Vec::new();
        let mut client = Client { stream, input };
        client.line().await;
        client.run("a", "LOGIN user@localhost secret").await;
        for number in 0..3 {
            let message = format!("Subject: {number}\r\n\r\nthe body\r\n");
            let append = format!("APPEND INBOX {{{}+}}\r\n{message}", message.len());
            client.run("b", &append).await;
        }
        client.run("c", "SELECT INBOX").await;
        of.disk.hold();
        let (runtime, disk) = (shards[0].runtime().clone(), of.disk.clone());
        let waiting = runtime.clone();
        runtime.spawn(async move {
            waiting.sleep(STANDS_STILL).await;
            disk.release();
        });
        let began = runtime.now();
        let lines = client.run("d", &command).await;
        let taken = runtime.now() - began;
        assert!(
            lines.last().unwrap().starts_with("d OK"),
            "{command}: {lines:?}"
        );
        (lines, taken >= STANDS_STILL)
    };
    let ran = simulation.run_until(main);
    let (lines, waited) = ran.unwrap_or_else(|stalled| panic!("seed {seed}: {stalled:?}"));
    assert!(waited, "{lines:?}");
    lines
}

/// Neither is ever inside another response: every line is one that stands for itself.
fn count(lines: &[String]) -> (usize, usize) {
    let running = lines.iter().filter(|line| *line == "* OK Running").count();
    let is_progress = |line: &&String| line.starts_with("* OK [INPROGRESS (\"d\" ");
    let progress: Vec<_> = lines.iter().filter(is_progress).collect();
    let ends = |line: &&String| line.ends_with(")] Still at it");
    assert!(progress.iter().all(ends), "{lines:?}");
    (running, progress.len())
}

const SLOW: [&str; 7] = [
    "APPEND INBOX {5+}\r\nx: y\n",
    "COPY 1:2 INBOX",
    "UID COPY 1 INBOX",
    "MOVE 1 INBOX",
    "UID MOVE 2:3 INBOX",
    "SEARCH TEXT body",
    "UID SEARCH TEXT body",
];

#[test]
fn a_client_whose_command_takes_long_hears_so_each_period() {
    let accounts = Rc::new(accounts());
    for (seed, command) in (1..).zip(SLOW) {
        let lines = heard(&accounts, seed, 10, command);
        assert_eq!(count(&lines), (4, 3), "{command}: {lines:#?}");
    }
}

#[test]
fn without_a_period_it_hears_of_progress_only() {
    let accounts = Rc::new(accounts());
    for (seed, command) in (1..).zip(SLOW) {
        let lines = heard(&accounts, seed, 0, command);
        assert_eq!(count(&lines), (0, 3), "{command}: {lines:#?}");
    }
    let lines = heard(&accounts, 9, 0, "COPY 1:2 INBOX");
    let told = "* OK [INPROGRESS (\"d\" 0 2)] Still at it";
    assert_eq!(lines[0], told, "{lines:#?}");
    let lines = heard(&accounts, 9, 0, "SEARCH TEXT body");
    assert!(lines[0].ends_with(" 3)] Still at it"), "{lines:#?}");
}

#[test]
fn other_commands_are_as_silent_as_ever() {
    let accounts = Rc::new(accounts());
    for command in ["STORE 1 +FLAGS (word)", "FETCH 1 BODY.PEEK[]", "CREATE x"] {
        let lines = heard(&accounts, 5, 10, command);
        assert_eq!(count(&lines), (0, 0), "{command}: {lines:#?}");
    }
}
