//! Bytes of a server become responses (RFC 3501 7), without keeping what literals carry.
//!
//! **Invariant:** pure. The reader sees a response whole whatever pieces the network cut it into.

use imap_proto::grammar::Cursor;

use crate::fault::{Fault, FaultKind};
use crate::limits::{LINE_BYTES_MAX, LITERAL_BYTES_MAX};

/// Cuts a stream into responses. A literal leaves its `{length}` in the line and its octets are
/// counted and dropped, so a body costs nothing but its receipt.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// The response so far, without line ends and octets of literals.
    line: Vec<u8>,
    /// Where the part after the last literal starts; `part_start <= line.len()`.
    part_start: usize,
    /// Octets of the literal under way that have not come yet.
    literal_bytes_left: usize,
    /// Whether `line` has been handed out and makes room for the next.
    complete: bool,
}

impl ReplyReader {
    /// Takes the next whole response from the front of `input`; `None` when `input` is used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<&[u8]>, Fault> {
        if self.complete {
            self.complete = false;
            self.part_start = 0;
            self.line.clear();
        }
        loop {
            let skipped = self.literal_bytes_left.min(input.len());
            self.literal_bytes_left -= skipped;
            *input = input.get(skipped..).unwrap_or_default();
            let Some(end) = input.iter().position(|byte| *byte == b'\n') else {
                self.keep(input)?;
                *input = &[];
                return Ok(None);
            };
            let (part, rest) = input.split_at(end + 1);
            self.keep(part)?;
            *input = rest;
            if !self.line.ends_with(b"\r\n") {
                return Err(Fault::said(FaultKind::Malformed, &self.line));
            }
            self.line.truncate(self.line.len() - 2);
            match self.announced_literal()? {
                Some(bytes) => {
                    self.literal_bytes_left = bytes;
                    self.part_start = self.line.len();
                }
                None => {
                    self.complete = true;
                    return Ok(Some(&self.line));
                }
            }
        }
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), Fault> {
        if self.line.len() + part.len() > LINE_BYTES_MAX {
            return Err(Fault::said(FaultKind::Malformed, &self.line));
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    /// The length of the literal that the part just read announces at its end.
    fn announced_literal(&self) -> Result<Option<usize>, Fault> {
        let part = self.line.get(self.part_start..).unwrap_or_default();
        // A length that is wrong shows where its literal ends, before the next one is believed.
        if self.part_start > 0 && !matches!(part.first(), None | Some(b' ' | b')')) {
            return Err(Fault::said(FaultKind::Malformed, &self.line));
        }
        let Some(open) = part
            .strip_suffix(b"}")
            .and_then(|part| part.iter().rposition(|byte| *byte == b'{'))
        else {
            return Ok(None);
        };
        // RFC 3501 7.1: the end of a status response is text for people, whatever it looks like.
        if is_status_response(&self.line) {
            return Ok(None);
        }
        let mut cursor = Cursor::new(part.get(open..).unwrap_or_default());
        literal_length(&mut cursor)
            .filter(|bytes| *bytes <= LITERAL_BYTES_MAX)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .map(Some)
            .ok_or_else(|| Fault::said(FaultKind::Malformed, &self.line))
    }
}

/// The condition that a status response reports (RFC 3501 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `OK`
    Ok,
    /// `NO`
    No,
    /// `BAD`
    Bad,
    /// `BYE`
    Bye,
    /// `PREAUTH`
    PreAuth,
}

/// One response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply<'r> {
    /// The end of a command.
    Tagged {
        /// Whose end it is.
        tag: &'r [u8],
        /// How it ended.
        status: Status,
    },
    /// Anything that starts with `*`.
    Untagged(Untagged),
    /// `+`: the server waits for more of a command.
    Continuation,
}

/// The untagged responses that an operation may want to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untagged {
    /// A status response; also the greeting.
    Status(Status),
    /// How many messages the mailbox holds.
    Exists(u32),
    /// Data of one message.
    Fetch(Fetched),
    /// Nothing that is checked here.
    Other,
}

/// What a FETCH response says of its message, as far as it is checked here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// `UID`
    pub uid: Option<u32>,
    /// `RFC822.SIZE`, in octets.
    pub size_bytes: Option<u64>,
    /// Whether `FLAGS` holds `\Flagged`, when there are flags.
    pub flagged: Option<bool>,
    /// How many octets `BODY[]` carries.
    pub body_bytes: Option<u64>,
}

impl<'r> Reply<'r> {
    /// Reads a line as [`ReplyReader::next`] hands it out.
    pub fn parse(line: &'r [u8]) -> Result<Self, Fault> {
        parse(line).ok_or_else(|| Fault::said(FaultKind::Malformed, line))
    }
}

