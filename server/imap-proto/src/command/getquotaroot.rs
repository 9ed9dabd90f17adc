//! GETQUOTAROOT (RFC 9208 4.1.2).

use super::{Arguments, Command};
use crate::grammar::{MailboxName, Parsed, mailbox_name};

/// Parses the arguments. The empty name is taken: clients ask by it for the root of the account.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    arguments.cursor.sp()?;
    let wire = arguments.cursor.astring()?;
    let name = mailbox_name::decode(&wire)?;
    Ok(Command::GetQuotaRoot(MailboxName::new(name)))
}
