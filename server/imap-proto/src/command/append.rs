//! APPEND (RFC 3501 6.3.11), up to its message literal, which the session streams.

use crate::grammar::{DateTime, Flag, MailboxName};
use crate::request::LiteralHeader;

/// APPEND, all but the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// Where to.
    pub mailbox: MailboxName,
    /// Flags to set; may name `\Recent`, which cannot be set.
    pub flags: Vec<Flag>,
    /// The internal date, if the client gave one.
    pub internal_date: Option<DateTime>,
    /// The message that follows.
    pub literal: LiteralHeader,
}
