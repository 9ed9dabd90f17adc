//! One session of the crowd: random commands, and a look at every response.

use super::ledger::Ledger;
use super::mirror::{During, Mirror};
use super::random::Random;
use crate::harness::client::{Client, number_after};
use crate::harness::wire::{ReadError, show};
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Above this many messages nobody appends or copies.
const MESSAGES_MAX: usize = 300;
/// Sessions below this number own a keyword that nobody else touches.
const KEYWORD_OWNERS: usize = 8;
/// How long a session tries to come back after the server went.
const RETURN_TIMEOUT: Duration = Duration::from_secs(60);

/// Why a step did not succeed.
#[derive(Debug)]
pub enum Trouble {
    /// The server is gone; expected when the test kills it.
    Gone,
    /// The server told something impossible, or lost something.
    Wrong(#[allow(dead_code, reason = "shown through Debug")] String),
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Closed => Self::Gone,
            ReadError::Silence => Self::Wrong("no answer".into()),
        }
    }
}

type Step<T> = Result<T, Trouble>;

/// What all members share.
pub struct Crowd {
    /// Address of plaintext IMAP.
    pub address: String,
    /// Account name.
    pub account: String,
    /// Its password.
    pub password: String,
    /// What was acknowledged.
    pub ledger: Mutex<Ledger>,
}

/// One session.
pub struct Member {
    /// Its number.
    pub number: usize,
    /// What it has been told.
    pub mirror: Mirror,
    /// Commands that it has run.
    pub commands: u64,
    condstore: bool,
    client: Client,
    random: Random,
    appended: u32,
}

impl Member {
    /// Connects, logs in and selects.
    pub fn join(crowd: &Crowd, number: usize, seed: u64) -> Step<Self> {
        let client = Client::login(&crowd.address, &crowd.account, &crowd.password);
        let random = Random::new(seed ^ (number as u64) << 32);
        let mut member = Self {
            number,
            mirror: Mirror::default(),
            commands: 0,
            condstore: number.is_multiple_of(2),
            client,
            random,
            appended: 0,
        };
        member.select(crowd)?;
        Ok(member)
    }

    /// After a crash: everything anew, except what it has appended so far.
    pub fn rejoin(&mut self, crowd: &Crowd) -> Step<()> {
        let deadline = Instant::now() + RETURN_TIMEOUT;
        loop {
            let attempt = Client::try_login(&crowd.address, &crowd.account, &crowd.password);
            match attempt {
                Ok(client) => {
                    self.client = client;
                    self.mirror = Mirror::default();
                    return self.select(crowd);
                }
                Err(_) if Instant::now() < deadline => {
                    std::thread::sleep(Duration::from_millis(200));
                }
                Err(_) => return Err(Trouble::Wrong("the server did not come back".into())),
            }
        }
    }

    fn select(&mut self, crowd: &Crowd) -> Step<()> {
        if self.condstore {
            self.run(crowd, "ENABLE CONDSTORE", During::Other)?;
        }
        self.run(crowd, "SELECT INBOX", During::Other)?;
        self.learn(crowd)
    }

    /// One random command.
    pub fn act(&mut self, crowd: &Crowd) -> Step<()> {
        self.listen_between(crowd)?;
        let is_full = self.mirror.messages.len() > MESSAGES_MAX;
        match self.random.below(100) {
            0..20 if !is_full => self.append(crowd)?,
            20..45 => self.store_flag(crowd)?,
            45..58 => self.store_deleted(crowd)?,
            58..66 if !is_full => self.copy(crowd)?,
            66..72 => self.run(crowd, "EXPUNGE", During::Other).map(drop)?,
            72..76 => self.uid_expunge(crowd)?,
            76..84 => self.fetch_some(crowd)?,
            84..88 => self
                .run(crowd, "SEARCH UNDELETED", During::Numbers)
                .map(drop)?,
            88..92 => self.idle(crowd)?,
            _ => self.run(crowd, "NOOP", During::Other).map(drop)?,
        }
        self.learn(crowd)
    }

    /// Waits for all that is still to be told.
    pub fn settle(&mut self, crowd: &Crowd) -> Step<()> {
        self.run(crowd, "NOOP", During::Other)?;
        self.learn(crowd)
    }

    /// UIDs, flags and MODSEQ as the server tells them to this session now.
    pub fn table(&mut self, crowd: &Crowd) -> Step<Vec<(u32, BTreeSet<String>, u64)>> {
        if !self.mirror.messages.is_empty() {
            self.run(crowd, "FETCH 1:* (UID FLAGS MODSEQ)", During::Numbers)?;
        }
        let row = |known: &super::mirror::Known| {
            (
                known.uid.unwrap_or(0),
                known.flags.clone().unwrap_or_default(),
                known.mod_seq,
            )
        };
        Ok(self.mirror.messages.iter().map(row).collect())
    }

