//! A small IMAP client for tests that are written in Rust: commands in, whole answers out.

use super::wire::{ReadError, Wire, show};

/// One answer: the untagged responses and the tagged one.
#[derive(Debug)]
pub struct Answer {
    /// Untagged responses in order, literals included.
    pub untagged: Vec<Vec<u8>>,
    /// The tagged response without its tag, for example `OK [APPENDUID 1 2] done`.
    pub tagged: String,
}

impl Answer {
    /// Fails the test unless the command succeeded.
    pub fn ok(self) -> Self {
        assert!(self.is_ok(), "not OK: {}", self.tagged);
        self
    }

    /// Whether the command succeeded.
    pub fn is_ok(&self) -> bool {
        self.tagged.starts_with("OK")
    }

    /// Whether the command was refused.
    pub fn is_no(&self) -> bool {
        self.tagged.starts_with("NO")
    }

    /// The untagged responses as text, for assertions on structure.
    pub fn text(&self) -> String {
        self.untagged
            .iter()
            .map(|line| String::from_utf8_lossy(line) + "\n")
            .collect()
    }

    /// The content of the only literal (or quoted string) after `item` in the untagged responses.
    pub fn body_after(&self, item: &str) -> Option<Vec<u8>> {
        self.untagged
            .iter()
            .find_map(|line| string_after(line, item))
    }
}

/// A logged-in or fresh connection.
pub struct Client {
    /// The connection beneath.
    pub wire: Wire,
    tags: u32,
}

impl Client {
    /// Connects in plaintext and reads the greeting.
    pub fn connect(address: &str) -> Self {
        Self::greeted(Wire::connect(address))
    }

    /// Connects with implicit TLS and reads the greeting.
    pub fn connect_tls(address: &str) -> Self {
        Self::greeted(Wire::connect_tls(address))
    }

    /// Connects and logs in.
    pub fn login(address: &str, name: &str, password: &str) -> Self {
        let mut client = Self::connect(address);
        client
            .run(&format!("LOGIN {} {}", quoted(name), quoted(password)))
            .ok();
        client
    }

    /// The same where the server may be gone.
    pub fn try_login(address: &str, name: &str, password: &str) -> Result<Self, ReadError> {
        let mut wire = Wire::try_connect(address)?;
        wire.response()?;
        let mut client = Self { wire, tags: 0 };
        let command = format!("LOGIN {} {}", quoted(name), quoted(password));
        client.try_run(command.as_bytes())?.ok();
        Ok(client)
    }

    fn greeted(mut wire: Wire) -> Self {
        let greeting = wire.response().expect("a greeting");
        assert!(greeting.starts_with(b"* OK"), "{}", show(&greeting));
        Self { wire, tags: 0 }
    }

    /// Runs a command that needs no literal.
    pub fn run(&mut self, command: &str) -> Answer {
        self.try_run(command.as_bytes())
            .unwrap_or_else(|e| panic!("{command}: {e:?}"))
    }

    /// Runs a command given as bytes (non-synchronising literals inside are welcome).
    pub fn try_run(&mut self, command: &[u8]) -> Result<Answer, ReadError> {
        let tag = self.start(command)?;
        self.finish(&tag)
    }

    /// Sends a command and returns its tag.
    pub fn start(&mut self, command: &[u8]) -> Result<String, ReadError> {
        self.tags += 1;
        let tag = format!("t{}", self.tags);
        let line = [tag.as_bytes(), b" ", command, b"\r\n"].concat();
        self.wire.send(&line)?;
        Ok(tag)
    }

    /// Reads until the tagged response of a command.
    pub fn finish(&mut self, tag: &str) -> Result<Answer, ReadError> {
        let prefix = format!("{tag} ");
        let mut untagged = Vec::new();
        loop {
            let response = self.wire.response()?;
            if response.starts_with(prefix.as_bytes()) {
                let tagged = String::from_utf8_lossy(&response[prefix.len()..]).into_owned();
                return Ok(Answer { untagged, tagged });
            }
            untagged.push(response);
        }
    }