fn parse(line: &[u8]) -> Option<Reply<'_>> {
    let mut cursor = Cursor::new(line);
    if cursor.take_byte(b'+') {
        return Some(Reply::Continuation);
    }
    if cursor.take_byte(b'*') {
        cursor.sp().ok()?;
        return untagged(cursor).map(Reply::Untagged);
    }
    let tag = cursor.tag().ok()?;
    cursor.sp().ok()?;
    let status = status(&mut cursor)?;
    Some(Reply::Tagged { tag, status })
}

fn untagged(mut cursor: Cursor<'_>) -> Option<Untagged> {
    if cursor.peek()?.is_ascii_digit() {
        let number = cursor.number().ok()?;
        cursor.sp().ok()?;
        if cursor.take_word("EXISTS") {
            cursor.end().ok()?;
            return Some(Untagged::Exists(number));
        }
        if cursor.take_word("FETCH") {
            cursor.sp().ok()?;
            return fetched(cursor).map(Untagged::Fetch);
        }
        return Some(Untagged::Other);
    }
    Some(status(&mut cursor).map_or(Untagged::Other, Untagged::Status))
}

fn status(cursor: &mut Cursor<'_>) -> Option<Status> {
    let word = cursor.take_while(|byte| byte.is_ascii_alphabetic());
    [
        ("OK", Status::Ok),
        ("NO", Status::No),
        ("BAD", Status::Bad),
        ("BYE", Status::Bye),
        ("PREAUTH", Status::PreAuth),
    ]
    .into_iter()
    .find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))
    .map(|(_, status)| status)
}

fn is_status_response(line: &[u8]) -> bool {
    matches!(
        parse(line),
        Some(Reply::Tagged { .. } | Reply::Untagged(Untagged::Status(_)))
    )
}

/// `msg-att`: names and values in parentheses, to the end of the response.
fn fetched(mut cursor: Cursor<'_>) -> Option<Fetched> {
    let mut found = Fetched::default();
    cursor.expect_byte(b'(', "(").ok()?;
    loop {
        let name = cursor.take_while(|byte| !matches!(byte, b' ' | b'(' | b')'));
        cursor.sp().ok()?;
        if name.eq_ignore_ascii_case(b"UID") {
            found.uid = Some(cursor.nz_number().ok()?);
        } else if name.eq_ignore_ascii_case(b"RFC822.SIZE") {
            found.size_bytes = Some(cursor.number64().ok()?);
        } else if name.eq_ignore_ascii_case(b"FLAGS") {
            found.flagged = Some(flagged(&mut cursor)?);
        } else if name.eq_ignore_ascii_case(b"BODY[]") {
            found.body_bytes = Some(string_length(&mut cursor)?);
        } else {
            skip_value(&mut cursor)?;
        }
        if cursor.take_byte(b')') {
            cursor.end().ok()?;
            return Some(found);
        }
        cursor.sp().ok()?;
    }
}

fn flagged(cursor: &mut Cursor<'_>) -> Option<bool> {
    cursor.expect_byte(b'(', "(").ok()?;
    let flags = cursor.take_while(|byte| byte != b')');
    cursor.expect_byte(b')', ")").ok()?;
    Some(
        flags
            .split(|byte| *byte == b' ')
            .any(|flag| flag.eq_ignore_ascii_case(b"\\Flagged")),
    )
}

/// The octets of a string whose literal, if it is one, has been taken out by the reader.
fn string_length(cursor: &mut Cursor<'_>) -> Option<u64> {
    if cursor.peek()? == b'"' {
        return u64::try_from(cursor.quoted().ok()?.len()).ok();
    }
    literal_length(cursor)
}

fn literal_length(cursor: &mut Cursor<'_>) -> Option<u64> {
    cursor.expect_byte(b'{', "{").ok()?;
    let bytes = cursor.number64().ok()?;
    cursor.expect_byte(b'}', "}").ok()?;
    Some(bytes)
}

/// Skips a value of any shape: an atom, a string, or a list of these.
fn skip_value(cursor: &mut Cursor<'_>) -> Option<()> {
    // Depth is counted, not descended, so nesting costs the server's bytes and none of our stack.
    let mut depth = 0_u32;
    loop {
        match cursor.peek()? {
            b'(' => {
                cursor.take_byte(b'(');
                depth += 1;
            }
            b')' => {
                depth = depth.checked_sub(1)?;
                cursor.take_byte(b')');
            }
            b'"' => {
                cursor.quoted().ok()?;
            }
            b' ' => cursor.skip_spaces(),
            _ => {
                cursor.take_while(|byte| !matches!(byte, b' ' | b'(' | b')' | b'"'));
            }
        }
        if depth == 0 {
            return Some(());
        }
    }
}

#[cfg(test)]
mod tests;
