//! Sessions, router, shards and store, whole, in one seeded simulation: several clients work in one
//! mailbox from different shards, see no impossible sequence, and agree in the end.
//!
//! `SIMULATION_SEEDS` (60) says how many seeds, `TEST_SEED` repeats one.

mod simulation;

use std::rc::Rc;

use corepost::limits::CHANGES_WAITING_MAX;
use corepost::net::stream::Connection;
use corepost::runtime::simulated::{SimulatedStream, Simulation};
use corepost::runtime::{Peer, Runtime, Stream};
use corepost::session;
use simulation::{Accounts, Sim, World, accounts};
use storage_engine::disk::sim::SimDisk;
use storage_engine::recovery::Options as StoreOptions;
use storage_engine::request::{Actor, Operation};

const CLIENTS: usize = 4;
const COMMANDS: usize = 25;

async fn open_shards(
    simulation: &Rc<Simulation>,
    accounts: &Rc<Accounts>,
    seed: u64,
    changes_waiting_max: usize,
) -> Vec<Sim> {
    let world = World {
        disk: SimDisk::new(seed),
        shards: 1 + usize::try_from(seed % 3).unwrap(),
        changes_waiting_max,
        body_cache_bytes: StoreOptions::default().body_cache_bytes,
        running_s: 0,
    };
    simulation::open_shards(simulation, accounts, &world).await
}

/// A client that believes what it is told, and nothing else.
struct Client {
    stream: SimulatedStream,
    input: Vec<u8>,
    tag: u32,
    /// How many messages it knows of.
    exists: u32,
    /// UIDs that it was told, by position; `None` where it was not.
    uids: Vec<Option<u32>>,
}

impl Client {
    async fn connect(simulation: &Simulation, shard: &Sim, select: &str) -> Client {
        let address = std::net::SocketAddr::from(([127, 0, 0, 1], 1000));
        let (client, server) = simulation.connect_pair(Peer::tcp(address));
        shard
            .runtime()
            .spawn(session::serve(shard.clone(), Connection::plain(server), ()));
        let mut client = Client {
            stream: client,
            input: Vec::new(),
            tag: 0,
            exists: 0,
            uids: Vec::new(),
        };
        client.line().await;
        client.run("LOGIN user@localhost secret").await;
        client.run(select).await;
        client
    }

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

    /// Sends a command, checks every answer against what the client knows, returns the tagged one.
    async fn run(&mut self, command: &str) -> String {
        self.tag += 1;
        let tag = format!("t{}", self.tag);
        let bytes = format!("{tag} {command}\r\n");
        self.stream.write_all(bytes.as_bytes()).await.unwrap();
        loop {
            let line = self.line().await;
            match line.strip_prefix("* ") {
                Some(untagged) => self.untagged(untagged, command),
                None if line.starts_with(&tag) => {
                    assert!(!line.contains(" BAD "), "{command}: {line}");
                    return line;
                }
                None => panic!("neither tagged nor untagged: {line}"),
            }
        }
    }

    fn untagged(&mut self, line: &str, command: &str) {
        let mut words = line.split(' ');
        let Some(Ok(number)) = words.next().map(str::parse::<u32>) else {
            return;
        };
        match words.next() {
            Some("EXISTS") => {
                assert!(number >= self.exists, "EXISTS went down without EXPUNGE");
                self.exists = number;
                self.uids.resize(usize::try_from(number).unwrap(), None);
            }
            Some("EXPUNGE") => {
                let held = ["FETCH", "STORE", "SEARCH"];
                assert!(
                    !held.iter().any(|verb| command.starts_with(verb)),
                    "EXPUNGE in {command}"
                );
                assert!(
                    (1..=self.exists).contains(&number),
                    "EXPUNGE {number} of {}",
                    self.exists
                );
                self.exists -= 1;
                self.uids.remove(usize::try_from(number - 1).unwrap());
            }
            Some("FETCH") => {
                assert!(
                    (1..=self.exists).contains(&number),
                    "FETCH {number} of {}",
                    self.exists
                );
                if let Some(uid) = line.split("UID ").nth(1) {
                    let uid = uid.split([' ', ')']).next().unwrap().parse().unwrap();
                    let known = &mut self.uids[usize::try_from(number - 1).unwrap()];
                    assert!(
                        known.is_none_or(|known| known == uid),
                        "message {number} changed"
                    );
                    *known = Some(uid);
                }
            }
            _ => {}
        }
    }

