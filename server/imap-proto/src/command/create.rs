//! CREATE (RFC 3501 6.3.3) with special use (RFC 6154 3).

use crate::grammar::{MailboxName, SpecialUse};

/// CREATE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// The name, with the trailing delimiter if the client gave one.
    pub mailbox: MailboxName,
    /// `(USE (...))`; empty without it.
    pub special_use: Vec<SpecialUse>,
}
