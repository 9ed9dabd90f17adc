//! Bytes of a server become responses (RFC 3501 7), without keeping what literals carry.
//!
//! **Invariant:** pure. A response is seen whole whatever pieces the network cut it into.

pub mod digest;
mod fetched;
pub mod reader;

use imap_proto::grammar::Cursor;

use crate::fault::{Fault, FaultKind};

pub use self::fetched::{Fetched, Flags};

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

/// A response code (RFC 3501 7.1), as far as one is looked at here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code<'r> {
    /// `UIDVALIDITY`
    UidValidity(u32),
    /// `HIGHESTMODSEQ` (RFC 7162 3.1.2.1)
    HighestModSeq(u64),
    /// `APPENDUID` (RFC 4315 3)
    AppendUid {
        /// The mailbox's validity.
        validity: u32,
        /// The new message.
        uid: u32,
    },
    /// `CAPABILITY`: the rest of the code.
    Capability(&'r [u8]),
    /// Another one, or none.
    Other,
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
        /// What else it says.
        code: Code<'r>,
    },
    /// Anything that starts with `*`.
    Untagged(Untagged<'r>),
    /// `+`: the server waits for more of a command.
    Continuation,
}

/// The untagged responses that an operation may want to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untagged<'r> {
    /// A status response; also the greeting.
    Status(Status, Code<'r>),
    /// How many messages the mailbox holds.
    Exists(u32),
    /// A message is gone; its sequence number.
    Expunge(u32),
    /// Messages are gone; the mailbox has so many (RFC 7162 3.2.10).
    Vanished,
    /// Data of one message.
    Fetch(Fetched),
    /// The rest of `* SEARCH`.
    Search(&'r [u8]),
    /// The rest of `* CAPABILITY`.
    Capability(&'r [u8]),
    /// The rest of `* LIST`.
    List(&'r [u8]),
    /// The rest of `* STATUS`.
    MailboxStatus(&'r [u8]),
    /// Nothing that is checked here.
    Other,
}

impl<'r> Reply<'r> {
    /// Reads a line as [`reader::ReplyReader::next`] hands it out.
    pub fn parse(line: &'r [u8]) -> Result<Self, Fault> {
        parse(line).ok_or_else(|| Fault::said(FaultKind::Malformed, line))
    }
}

fn parse(line: &[u8]) -> Option<Reply<'_>> {
    match line.first()? {
        b'+' => return Some(Reply::Continuation),
        b'*' => return untagged(line.strip_prefix(b"* ")?).map(Reply::Untagged),
        _ => {}
    }
    let mut cursor = Cursor::new(line);
    let tag = cursor.tag().ok()?;
    cursor.sp().ok()?;
    let status = status(&mut cursor)?;
    Some(Reply::Tagged {
        tag,
        status,
        code: code(cursor),
    })
}

fn untagged(line: &[u8]) -> Option<Untagged<'_>> {
    let mut cursor = Cursor::new(line);
    if cursor.peek()?.is_ascii_digit() {
        let number = cursor.number().ok()?;
        cursor.sp().ok()?;
        if cursor.take_prefix("FETCH ") {
            return fetched::parse(number, cursor).map(Untagged::Fetch);
        }
        if cursor.take_word("EXISTS") {
            cursor.end().ok()?;
            return Some(Untagged::Exists(number));
        }
        if cursor.take_word("EXPUNGE") {
            return Some(Untagged::Expunge(number));
        }
        return Some(Untagged::Other);
    }
    let rest = cursor;
    let word = cursor.take_while(|byte| byte.is_ascii_alphabetic());
    if let Some(status) = status_word(word) {
        return Some(Untagged::Status(status, code(cursor)));
    }
    let after = cursor.rest();
    let after = after.strip_prefix(b" ").unwrap_or(after);
    Some(match word.to_ascii_uppercase().as_slice() {
        b"SEARCH" => Untagged::Search(after),
        b"CAPABILITY" => Untagged::Capability(after),
        b"LIST" => Untagged::List(after),
        b"STATUS" => Untagged::MailboxStatus(after),
        b"VANISHED" => Untagged::Vanished,
        // RFC 3501 7: a response starts with a word.
        b"" => return (!rest.rest().is_empty()).then_some(Untagged::Other),
        _ => Untagged::Other,
    })
}

fn status(cursor: &mut Cursor<'_>) -> Option<Status> {
    status_word(cursor.take_while(|byte| byte.is_ascii_alphabetic()))
}

fn status_word(word: &[u8]) -> Option<Status> {
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

/// The code after a status; what is not understood is as good as absent.
fn code<'r>(cursor: Cursor<'r>) -> Code<'r> {
    known_code(cursor).unwrap_or(Code::Other)
}

fn known_code(mut cursor: Cursor<'_>) -> Option<Code<'_>> {
    cursor.sp().ok()?;
    if !cursor.take_byte(b'[') {
        return None;
    }
    if cursor.take_prefix("UIDVALIDITY ") {
        return Some(Code::UidValidity(cursor.number().ok()?));
    }
    if cursor.take_prefix("HIGHESTMODSEQ ") {
        return Some(Code::HighestModSeq(cursor.number64().ok()?));
    }
    if cursor.take_prefix("APPENDUID ") {
        let validity = cursor.number().ok()?;
        cursor.sp().ok()?;
        let uid = cursor.nz_number().ok()?;
        return Some(Code::AppendUid { validity, uid });
    }
    if cursor.take_prefix("CAPABILITY ") {
        return Some(Code::Capability(cursor.take_while(|byte| byte != b']')));
    }
    None
}

fn is_status_response(line: &[u8]) -> bool {
    matches!(
        parse(line),
        Some(Reply::Tagged { .. } | Reply::Untagged(Untagged::Status(..)))
    )
}

fn literal_length(cursor: &mut Cursor<'_>) -> Option<u64> {
    cursor.expect_byte(b'{', "{").ok()?;
    let bytes = cursor.number64().ok()?;
    cursor.expect_byte(b'}', "}").ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests;
