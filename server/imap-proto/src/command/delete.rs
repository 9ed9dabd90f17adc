//! DELETE (RFC 3501 6.3.4).

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    arguments.cursor.sp()?;
    arguments.cursor.mailbox().map(Command::Delete)
}
