//! SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2) with CONDSTORE (RFC 7162 3.1.8).

use super::{Arguments, Command};
use crate::grammar::{MailboxName, Parsed, SyntaxError};

/// SELECT or EXAMINE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// Which mailbox.
    pub mailbox: MailboxName,
    /// SELECT or EXAMINE.
    pub access: Access,
    /// The CONDSTORE parameter: enables CONDSTORE.
    pub condstore: bool,
}

/// How a mailbox is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// SELECT
    ReadWrite,
    /// EXAMINE
    ReadOnly,
}

/// Parses the arguments of SELECT.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    parse_access(arguments, Access::ReadWrite)
}

/// Parses the arguments of EXAMINE.
pub(super) fn parse_examine(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    parse_access(arguments, Access::ReadOnly)
}

fn parse_access(arguments: &mut Arguments<'_>, access: Access) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    let mut condstore = false;
    cursor.skip_spaces();
    if cursor.peek() == Some(b'(') {
        // RFC 4466 2.1: a parameter that is not known is an error of the client's.
        cursor.list(|cursor| {
            if !cursor.take_word("CONDSTORE") {
                return Err(SyntaxError::Unknown("SELECT parameter"));
            }
            condstore = true;
            Ok(())
        })?;
    }
    Ok(Command::Select(Select {
        mailbox,
        access,
        condstore,
    }))
}
