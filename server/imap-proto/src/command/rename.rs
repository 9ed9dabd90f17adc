//! RENAME (RFC 3501 6.3.5).

use crate::grammar::MailboxName;

/// RENAME.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The present name.
    pub from: MailboxName,
    /// The new name.
    pub to: MailboxName,
}
