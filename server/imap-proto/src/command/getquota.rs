//! GETQUOTA (RFC 9208 4.1.1).

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    arguments.cursor.sp()?;
    let root = arguments.cursor.astring()?.into_owned();
    Ok(Command::GetQuota(root))
}
