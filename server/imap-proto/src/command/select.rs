//! SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2) with CONDSTORE (RFC 7162 3.1.8).

use crate::grammar::MailboxName;

/// SELECT or EXAMINE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Select {
    /// Which mailbox.
    pub mailbox: MailboxName,
    /// SELECT or EXAMINE.
    pub access: Access,
    /// The CONDSTORE parameter: enables CONDSTORE.
    pub condstore: bool,
}

/// How a mailbox is to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// SELECT
    ReadWrite,
    /// EXAMINE
    ReadOnly,
}
