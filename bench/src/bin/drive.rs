//! A cheap client for figures: blocking sockets, one thread a session.
//!
//! `drive SCENARIO ADDRESS ACCOUNT PASSWORD SESSIONS SECONDS` prints one JSON line. Scenarios:
//! `prepare` (append messages of 4 KB), `login` (connect, LOGIN, LOGOUT), `fetch` (BODY.PEEK[] of
//! random messages), `storefetch` (STORE and FETCH FLAGS in one mailbox), `lmtp` (deliver 4 KB on
//! a connection that stays).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

/// Octets of a message in every scenario.
const MESSAGE_BYTES: usize = 4_096;
/// Messages that `prepare` appends for each second of its argument.
const PREPARED: usize = 100;

type Failure = Box<dyn std::error::Error + Send + Sync>;
type Attempt<T> = Result<T, Failure>;

#[derive(Clone)]
struct Plan {
    scenario: String,
    address: String,
    account: String,
    password: String,
    seconds: u64,
}

struct Session {
    reader: BufReader<TcpStream>,
    line: Vec<u8>,
    body: Vec<u8>,
    tags: u64,
}

impl Session {
    fn connect(address: &str) -> Attempt<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        let reader = BufReader::with_capacity(16 * 1024, stream);
        let mut session = Self {
            reader,
            line: Vec::new(),
            body: Vec::new(),
            tags: 0,
        };
        session.read_line()?;
        Ok(session)
    }

    fn login(plan: &Plan) -> Attempt<Self> {
        let mut session = Self::connect(&plan.address)?;
        session.run(&format!("LOGIN {} {}", plan.account, plan.password))?;
        Ok(session)
    }

    fn read_line(&mut self) -> Attempt<()> {
        self.line.clear();
        match self.reader.read_until(b'\n', &mut self.line)? {
            0 => Err("the server closed the connection".into()),
            _ => Ok(()),
        }
    }

    /// Runs a command to its tagged answer, which must be OK.
    fn run(&mut self, command: &str) -> Attempt<()> {
        self.tags += 1;
        let tag = format!("t{} ", self.tags);
        self.reader
            .get_mut()
            .write_all(format!("{tag}{command}\r\n").as_bytes())?;
        loop {
            self.read_line()?;
            if self.line.starts_with(tag.as_bytes()) {
                let is_ok = self.line[tag.len()..].starts_with(b"OK");
                let text = || String::from_utf8_lossy(&self.line).into_owned();
                return if is_ok {
                    Ok(())
                } else {
                    Err(format!("{command}: {}", text()).into())
                };
            }
            self.skip_literals()?;
        }
    }

    fn skip_literals(&mut self) -> Attempt<()> {
        while let Some(length) = literal(&self.line) {
            self.body.resize(length, 0);
            self.reader.read_exact(&mut self.body)?;
            self.read_line()?;
        }
        Ok(())
    }

    /// Sends a line and reads one whole LMTP reply.
    fn say(&mut self, text: &[u8], code: &str) -> Attempt<()> {
        self.reader.get_mut().write_all(text)?;
        loop {
            self.read_line()?;
            if self.line.get(3) != Some(&b'-') {
                break;
            }
        }
        let text = String::from_utf8_lossy(&self.line);
        if text.starts_with(code) {
            Ok(())
        } else {
            Err(text.into_owned().into())
        }
    }
}

fn literal(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}\r\n")?;
    let open = inner.iter().rposition(|&b| b == b'{')?;
    std::str::from_utf8(&inner[open + 1..]).ok()?.parse().ok()
}

fn message(n: usize) -> Vec<u8> {
    let head = format!(
        "From: Sender {n} <s{n}@example.org>\r\nTo: you@example.org\r\nSubject: message {n}\r\n\
         Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <{n}@example.org>\r\n\
         MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
    );
    let mut message = head.into_bytes();
    let line = b"This line has seventy octets of text, with its end, as mail often has.\r\n";
    while message.len() + line.len() <= MESSAGE_BYTES {
        message.extend_from_slice(line);
    }
    message
}

