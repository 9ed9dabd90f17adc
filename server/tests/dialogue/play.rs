//! Runs one transcript against a server.

use super::admin::Administrator;
use super::pattern;
use super::script::{Action, Demand, Piece, Script, Step};
use super::template::{Variables, expand};
use super::token::tokenize;
use crate::harness::client::Client;
use crate::harness::server::{Server, is_corepost};
use crate::harness::wire::{ReadError, Wire, show};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a connection must be quiet to count as silent.
const SILENCE: Duration = Duration::from_millis(300);
/// The password of every account that a transcript makes.
const PASSWORD: &str = "secret";

/// How a transcript ended.
#[derive(Debug)]
pub enum Outcome {
    /// Every step was as written.
    Played,
    /// It does not apply to the server under test.
    Skipped(String),
    /// Where it went wrong, with the dialogue before.
    Failed(String),
}

/// Plays a transcript on a fresh account.
pub fn play(script: &Script, server: &Server) -> Outcome {
    let account: String = script
        .name
        .chars()
        .map(|c| if c == '.' { '-' } else { c })
        .collect();
    let own = script
        .server
        .as_ref()
        .map(|more| Server::serve(&account, 1, more));
    let mut player = Player {
        server: own.as_ref().unwrap_or(server),
        administrator: Administrator::default(),
        account: account.clone(),
        variables: Variables::new(),
        connections: BTreeMap::new(),
        dialogue: Vec::new(),
    };
    player.add_account("user", &account);
    for step in &script.steps {
        match player.step(step) {
            Ok(None) => {}
            Ok(Some(reason)) => return Outcome::Skipped(reason),
            Err(error) => {
                let from = player.dialogue.len().saturating_sub(14);
                let before = player.dialogue[from..].join("\n    ");
                let place = format!("{}:{}", script.name, step.line);
                return Outcome::Failed(format!(
                    "{place}: {}\n  {error}\n    {before}",
                    step.source
                ));
            }
        }
    }
    Outcome::Played
}

struct Connection {
    wire: Wire,
    is_lmtp: bool,
    gathered: Vec<u8>,
    pushed_back: Option<Vec<u8>>,
}

struct Player<'a> {
    server: &'a Server,
    administrator: Administrator,
    account: String,
    variables: Variables,
    connections: BTreeMap<String, Connection>,
    dialogue: Vec<String>,
}

type StepResult = Result<Option<String>, String>;