    async fn random_command(&mut self, choice: u64) {
        let number = choice / 16 % u64::from(self.exists.max(1)) + 1;
        match choice % 16 {
            0..4 => {
                let message = format!("Subject: {choice}\r\n\r\nbody\r\n");
                let command = format!("APPEND INBOX {{{}+}}\r\n{message}", message.len());
                self.run(&command).await;
            }
            4..8 if self.exists > 0 => {
                let flag = ["\\Deleted", "\\Seen", "\\Flagged", "word"];
                let flag = flag[usize::try_from(choice / 16 % 4).unwrap()];
                self.run(&format!("STORE {number} +FLAGS ({flag})")).await;
            }
            8..10 => drop(self.run("EXPUNGE").await),
            10..12 if self.exists > 0 => {
                drop(self.run(&format!("FETCH {number} (UID FLAGS)")).await)
            }
            12 if self.exists > 0 => drop(self.run(&format!("MOVE {number} INBOX")).await),
            13 => drop(self.run("UID FETCH 1:* (FLAGS)").await),
            14 => drop(self.run("SEARCH UNDELETED").await),
            _ => drop(self.run("NOOP").await),
        }
    }

    /// Everything it can see, after it has been told everything.
    async fn agreed(&mut self) -> Vec<Option<u32>> {
        self.run("NOOP").await;
        self.run("UID FETCH 1:* (FLAGS)").await;
        self.uids.clone()
    }
}

/// Runs one seed; the digest of its order of events.
fn run(seed: u64, accounts: &Rc<Accounts>, changes_waiting_max: usize) -> u64 {
    let simulation = Rc::new(Simulation::new(seed));
    let (world, known) = (simulation.clone(), accounts.clone());
    let main = async move {
        let shards = open_shards(&world, &known, seed, changes_waiting_max).await;
        let create = Operation::CreateAccount {
            mailboxes: Vec::new(),
        };
        shards[0]
            .request(known.account, Actor::System, create)
            .await
            .unwrap();
        let (done, finished) = async_channel::bounded(CLIENTS);
        for number in 0..CLIENTS {
            let (world, done) = (world.clone(), done.clone());
            let shard = shards[number % shards.len()].clone();
            shard.clone().runtime().spawn(async move {
                let mut client = Client::connect(&world, &shard, "SELECT INBOX").await;
                for _ in 0..COMMANDS {
                    client.random_command(world.random_u64()).await;
                }
                done.send(client).await.unwrap();
            });
        }
        drop(done);
        let mut views = Vec::new();
        let mut clients = Vec::new();
        while let Ok(client) = finished.recv().await {
            clients.push(client);
        }
        assert_eq!(clients.len(), CLIENTS, "a client or its session panicked");
        for client in &mut clients {
            views.push(client.agreed().await);
        }
        assert!(views.iter().all(|view| *view == views[0]), "{views:?}");
        assert!(views[0].iter().all(Option::is_some), "{views:?}");
        for client in &mut clients {
            client.run("LOGOUT").await;
        }
    };
    simulation
        .run_until(main)
        .unwrap_or_else(|stalled| panic!("seed {seed}: {stalled:?}"));
    simulation.trace()
}

/// The seeds to run, with the number that bounds them unless the environment says otherwise.
fn seeds(most: u64) -> std::ops::Range<u64> {
    let number = |name: &str| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    match number("TEST_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SIMULATION_SEEDS").unwrap_or(most),
    }
}

