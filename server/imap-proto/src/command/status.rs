//! STATUS (RFC 3501 6.3.10).

use crate::grammar::{MailboxName, StatusItem};

/// STATUS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Which mailbox.
    pub mailbox: MailboxName,
    /// What of it, in the client's order. Not empty.
    pub items: Vec<StatusItem>,
}