    /// Appends a message with a non-synchronising literal.
    pub fn append(&mut self, mailbox: &str, flags: &str, message: &[u8]) -> Answer {
        self.try_append(mailbox, flags, message)
            .expect("an answer to APPEND")
    }

    /// The same where the server may be gone.
    pub fn try_append(
        &mut self,
        mailbox: &str,
        flags: &str,
        message: &[u8],
    ) -> Result<Answer, ReadError> {
        let head = format!(
            "APPEND {} {flags} {{{}+}}\r\n",
            quoted(mailbox),
            message.len()
        );
        self.try_run(&[head.as_bytes(), message].concat())
    }

    /// Selects a mailbox and returns how many messages it has.
    pub fn select(&mut self, mailbox: &str) -> u32 {
        let answer = self.run(&format!("SELECT {}", quoted(mailbox))).ok();
        let text = answer.text();
        let line = text
            .lines()
            .find(|l| l.to_ascii_uppercase().ends_with(" EXISTS"));
        let number = line
            .and_then(|l| l.split(' ').nth(1))
            .and_then(|n| n.parse().ok());
        number.expect("SELECT tells EXISTS")
    }
}

/// Everything that an account has, as text: names, counters, UIDs, flags, dates, octets.
pub fn dump(address: &str, name: &str, password: &str) -> String {
    let mut client = Client::login(address, name, password);
    let list = client.run("LIST \"\" \"*\"").ok();
    let mut names: Vec<String> = list
        .untagged
        .iter()
        .filter_map(|line| listed_name(line))
        .collect();
    names.sort();
    let mut text = String::new();
    let mut subscribed = client.run("LSUB \"\" \"*\"").ok().untagged;
    subscribed.sort();
    for line in subscribed {
        text += &format!("{}\n", show(&line));
    }
    for name in names {
        let quoted = quoted(&name);
        let items = "(MESSAGES UNSEEN UIDNEXT UIDVALIDITY HIGHESTMODSEQ)";
        text += &client.run(&format!("STATUS {quoted} {items}")).ok().text();
        client.run(&format!("EXAMINE {quoted}")).ok();
        let items = "(UID FLAGS INTERNALDATE MODSEQ BODY.PEEK[])";
        text += &client.run(&format!("UID FETCH 1:* {items}")).ok().text();
    }
    // Which session gets \Recent is no property of the data.
    text.replace(" \\Recent", "")
        .replace("\\Recent ", "")
        .replace("\\Recent", "")
}

/// The mailbox name at the end of a LIST line.
fn listed_name(line: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(line).into_owned();
    if text.to_ascii_uppercase().contains("\\NOSELECT") {
        return None;
    }
    let (_, name) = text.split_once(" \"/\" ")?;
    Some(name.trim_matches('"').to_string())
}

/// A string as IMAP quoted-string.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The number after a word, for example after `UIDNEXT`.
pub fn number_after(text: &str, word: &str) -> Option<u64> {
    let upper = text.to_ascii_uppercase();
    let at = upper.find(&format!("{word} "))? + word.len() + 1;
    let digits: String = text[at..]
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().ok()
}

/// The string after a FETCH item, whether it came quoted or as a literal.
pub fn string_after(response: &[u8], item: &str) -> Option<Vec<u8>> {
    let upper = response.to_ascii_uppercase();
    let wanted = item.to_ascii_uppercase().into_bytes();
    let at = upper.windows(wanted.len()).position(|w| w == wanted)? + wanted.len();
    let rest = response.get(at..)?.strip_prefix(b" ")?;
    if let Some(quoted) = rest.strip_prefix(b"\"") {
        let end = quoted.iter().position(|&b| b == b'"')?;
        return Some(quoted[..end].to_vec());
    }
    let inner = rest.strip_prefix(b"{")?;
    let close = inner.iter().position(|&b| b == b'}')?;
    let length: usize = std::str::from_utf8(&inner[..close]).ok()?.parse().ok()?;
    inner.get(close + 3..close + 3 + length).map(<[u8]>::to_vec)
}