/// Xorshift: which message comes next.
fn step(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap_or(0)
}

fn prepare(plan: &Plan) -> Attempt<Vec<u32>> {
    let mut session = Session::login(plan)?;
    for n in 0..PREPARED * usize::try_from(plan.seconds)? {
        let message = message(n);
        let head = format!("APPEND INBOX {{{}+}}\r\n", message.len());
        session.run(&(head + &String::from_utf8(message)?))?;
    }
    Ok(vec![0])
}

/// One session's share: the time of every operation in microseconds.
fn work(plan: &Plan, number: usize) -> Attempt<Vec<u32>> {
    match plan.scenario.as_str() {
        "prepare" => prepare(plan),
        "login" => repeat(plan, || Session::login(plan)?.run("LOGOUT")),
        "lmtp" => deliver(plan),
        "fetch" | "storefetch" => in_mailbox(plan, number),
        other => Err(format!("no scenario {other}").into()),
    }
}

fn repeat(plan: &Plan, mut operation: impl FnMut() -> Attempt<()>) -> Attempt<Vec<u32>> {
    let end = Instant::now() + Duration::from_secs(plan.seconds);
    let mut times = Vec::new();
    while Instant::now() < end {
        let started = Instant::now();
        operation()?;
        times.push(u32::try_from(started.elapsed().as_micros()).unwrap_or(u32::MAX));
    }
    Ok(times)
}

fn in_mailbox(plan: &Plan, number: usize) -> Attempt<Vec<u32>> {
    let mut session = Session::login(plan)?;
    session.run("SELECT INBOX")?;
    session.run("STATUS INBOX (UIDNEXT)").ok();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    let is_fetch = plan.scenario == "fetch";
    repeat(plan, || {
        let uid = step(&mut state) % 500 + 1;
        if is_fetch {
            return session.run(&format!("UID FETCH {uid} (BODY.PEEK[])"));
        }
        let flag = ["\\Seen", "\\Flagged", "\\Answered"][step(&mut state) % 3];
        let sign = ["+", "-"][step(&mut state) % 2];
        session.run(&format!("UID STORE {uid} {sign}FLAGS.SILENT ({flag})"))?;
        session.run(&format!("UID FETCH {uid} (FLAGS)"))
    })
}

fn deliver(plan: &Plan) -> Attempt<Vec<u32>> {
    let mut session = Session::connect(&plan.address)?;
    session.say(b"LHLO bench.example.org\r\n", "250")?;
    let mut body = message(7);
    body.extend_from_slice(b".\r\n");
    let recipient = format!("RCPT TO:<{}>\r\n", plan.account);
    repeat(plan, || {
        session.say(b"MAIL FROM:<sender@example.org>\r\n", "250")?;
        session.say(recipient.as_bytes(), "250")?;
        session.say(b"DATA\r\n", "354")?;
        session.say(&body, "250")
    })
}

fn main() -> Attempt<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [scenario, address, account, password, sessions, seconds] = arguments.as_slice() else {
        return Err("drive SCENARIO ADDRESS ACCOUNT PASSWORD SESSIONS SECONDS".into());
    };
    let plan = Plan {
        scenario: scenario.clone(),
        address: address.clone(),
        account: account.clone(),
        password: password.clone(),
        seconds: seconds.parse()?,
    };
    let started = Instant::now();
    let threads: Vec<_> = (0..sessions.parse::<usize>()?)
        .map(|number| {
            let plan = plan.clone();
            std::thread::Builder::new()
                .stack_size(256 * 1024)
                .spawn(move || work(&plan, number))
        })
        .collect::<Result<_, _>>()?;
    let mut times = Vec::new();
    for thread in threads {
        times.extend(thread.join().map_err(|_| "a session panicked")??);
    }
    let elapsed = started.elapsed().as_secs_f64();
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 1000).copied().unwrap_or(0);
    println!(
        "{{\"operations\": {}, \"seconds\": {elapsed:.3}, \"p50_us\": {}, \"p99_us\": {}}}",
        times.len(),
        at(500),
        at(990)
    );
    Ok(())
}
