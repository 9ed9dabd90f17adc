//! STATUS (RFC 3501 6.3.10).

use super::{Arguments, Command};
use crate::grammar::{Cursor, MailboxName, Parsed, StatusItem, SyntaxError};

/// STATUS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which mailbox.
    pub mailbox: MailboxName,
    /// What of it, in the client's order. Not empty.
    pub items: Vec<StatusItem>,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    let items = cursor.list(status_item)?;
    Ok(Command::Status(Status { mailbox, items }))
}

/// RFC 3501 `status-att`
pub(super) fn status_item(cursor: &mut Cursor<'_>) -> Parsed<StatusItem> {
    StatusItem::from_name(cursor.atom()?).ok_or(SyntaxError::Unknown("STATUS item"))
}
