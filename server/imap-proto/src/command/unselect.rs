//! UNSELECT (RFC 3691).

use super::{Arguments, Command};
use crate::grammar::Parsed;

/// There are no arguments; that nothing follows is checked for all commands alike.
pub(super) fn parse(_: &mut Arguments<'_>) -> Parsed<Command> {
    Ok(Command::Unselect)
}