    /// Asks for what EXISTS announced and nothing else told.
    fn learn(&mut self, crowd: &Crowd) -> Step<()> {
        let Some(first) = self
            .mirror
            .messages
            .iter()
            .position(|known| known.uid.is_none())
        else {
            return Ok(());
        };
        let items = if self.condstore {
            "(UID FLAGS MODSEQ)"
        } else {
            "(UID FLAGS)"
        };
        self.run(
            crowd,
            &format!("FETCH {}:* {items}", first + 1),
            During::Numbers,
        )
        .map(drop)
    }

    fn append(&mut self, crowd: &Crowd) -> Step<()> {
        self.appended += 1;
        let mark = format!("m{}.{}", self.number, self.appended);
        self.attempt(crowd, &mark);
        let message = format!("Subject: {mark}\r\n\r\nbody of {mark}\r\n");
        let command = format!("APPEND INBOX {{{}+}}\r\n{message}", message.len());
        let tagged = self.run(crowd, &command, During::Other)?;
        if let Some(uid) = code_numbers(&tagged, "APPENDUID").and_then(|n| n.get(1)?.parse().ok()) {
            crowd
                .ledger
                .lock()
                .expect("no poison")
                .stored
                .insert(uid, mark);
            return Ok(());
        }
        Err(Trouble::Wrong(format!("APPEND: {tagged}")))
    }

    fn attempt(&self, crowd: &Crowd, mark: &str) {
        let mut ledger = crowd.ledger.lock().expect("no poison");
        *ledger.attempts.entry(mark.to_string()).or_insert(0) += 1;
    }

    fn store_flag(&mut self, crowd: &Crowd) -> Step<()> {
        let Some((number, uid)) = self.any_message() else {
            return Ok(());
        };
        let sign = *self.random.pick(&["+", "-"]);
        let silent = *self.random.pick(&["", ".SILENT"]);
        let owns = self.number < KEYWORD_OWNERS && self.random.below(2) == 0;
        if owns {
            let keyword = format!("k{}", self.number);
            let place = (uid, keyword.clone());
            // Until it is acknowledged nothing is certain.
            crowd
                .ledger
                .lock()
                .expect("no poison")
                .keywords
                .remove(&place);
            let command = format!("UID STORE {uid} {sign}FLAGS{silent} ({keyword})");
            let tagged = self.run(crowd, &command, During::Other)?;
            if tagged.starts_with("OK") {
                crowd
                    .ledger
                    .lock()
                    .expect("no poison")
                    .keywords
                    .insert(place, sign == "+");
            }
            return self.forget_flags(uid, silent);
        }
        let flag = *self
            .random
            .pick(&["\\Seen", "\\Flagged", "\\Answered", "\\Draft", "shared"]);
        if self.random.below(2) == 0 {
            let command = format!("STORE {number} {sign}FLAGS{silent} ({flag})");
            self.run(crowd, &command, During::Numbers)?;
        } else {
            let command = format!("UID STORE {uid} {sign}FLAGS{silent} ({flag})");
            self.run(crowd, &command, During::Other)?;
        }
        self.forget_flags(uid, silent)
    }

    /// The flags after an own silent STORE depend on what others did meanwhile.
    fn forget_flags(&mut self, uid: u32, silent: &str) -> Step<()> {
        if !silent.is_empty() {
            let stored = self
                .mirror
                .messages
                .iter_mut()
                .find(|known| known.uid == Some(uid));
            if let Some(known) = stored {
                known.flags = None;
            }
        }
        Ok(())
    }

    fn store_deleted(&mut self, crowd: &Crowd) -> Step<()> {
        let Some((_, uid)) = self.any_message() else {
            return Ok(());
        };
        crowd.ledger.lock().expect("no poison").doomed.insert(uid);
        self.run(
            crowd,
            &format!("UID STORE {uid} +FLAGS (\\Deleted)"),
            During::Other,
        )
        .map(drop)
    }

    fn uid_expunge(&mut self, crowd: &Crowd) -> Step<()> {
        let Some((_, uid)) = self.any_message() else {
            return Ok(());
        };
        let command = format!("UID EXPUNGE {uid}:{}", uid + 20);
        self.run(crowd, &command, During::Other).map(drop)
    }

