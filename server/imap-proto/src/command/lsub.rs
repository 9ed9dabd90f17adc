//! LSUB (RFC 3501 6.3.9).

use super::list::{list_mailbox, reference};
use super::{Arguments, Command};
use crate::grammar::Parsed;

/// LSUB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lsub {
    /// The reference name, UTF-8.
    pub reference: String,
    /// The pattern with `*` and `%`, UTF-8.
    pub pattern: String,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let reference = reference(cursor)?;
    cursor.sp()?;
    let pattern = list_mailbox(cursor)?;
    Ok(Command::Lsub(Lsub { reference, pattern }))
}
