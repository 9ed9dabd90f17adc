//! GETQUOTAROOT (RFC 9208 4.1.2).

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    arguments.cursor.sp()?;
    arguments.cursor.mailbox().map(Command::GetQuotaRoot)
}
