//! COPY and UID COPY (RFC 3501 6.4.7).

use super::{Arguments, Command, Numbering};
use crate::grammar::sequence_set::sequence_set;
use crate::grammar::{MailboxName, Parsed, SequenceSet};

/// COPY.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy {
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
    Ok(Command::Copy(Copy {
        numbering,
        set,
        mailbox,
    }))
}
