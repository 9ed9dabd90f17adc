//! APPEND (RFC 3501 6.3.11), up to its message literal, which the session streams.

use super::{Arguments, Command};
use crate::grammar::date::append_date;
use crate::grammar::flag::flag_list;
use crate::grammar::{Cursor, DateTime, Flag, MailboxName, Parsed, SyntaxError};
use crate::request::LiteralHeader;

/// APPEND, all but the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where to.
    pub mailbox: MailboxName,
    /// Flags to set; may name `\Recent`, which cannot be set.
    pub flags: Vec<Flag>,
    /// The internal date, if the client gave one.
    pub internal_date: Option<DateTime>,
    /// The message that this one takes the place of.
    pub replaces: Option<Replaces>,
    /// The message that follows.
    pub literal: LiteralHeader,
}

/// `(REPLACESUID(n) CHECKOLDEXISTS)`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// UID of the message that goes when the new one has come.
    pub uid: u32,
    /// CHECKOLDEXISTS: if it is gone already, nothing is done.
    pub must_exist: bool,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    // RFC 3501 `append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal`, with our
    // options before the literal.
    let literal = arguments
        .message_literal
        .ok_or(SyntaxError::Expected("message literal"))?;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') && !are_options(*cursor) {
        flags = flag_list(cursor)?;
        cursor.sp()?;
    }
    let mut internal_date = None;
    if cursor.peek() == Some(b'"') {
        internal_date = Some(append_date(cursor)?);
        cursor.sp()?;
    }
    let mut replaces = None;
    if cursor.peek() == Some(b'(') {
        replaces = Some(options(cursor)?);
        cursor.sp()?;
    }
    Ok(Command::Append(Append {
        mailbox,
        flags,
        internal_date,
        replaces,
        literal,
    }))
}

/// Whether a list is no flags: these words can be keywords, but nobody has such ones, and a
/// mistake must not leave two messages where one was to be replaced.
fn are_options(mut cursor: Cursor<'_>) -> bool {
    cursor.take_byte(b'(');
    cursor.skip_spaces();
    cursor.take_word("REPLACESUID") || cursor.take_word("CHECKOLDEXISTS")
}

fn options(cursor: &mut Cursor<'_>) -> Parsed<Replaces> {
    let (mut uid, mut must_exist) = (None, false);
    cursor.list(|cursor| {
        if cursor.take_word("CHECKOLDEXISTS") {
            must_exist = true;
            return Ok(());
        }
        if !cursor.take_word("REPLACESUID") {
            return Err(SyntaxError::Unknown("APPEND option"));
        }
        cursor.expect_byte(b'(', "(")?;
        let is_new = uid.replace(cursor.nz_number()?).is_none();
        cursor.expect_byte(b')', ")")?;
        match is_new {
            true => Ok(()),
            false => Err(SyntaxError::Conflict("REPLACESUID comes twice")),
        }
    })?;
    let uid = uid.ok_or(SyntaxError::Conflict("CHECKOLDEXISTS needs REPLACESUID"))?;
    Ok(Replaces { uid, must_exist })
}
