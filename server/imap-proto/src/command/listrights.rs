//! LISTRIGHTS (RFC 4314 3.4).

use super::{Arguments, Command};
use crate::grammar::{AclIdentifier, MailboxName, Parsed, acl_identifier};

/// LISTRIGHTS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListRights {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Who might get the rights.
    pub identifier: AclIdentifier,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    let identifier = acl_identifier(cursor)?;
    Ok(Command::ListRights(ListRights {
        mailbox,
        identifier,
    }))
}
