//! APPEND (RFC 3501 6.3.11), up to its message literal, which the session streams.

use super::{Arguments, Command};
use crate::grammar::date::date_time;
use crate::grammar::flag::flag_list;
use crate::grammar::{DateTime, Flag, MailboxName, Parsed, SyntaxError};
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
    /// The message that follows.
    pub literal: LiteralHeader,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    // RFC 3501 `append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal`
    let literal = arguments
        .message_literal
        .ok_or(SyntaxError::Expected("message literal"))?;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = flag_list(cursor)?;
        cursor.sp()?;
    }
    let mut internal_date = None;
    if cursor.peek() == Some(b'"') {
        internal_date = Some(date_time(cursor)?);
        cursor.sp()?;
    }
    Ok(Command::Append(Append {
        mailbox,
        flags,
        internal_date,
        literal,
    }))
}
