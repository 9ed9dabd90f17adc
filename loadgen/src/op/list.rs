//! LIST of all mailboxes (RFC 3501 6.3.8).

use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;

/// A LIST under way.
#[derive(Debug, Default)]
pub struct List {
    has_inbox: bool,
}

impl List {
    /// Writes the command.
    pub fn write(out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"LIST \"\" \"*\"\r\n");
        Self::default()
    }

    /// Takes in a mailbox: attributes in parentheses, the delimiter, the name.
    pub fn untagged(&mut self, untagged: &Untagged<'_>) -> Result<(), Fault> {
        let Untagged::List(line) = untagged else {
            return Ok(());
        };
        let name = memchr::memchr(b')', line)
            .and_then(|end| line.get(end + 1..))
            .and_then(|rest| rest.strip_prefix(b" "))
            .and_then(|rest| memchr::memchr(b' ', rest).and_then(|end| rest.get(end + 1..)))
            .ok_or_else(|| Fault::said(FaultKind::Malformed, line))?;
        let name = name.strip_prefix(b"\"").unwrap_or(name);
        let name = name.strip_suffix(b"\"").unwrap_or(name);
        self.has_inbox |= name.eq_ignore_ascii_case(b"INBOX");
        Ok(())
    }

    /// RFC 3501 5.1: every user has an INBOX.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.has_inbox {
            return Ok(());
        }
        Err(Fault::because(FaultKind::Missing, "LIST without INBOX"))
    }
}
