//! What each command is answered: pure, and as little work as a right answer allows.

use std::io::Write as _;

use memchr::{memchr, memmem, memrchr};

/// Octets of a line that is not whole yet.
const LINE_BYTES_MAX: usize = 64 * 1024;

/// Octets that stand for every message and every answer.
#[derive(Debug)]
pub struct Canned {
    reply_bytes: usize,
    /// What an answer is filled up with.
    filling: Vec<u8>,
    body: Vec<u8>,
    messages: u32,
}

/// One connection's state between two receives.
#[derive(Debug, Default)]
pub struct Conversation {
    /// The beginning of a line whose end has not come.
    partial: Vec<u8>,
    /// Octets of a literal that have not come.
    literal_left: u64,
    /// What came before a literal belongs to the same command.
    command: Vec<u8>,
}

/// What becomes of the connection after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It stays.
    Stay,
    /// It ends when the answer is sent.
    Leave,
    /// It ends at once: nothing sensible was sent.
    Hang,
}

impl Canned {
    /// Answers of `reply_bytes`, bodies of `fetch_bytes`, mailboxes of `messages`.
    pub fn new(reply_bytes: u32, fetch_bytes: u32, messages: u32) -> Self {
        let reply_bytes = usize::try_from(reply_bytes).unwrap_or(usize::MAX);
        let fetch_bytes = usize::try_from(fetch_bytes).unwrap_or(usize::MAX);
        let line = b"Seventy octets of text with the end of the line, which mail often has\r\n";
        Self {
            reply_bytes,
            filling: vec![b'.'; reply_bytes],
            body: line.iter().copied().cycle().take(fetch_bytes).collect(),
            messages,
        }
    }

    /// What a connection is told first.
    pub fn greeting(&self) -> &'static [u8] {
        b"* OK [CAPABILITY IMAP4rev1 LITERAL+] Canned answers\r\n"
    }

    /// `TAG OK .....` as long as an answer has to be.
    fn done(&self, tag: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(tag);
        out.extend_from_slice(b" OK ");
        let rest = self
            .reply_bytes
            .saturating_sub(tag.len() + b" OK \r\n".len())
            .max(1);
        out.extend_from_slice(self.filling.get(..rest).unwrap_or(b"."));
        out.extend_from_slice(b"\r\n");
    }

    fn select(&self, out: &mut Vec<u8>) {
        // Writing into a Vec cannot fail.
        let _ = write!(
            out,
            "* {} EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Flagged)\r\n\
             * OK [UIDVALIDITY 1] Canned\r\n* OK [UIDNEXT {}] Canned\r\n",
            self.messages,
            u64::from(self.messages) + 1
        );
    }

    /// Answers for each message of a set what is asked for by name: UIDs are sequence numbers.
    fn fetch(&self, set: &[u8], items: &[u8], out: &mut Vec<u8>) {
        let asks = |name: &[u8]| memmem::find(items, name).is_some();
        let (flags, size, body) = (asks(b"FLAGS"), asks(b"RFC822.SIZE"), asks(b"BODY"));
        for range in set.split(|byte| *byte == b',') {
            let mut ends = range
                .splitn(2, |byte| *byte == b':')
                .map(|end| self.number(end));
            let first = ends.next().unwrap_or(1);
            let last = ends.next().unwrap_or(first);
            for uid in first.min(last)..=first.max(last) {
                let _ = write!(out, "* {uid} FETCH (UID {uid}");
                if flags {
                    out.extend_from_slice(b" FLAGS ()");
                }
                if size {
                    let _ = write!(out, " RFC822.SIZE {}", self.body.len());
                }
                if body {
                    let _ = write!(out, " BODY[] {{{}}}\r\n", self.body.len());
                    out.extend_from_slice(&self.body);
                }
                out.extend_from_slice(b")\r\n");
            }
        }
    }

    fn store(&self, set: &[u8], what: &[u8], out: &mut Vec<u8>) {
        let flags = match memchr(b'(', what).and_then(|open| what.get(open..)) {
            Some(flags) if !what.starts_with(b"-") => flags,
            _ => b"()",
        };
        let uid = self.number(set);
        let _ = write!(out, "* {uid} FETCH (UID {uid} FLAGS ");
        out.extend_from_slice(flags);
        out.extend_from_slice(b")\r\n");
    }

    /// A message number within the mailbox; `*` is the last.
    fn number(&self, digits: &[u8]) -> u32 {
        let number = std::str::from_utf8(digits)
            .ok()
            .and_then(|text| text.parse().ok());
        number.unwrap_or(u32::MAX).min(self.messages)
    }
}

impl Conversation {
    /// Answers every command that `bytes` completes.
    pub fn receive(&mut self, bytes: &[u8], canned: &Canned, out: &mut Vec<u8>) -> Next {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.literal_left > 0 {
                let left = usize::try_from(self.literal_left).unwrap_or(usize::MAX);
                let taken = left.min(rest.len());
                self.literal_left -= u64::try_from(taken).unwrap_or(self.literal_left);
                rest = rest.get(taken..).unwrap_or_default();
                continue;
            }
            let Some(end) = memchr(b'\n', rest) else {
                self.partial.extend_from_slice(rest);
                let is_sane = self.partial.len() <= LINE_BYTES_MAX;
                return if is_sane { Next::Stay } else { Next::Hang };
            };
            let (line, after) = rest.split_at_checked(end + 1).unwrap_or((rest, &[]));
            rest = after;
            let next = if self.partial.is_empty() {
                self.line(line, canned, out)
            } else {
                let mut whole = std::mem::take(&mut self.partial);
                whole.extend_from_slice(line);
                self.line(&whole, canned, out)
            };
            if next != Next::Stay {
                return next;
            }
        }
        Next::Stay
    }

    fn line(&mut self, line: &[u8], canned: &Canned, out: &mut Vec<u8>) -> Next {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some((length, is_waiting)) = literal(line) {
            self.literal_left = length;
            if self.command.is_empty() {
                self.command.extend_from_slice(line);
            }
            if is_waiting {
                out.extend_from_slice(b"+ go on\r\n");
            }
            return Next::Stay;
        }
        if self.command.is_empty() {
            return answer(line, canned, out);
        }
        let command = std::mem::take(&mut self.command);
        answer(&command, canned, out)
    }
}

