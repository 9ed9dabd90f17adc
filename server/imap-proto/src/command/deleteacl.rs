//! DELETEACL (RFC 4314 3.2).

use super::{Arguments, Command};
use crate::grammar::{AclIdentifier, MailboxName, Parsed, acl_identifier};

/// DELETEACL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeleteAcl {
    /// The mailbox.
    pub mailbox: MailboxName,
    /// Whose entry.
    pub identifier: AclIdentifier,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    cursor.sp()?;
    let identifier = acl_identifier(cursor)?;
    Ok(Command::DeleteAcl(DeleteAcl {
        mailbox,
        identifier,
    }))
}
