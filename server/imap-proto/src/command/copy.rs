//! COPY and UID COPY (RFC 3501 6.4.7).

use super::Numbering;
use crate::grammar::{MailboxName, SequenceSet};

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
