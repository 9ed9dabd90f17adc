//! IDLE (RFC 2177), up to its continuation; DONE comes as a raw line.

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// There are no arguments; that nothing follows is checked for all commands alike.
pub(super) fn parse(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Idle)
}
