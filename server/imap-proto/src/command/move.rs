//! MOVE and UID MOVE (RFC 6851).

use super::{Arguments, Command, Numbering};
use crate::grammar::sequence_set::sequence_set;
use crate::grammar::{MailboxName, Parsed, SequenceSet};

/// MOVE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What the set's numbers are.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// Where to.
    pub mailbox: MailboxName,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let numbering = arguments.numbering;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let set = sequence_set(cursor)?;
    cursor.sp()?;
    let mailbox = cursor.mailbox()?;
    Ok(Command::Move(Move {
        numbering,
        set,
        mailbox,
    }))
}