#[test]
fn clients_on_different_shards_agree_whatever_the_order() {
    let accounts = Rc::new(accounts());
    for seed in seeds(60) {
        println!("seed {seed}");
        run(seed, &accounts, CHANGES_WAITING_MAX);
    }
}

/// Such a core used to end its sessions. Here every change, or every second one, is one too many.
#[test]
fn sessions_of_a_core_that_misses_changes_go_on_and_agree() {
    let accounts = Rc::new(accounts());
    for seed in seeds(60) {
        println!("seed {seed}");
        run(seed, &accounts, usize::from(seed % 2 == 0));
    }
}

/// What a client that changes nothing reads: every kind of answer that comes from the store.
const READING: [&str; 9] = [
    "FETCH 1:* (FLAGS UID INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE MODSEQ)",
    "FETCH 1:* (BODY.PEEK[] BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT]<2.3>)",
    "UID FETCH 2:* (FLAGS)",
    "UID SEARCH RETURN (ALL COUNT) TEXT body",
    "SEARCH OR SUBJECT 3 LARGER 20",
    "STATUS INBOX (MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ)",
    "LIST \"\" * RETURN (SUBSCRIBED CHILDREN STATUS (MESSAGES))",
    "LSUB \"\" *",
    "NOOP",
];

impl Client {
    /// Every byte of the answers to [`READING`].
    async fn read_everything(&mut self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (number, command) in READING.iter().enumerate() {
            let tag = format!("r{number}");
            let line = format!("{tag} {command}\r\n");
            self.stream.write_all(line.as_bytes()).await.unwrap();
            let end = format!("\r\n{tag} OK completed\r\n");
            let ended = |input: &[u8]| {
                let input = [b"\r\n", input].concat();
                input.ends_with(end.as_bytes())
            };
            while !ended(&self.input) {
                let read = self.stream.read_into(&mut self.input).await.unwrap();
                assert_ne!(read, 0, "the server closed the connection");
            }
            bytes.append(&mut self.input);
        }
        bytes
    }
}

#[test]
fn a_session_on_another_shard_reads_the_same_bytes() {
    let accounts = Rc::new(accounts());
    for seed in [1, 2, 4, 5] {
        let simulation = Rc::new(Simulation::new(seed));
        let (world, known) = (simulation.clone(), accounts.clone());
        let main = async move {
            let shards = open_shards(&world, &known, seed, CHANGES_WAITING_MAX).await;
            assert!(shards.len() > 1);
            let create = Operation::CreateAccount {
                mailboxes: Vec::new(),
            };
            shards[0]
                .request(known.account, Actor::System, create)
                .await
                .unwrap();
            let mut writer = Client::connect(&world, &shards[0], "SELECT INBOX").await;
            for number in 0..7 {
                let message = format!("Subject: {number}\r\n\r\nthe body\r\n");
                let append = format!("APPEND INBOX {{{}+}}\r\n{message}", message.len());
                writer.run(&append).await;
            }
            writer.run("STORE 2:4 +FLAGS (\\Flagged word)").await;
            writer.run("MOVE 3 INBOX").await;
            let mut read = Vec::new();
            for shard in &shards {
                let mut reader = Client::connect(&world, shard, "EXAMINE INBOX").await;
                read.push(reader.read_everything().await);
            }
            assert!(read[0].len() > 2_000);
            for other in &read {
                assert_eq!(
                    String::from_utf8_lossy(other),
                    String::from_utf8_lossy(&read[0])
                );
            }
        };
        simulation
            .run_until(main)
            .unwrap_or_else(|stalled| panic!("seed {seed}: {stalled:?}"));
    }
}

#[test]
fn one_seed_gives_one_order_of_events() {
    let accounts = Rc::new(accounts());
    let run = |seed| run(seed, &accounts, CHANGES_WAITING_MAX);
    assert_eq!(run(7), run(7));
    assert_ne!(run(7), run(8));
}
