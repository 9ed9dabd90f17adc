//! MOVE and UID MOVE (RFC 6851).

use super::Numbering;
use crate::grammar::{MailboxName, SequenceSet};

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
