//! EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1).

use super::{Arguments, Command, Numbering};
use crate::grammar::sequence_set::sequence_set;
use crate::grammar::{Parsed, SequenceSet};

/// EXPUNGE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expunge {
    /// UID EXPUNGE: only messages among these UIDs.
    pub uids: Option<SequenceSet>,
}

/// Parses the arguments: none for EXPUNGE, the UIDs for UID EXPUNGE.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let uids = match arguments.numbering {
        Numbering::Sequence => None,
        Numbering::Uid => {
            arguments.cursor.sp()?;
            Some(sequence_set(&mut arguments.cursor)?)
        }
    };
    Ok(Command::Expunge(Expunge { uids }))
}