fn answer(line: &[u8], canned: &Canned, out: &mut Vec<u8>) -> Next {
    let (tag, rest) = word(line);
    let (verb, rest) = match word(rest) {
        (uid, rest) if uid.eq_ignore_ascii_case(b"UID") => word(rest),
        other => other,
    };
    let is = |name: &[u8]| verb.eq_ignore_ascii_case(name);
    if tag.is_empty() || verb.is_empty() {
        return Next::Hang;
    }
    if is(b"FETCH") {
        let (set, items) = word(rest);
        canned.fetch(set, items, out);
    } else if is(b"STORE") {
        let (set, what) = word(rest);
        canned.store(set, what, out);
    } else if is(b"SELECT") || is(b"EXAMINE") {
        canned.select(out);
    } else if is(b"CAPABILITY") {
        out.extend_from_slice(b"* CAPABILITY IMAP4rev1 LITERAL+\r\n");
    } else if is(b"SEARCH") {
        out.extend_from_slice(b"* SEARCH\r\n");
    } else if is(b"LOGOUT") {
        out.extend_from_slice(b"* BYE Canned\r\n");
        canned.done(tag, out);
        return Next::Leave;
    }
    canned.done(tag, out);
    Next::Stay
}

/// The first word and what follows it.
fn word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr(b' ', line).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (word, rest.strip_prefix(b" ").unwrap_or(rest))
}

/// The length that the end of a line announces, and whether the client waits to be let on.
fn literal(line: &[u8]) -> Option<(u64, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let open = memrchr(b'{', inner)?;
    let digits = inner.get(open + 1..)?;
    let (digits, is_waiting) = match digits.strip_suffix(b"+") {
        Some(digits) => (digits, false),
        None => (digits, true),
    };
    let length = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((length, is_waiting))
}

#[cfg(test)]
mod tests {
    use super::{Canned, Conversation, Next};

    /// Sends `said` in two pieces, cut everywhere, and expects the same answer each time.
    fn check(said: &str, expected: &str, next: Next) {
        let canned = Canned::new(21, 5, 3);
        for cut in 0..said.len() {
            let (head, tail) = said.as_bytes().split_at(cut);
            let mut conversation = Conversation::default();
            let mut out = Vec::new();
            let mut last = conversation.receive(head, &canned, &mut out);
            if last == Next::Stay {
                last = conversation.receive(tail, &canned, &mut out);
            }
            assert_eq!(
                (String::from_utf8(out).unwrap().as_str(), last),
                (expected, next)
            );
        }
    }

    #[test]
    fn commands_are_answered_with_the_size_that_was_asked_for() {
        check("a1 NOOP\r\n", "a1 OK .............\r\n", Next::Stay);
        check(
            "long-tag-of-a-client noop\r\n",
            "long-tag-of-a-client OK .\r\n",
            Next::Stay,
        );
        check(
            "a NOOP\r\nb NOOP\r\n",
            "a OK ..............\r\nb OK ..............\r\n",
            Next::Stay,
        );
    }

    #[test]
    fn a_client_is_shown_a_mailbox() {
        check(
            "a UID FETCH 2 BODY.PEEK[]\r\n",
            "* 2 FETCH (UID 2 BODY[] {5}\r\nSeven)\r\na OK ..............\r\n",
            Next::Stay,
        );
        check(
            "a FETCH 2:* (UID FLAGS RFC822.SIZE)\r\n",
            "* 2 FETCH (UID 2 FLAGS () RFC822.SIZE 5)\r\n\
             * 3 FETCH (UID 3 FLAGS () RFC822.SIZE 5)\r\na OK ..............\r\n",
            Next::Stay,
        );
        check(
            "a UID STORE 1 +FLAGS (\\Flagged)\r\nb STORE 1 -FLAGS (\\Flagged)\r\n",
            "* 1 FETCH (UID 1 FLAGS (\\Flagged))\r\na OK ..............\r\n\
             * 1 FETCH (UID 1 FLAGS ())\r\nb OK ..............\r\n",
            Next::Stay,
        );
        check(
            "a SELECT INBOX\r\n",
            "* 3 EXISTS\r\n* 0 RECENT\r\n* FLAGS (\\Seen \\Flagged)\r\n\
             * OK [UIDVALIDITY 1] Canned\r\n* OK [UIDNEXT 4] Canned\r\n\
             a OK ..............\r\n",
            Next::Stay,
        );
    }

    #[test]
    fn literals_are_swallowed() {
        check(
            "a APPEND INBOX {9+}\r\nb NOOP\r\n\r\nc NOOP\r\n",
            "a OK ..............\r\nc OK ..............\r\n",
            Next::Stay,
        );
        check(
            "a LOGIN {1}\r\nx {2}\r\nyy\r\n",
            "+ go on\r\n+ go on\r\na OK ..............\r\n",
            Next::Stay,
        );
    }

    #[test]
    fn a_connection_ends_after_logout_and_after_nonsense() {
        check(
            "a LOGOUT\r\n",
            "* BYE Canned\r\na OK ..............\r\n",
            Next::Leave,
        );
        check("\r\n", "", Next::Hang);
    }
}
