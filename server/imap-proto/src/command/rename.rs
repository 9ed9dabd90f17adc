//! RENAME (RFC 3501 6.3.5).

use super::{Arguments, Command};
use crate::grammar::{MailboxName, Parsed};

/// RENAME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The present name.
    pub from: MailboxName,
    /// The new name.
    pub to: MailboxName,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let from = cursor.mailbox()?;
    cursor.sp()?;
    let to = cursor.mailbox()?;
    Ok(Command::Rename(Rename { from, to }))
}