    fn copy(&mut self, crowd: &Crowd) -> Step<()> {
        let Some((_, uid)) = self.any_message() else {
            return Ok(());
        };
        let mark = crowd
            .ledger
            .lock()
            .expect("no poison")
            .stored
            .get(&uid)
            .cloned();
        let Some(mark) = mark else {
            return Ok(());
        };
        self.attempt(crowd, &mark);
        // The copy has the flags of its original, \Deleted too: then anyone may expunge it.
        let tagged = self.run(crowd, &format!("UID COPY {uid} INBOX"), During::Other)?;
        if let Some(new) = code_numbers(&tagged, "COPYUID").and_then(|n| n.get(2)?.parse().ok()) {
            let mut ledger = crowd.ledger.lock().expect("no poison");
            if ledger.doomed.contains(&uid) {
                ledger.doomed.insert(new);
            }
            ledger.stored.insert(new, mark);
        }
        Ok(())
    }

    fn fetch_some(&mut self, crowd: &Crowd) -> Step<()> {
        let Some((number, uid)) = self.any_message() else {
            return Ok(());
        };
        let items = if self.condstore {
            "(UID FLAGS MODSEQ)"
        } else {
            "(UID FLAGS)"
        };
        if self.random.below(2) == 0 {
            let last = (number + 10).min(self.mirror.messages.len());
            let command = format!("FETCH {number}:{last} {items}");
            return self.run(crowd, &command, During::Numbers).map(drop);
        }
        self.run(crowd, &format!("UID FETCH {uid}:* {items}"), During::Other)
            .map(drop)
    }

    fn idle(&mut self, crowd: &Crowd) -> Step<()> {
        let tag = self.client.start(b"IDLE")?;
        let end = Instant::now() + Duration::from_millis(20 + self.random.below(100) as u64);
        while let Some(left) = end.checked_duration_since(Instant::now()) {
            match self
                .client
                .wire
                .response_within(left.max(Duration::from_millis(1)))
            {
                Ok(response) if response.starts_with(b"+") => {}
                Ok(response) => self.follow(crowd, &response, During::Other)?,
                Err(ReadError::Silence) => {}
                Err(ReadError::Closed) => return Err(Trouble::Gone),
            }
        }
        self.client.wire.send(b"DONE\r\n")?;
        self.finish(crowd, &tag, "IDLE", During::Other).map(drop)
    }

    fn any_message(&mut self) -> Option<(usize, u32)> {
        if self.mirror.messages.is_empty() {
            return None;
        }
        let at = self.random.below(self.mirror.messages.len());
        Some((at + 1, self.mirror.messages[at].uid?))
    }

    /// What comes while no command runs must be no EXPUNGE.
    fn listen_between(&mut self, crowd: &Crowd) -> Step<()> {
        if self.random.below(4) > 0 {
            return Ok(());
        }
        while self.client.wire.has_waiting_line()? {
            let response = self.client.wire.response()?;
            self.follow(crowd, &response, During::Nothing)?;
        }
        Ok(())
    }

    fn run(&mut self, crowd: &Crowd, command: &str, during: During) -> Step<String> {
        let tag = self.client.start(command.as_bytes())?;
        self.finish(crowd, &tag, command, during)
    }

    fn finish(&mut self, crowd: &Crowd, tag: &str, command: &str, during: During) -> Step<String> {
        self.commands += 1;
        loop {
            let response = self.client.wire.response()?;
            if response.starts_with(b"+") {
                continue;
            }
            let Some(tagged) = response.strip_prefix(format!("{tag} ").as_bytes()) else {
                self.follow(crowd, &response, during)?;
                continue;
            };
            let tagged = String::from_utf8_lossy(tagged).into_owned();
            // NO is an answer where messages went meanwhile; BAD never is.
            let may_refuse = ["STORE", "COPY", "FETCH"]
                .iter()
                .any(|word| command.contains(word));
            if tagged.starts_with("OK") || (tagged.starts_with("NO") && may_refuse) {
                return Ok(tagged);
            }
            return Err(Trouble::Wrong(format!("{command}: {tagged}")));
        }
    }

    fn follow(&mut self, crowd: &Crowd, response: &[u8], during: During) -> Step<()> {
        if response.starts_with(b"* BYE") {
            return Err(Trouble::Gone);
        }
        let wrong = |why: String| Trouble::Wrong(format!("{why}: {}", show(response)));
        // The results of UID SEARCH are no sequence numbers, and this crowd does not use it.
        let told = self.mirror.follow(response, during).map_err(wrong)?;
        crowd
            .ledger
            .lock()
            .expect("no poison")
            .hear(self.number, &told)
            .map_err(wrong)
    }
}

/// The words of a response code, for example the three numbers of COPYUID.
fn code_numbers(tagged: &str, code: &str) -> Option<Vec<String>> {
    number_after(tagged, code)?;
    let at = tagged.to_ascii_uppercase().find(code)? + code.len();
    let inside = tagged[at..].split(']').next()?;
    Some(inside.split_whitespace().map(str::to_string).collect())
}