impl Player<'_> {
    fn step(&mut self, step: &Step) -> StepResult {
        match &step.action {
            Action::Directive(words) => return self.directive(words, &step.source),
            Action::Send {
                connection,
                pieces,
                flush,
            } => self.send(connection, pieces, *flush)?,
            Action::Expect { connection, pieces } => self.expect(connection, pieces)?,
            Action::Block {
                connection,
                entries,
                others_allowed,
            } => {
                self.block(connection, entries, *others_allowed)?;
            }
        }
        Ok(None)
    }

    fn directive(&mut self, words: &[String], source: &str) -> StepResult {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            [word @ ("admin" | "admin-fails" | "printed"), ..] => {
                self.administer(word, source)?;
            }
            ["only", "corepost", reason @ ..] if !is_corepost() => {
                return Ok(Some(reason.join(" ")));
            }
            ["only", "corepost", ..] => {}
            ["account", name] => {
                let full = format!("{}-{name}", self.account);
                self.add_account(name, &full);
            }
            ["connect", names @ ..] => {
                let address = self.server.addresses.imap.clone();
                names
                    .iter()
                    .for_each(|name| self.open(name, Wire::connect(&address), false));
            }
            ["connect-tls", names @ ..] => {
                let address = self.server.addresses.imaps.clone();
                names
                    .iter()
                    .for_each(|name| self.open(name, Wire::connect_tls(&address), false));
            }
            ["lmtp", names @ ..] => {
                let address = self.server.addresses.lmtp.clone();
                names
                    .iter()
                    .for_each(|name| self.open(name, Wire::connect(&address), true));
            }
            ["login", names @ ..] => {
                for name in names {
                    let client = self.logged_in();
                    self.open(name, client.wire, false);
                }
            }
            ["select", mailbox, names @ ..] => self.select(mailbox, names)?,
            ["starttls", name] => {
                let connection = self
                    .connections
                    .get_mut(&name[1..])
                    .ok_or("no such connection")?;
                connection.wire.start_tls();
            }
            ["drop", name] => {
                self.connections.remove(&name[1..]);
            }
            ["fill", mailbox, count] => self.fill(mailbox, count.parse().map_err(|_| "a count")?),
            ["wait-ms", time] => {
                let time = time.parse().map_err(|_| "milliseconds")?;
                std::thread::sleep(Duration::from_millis(time));
            }
            _ => return Err(format!("unknown directive {words:?}")),
        }
        Ok(None)
    }

    /// Here the blanks of the line matter: names of mailboxes have some.
    fn administer(&mut self, word: &str, source: &str) -> Result<(), String> {
        let (_, text) = source.split_once(word).unwrap_or_default();
        let text = text.trim();
        match word {
            "printed" => self.administrator.printed(text, &self.variables),
            _ => {
                let succeeds = word == "admin";
                let (server, variables) = (self.server, &self.variables);
                self.administrator.run(server, text, variables, succeeds)
            }
        }
    }

    fn add_account(&mut self, variable: &str, name: &str) {
        let name = format!("{name}@localhost");
        self.server.add_account(&name, PASSWORD);
        self.variables
            .insert(variable.to_string(), name.into_bytes());
        self.variables.insert("pass".to_string(), PASSWORD.into());
    }

    fn logged_in(&self) -> Client {
        let name = String::from_utf8_lossy(&self.variables["user"]).into_owned();
        Client::login(&self.server.addresses.imap, &name, PASSWORD)
    }

    /// Selects quietly on several connections, in order.
    fn select(&mut self, mailbox: &str, names: &[&str]) -> Result<(), String> {
        for name in names {
            let connection = self
                .connections
                .get_mut(&name[1..])
                .ok_or("no such connection")?;
            let command = format!("sel SELECT {mailbox}\r\n");
            connection
                .wire
                .send(command.as_bytes())
                .map_err(|e| format!("{e:?}"))?;
            loop {
                let response = connection.wire.response().map_err(|e| format!("{e:?}"))?;
                if response.starts_with(b"sel OK") {
                    break;
                }
                if response.starts_with(b"sel ") {
                    return Err(show(&response));
                }
            }
        }
        Ok(())
    }

    /// Appends small messages over a connection of its own.
    fn fill(&self, mailbox: &str, count: u32) {
        let mut client = self.logged_in();
        if !mailbox.eq_ignore_ascii_case("INBOX") {
            client.run(&format!("CREATE {mailbox}"));
        }
        for n in 1..=count {
            let message = format!(
                "Date: Mon, 7 Feb 1994 21:52:25 -0800 (PST)\r\n\
                 From: Fred Foobar <foobar@Blurdybloop.example>\r\n\
                 Subject: message {n}\r\n\
                 To: mooch@owatagu.example\r\n\
                 Message-Id: <fill.{n}@example.org>\r\n\
                 MIME-Version: 1.0\r\n\
                 Content-Type: TEXT/PLAIN; CHARSET=US-ASCII\r\n\r\n\
                 Hello Joe, this is number {n}.\r\n"
            );
            client.append(mailbox, "()", message.as_bytes()).ok();
        }
        client.run("LOGOUT");
    }

    fn open(&mut self, name: &str, wire: Wire, is_lmtp: bool) {
        let connection = Connection {
            wire,
            is_lmtp,
            gathered: Vec::new(),
            pushed_back: None,
        };
        self.connections.insert(name[1..].to_string(), connection);
    }

    fn send(&mut self, name: &str, pieces: &[Piece], flush: bool) -> Result<(), String> {
        let mut connection = self.connections.remove(name).ok_or("no such connection")?;
        let result = self.send_on(&mut connection, name, pieces, flush);
        self.connections.insert(name.to_string(), connection);
        result
    }

    fn send_on(
        &mut self,
        connection: &mut Connection,
        name: &str,
        pieces: &[Piece],
        flush: bool,
    ) -> Result<(), String> {
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    connection.gathered.extend(expand(text, &self.variables));
                }
                Piece::Literal {
                    content,
                    non_synchronising,
                } => {
                    let content = expand(content, &self.variables);
                    let plus = if *non_synchronising { "+" } else { "" };
                    let head = format!("{{{}{plus}}}\r\n", content.len());
                    connection.gathered.extend_from_slice(head.as_bytes());
                    if !non_synchronising {
                        self.flush(connection, name)?;
                        if !self.continued(connection, name)? {
                            return Ok(());
                        }
                    }
                    connection.gathered.extend(content);
                }
            }
        }
        connection.gathered.extend_from_slice(b"\r\n");
        if flush {
            self.flush(connection, name)
        } else {
            Ok(())
        }
    }

    fn flush(&mut self, connection: &mut Connection, name: &str) -> Result<(), String> {
        let bytes = std::mem::take(&mut connection.gathered);
        self.dialogue
            .push(format!("C{name}: {}", show(&bytes).trim_end()));
        connection
            .wire
            .send(&bytes)
            .map_err(|e| format!("cannot send: {e:?}"))
    }

    /// Reads the answer to a synchronising literal; a refusal stays for the next expectation.
    fn continued(&mut self, connection: &mut Connection, name: &str) -> Result<bool, String> {
        let response = self.next_of(connection, name)?;
        if response.starts_with(b"+") {
            return Ok(true);
        }
        connection.pushed_back = Some(response);
        Ok(false)
    }

    fn next(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let mut connection = self.connections.remove(name).ok_or("no such connection")?;
        let response = self.next_of(&mut connection, name);
        self.connections.insert(name.to_string(), connection);
        response
    }

    fn next_of(&mut self, connection: &mut Connection, name: &str) -> Result<Vec<u8>, String> {
        if let Some(response) = connection.pushed_back.take() {
            return Ok(response);
        }
        let response = if connection.is_lmtp {
            connection.wire.line()
        } else {
            connection.wire.response()
        };
        match response {
            // RFC 2177: a server may say that it is still there at any time during IDLE.
            Ok(response) if response.starts_with(b"* OK Still here") => {
                self.next_of(connection, name)
            }
            Ok(response) => {
                self.dialogue.push(format!("S{name}: {}", show(&response)));
                Ok(response)
            }
            Err(ReadError::Silence) => Err("no answer".into()),
            Err(ReadError::Closed) => Err("the server closed the connection".into()),
        }
    }

    fn expect(&mut self, name: &str, pieces: &[Piece]) -> Result<(), String> {
        if let [Piece::Text(text)] = pieces {
            match text.trim() {
                "<silence>" => return self.expect_silence(name),
                "<eof>" => {
                    let connection = self.connections.get_mut(name).ok_or("no such connection")?;
                    return connection.wire.expect_close();
                }
                optional if optional.starts_with("maybe ") => {
                    let pieces = [Piece::Text(optional["maybe ".len()..].to_string())];
                    return self.perhaps(name, &pieces);
                }
                _ => {}
            }
        }
        let response = self.next(name)?;
        if self.is_like(name, pieces, &response) {
            return Ok(());
        }
        Err(format!("got: {}", show(&response)))
    }

    /// Takes the next response if it is like this and comes soon; leaves any other.
    fn perhaps(&mut self, name: &str, pieces: &[Piece]) -> Result<(), String> {
        let connection = self.connections.get_mut(name).ok_or("no such connection")?;
        let response = match connection.pushed_back.take() {
            Some(response) => response,
            None => match connection.wire.response_within(SILENCE) {
                Ok(response) => response,
                Err(ReadError::Silence) => return Ok(()),
                Err(ReadError::Closed) => return Err("the server closed the connection".into()),
            },
        };
        if !self.is_like(name, pieces, &response) {
            let connection = self.connections.get_mut(name).ok_or("no such connection")?;
            connection.pushed_back = Some(response);
        }
        Ok(())
    }

    fn expect_silence(&mut self, name: &str) -> Result<(), String> {
        let connection = self.connections.get_mut(name).ok_or("no such connection")?;
        if let Some(response) = &connection.pushed_back {
            return Err(format!("got: {}", show(response)));
        }
        match connection.wire.response_within(SILENCE) {
            Err(ReadError::Silence) => Ok(()),
            Err(ReadError::Closed) => Err("the server closed the connection".into()),
            Ok(response) => Err(format!("got: {}", show(&response))),
        }
    }

    fn is_like(&mut self, name: &str, pieces: &[Piece], response: &[u8]) -> bool {
        if let [Piece::Text(text)] = pieces
            && let Some(text) = text.trim().strip_prefix("<exact> ")
        {
            let wanted = [&expand(text, &self.variables)[..], b"\r\n"].concat();
            return response == wanted || response == wanted.trim_ascii_end();
        }
        let mut wanted = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => wanted.extend(expand(text, &self.variables)),
                Piece::Literal { content, .. } => {
                    let content = expand(content, &self.variables);
                    wanted.extend_from_slice(format!("{{{}}}\r\n", content.len()).as_bytes());
                    wanted.extend(content);
                }
            }
        }
        if self
            .connections
            .get(name)
            .is_some_and(|connection| connection.is_lmtp)
        {
            return pattern::glob(&wanted, response);
        }
        pattern::matches(&tokenize(&wanted), &tokenize(response), &mut self.variables)
    }

    fn block(
        &mut self,
        name: &str,
        entries: &[(Demand, Vec<Piece>)],
        others_allowed: bool,
    ) -> Result<(), String> {
        let mut responses = self.gather(name)?;
        for (demand, pieces) in entries {
            let mut found = None;
            for (at, response) in responses.iter().enumerate() {
                if self.is_like(name, pieces, response) {
                    found = Some(at);
                    break;
                }
            }
            match (demand, found) {
                (Demand::Must | Demand::May, Some(at)) => {
                    responses.remove(at);
                }
                (Demand::Must, None) => return Err(format!("missing: {pieces:?}")),
                (Demand::Not, Some(at)) => {
                    return Err(format!("not allowed: {}", show(&responses[at])));
                }
                (Demand::May | Demand::Not, None) => {}
            }
        }
        match responses.first() {
            Some(response) if !others_allowed => Err(format!("not expected: {}", show(response))),
            _ => Ok(()),
        }
    }

    /// IMAP: the untagged responses before the next tagged one. LMTP: one whole reply.
    fn gather(&mut self, name: &str) -> Result<Vec<Vec<u8>>, String> {
        let mut responses = Vec::new();
        loop {
            let mut response = self.next(name)?;
            let connection = self.connections.get_mut(name).ok_or("no such connection")?;
            if connection.is_lmtp {
                let more = response.get(3) == Some(&b'-');
                if let Some(separator) = response.get_mut(3) {
                    *separator = b' ';
                }
                responses.push(response);
                if !more {
                    return Ok(responses);
                }
            } else if response.starts_with(b"* ") {
                responses.push(response);
            } else {
                connection.pushed_back = Some(response);
                return Ok(responses);
            }
        }
    }
}
