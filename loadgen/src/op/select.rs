//! SELECT (RFC 3501 6.3.1): which mailbox, and how many messages it holds.

use imap_proto::response::string::astring;

use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;

/// A SELECT under way.
#[derive(Debug, Default)]
pub struct Select {
    exists: Option<u32>,
}

impl Select {
    /// Writes the command. The mailbox is printable ASCII.
    pub fn write(mailbox: &str, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"SELECT ");
        astring(out, mailbox.as_bytes());
        out.extend_from_slice(b"\r\n");
        Self::default()
    }

    /// How many messages there are.
    pub fn exists(&self) -> u32 {
        self.exists.unwrap_or(0)
    }

    pub(super) fn untagged(&mut self, untagged: &Untagged) {
        if let Untagged::Exists(exists) = untagged {
            self.exists = Some(*exists);
        }
    }

    /// RFC 3501 6.3.1 requires EXISTS in every answer to SELECT.
    pub(super) fn finish(&self) -> Result<(), Fault> {
        match self.exists {
            Some(_) => Ok(()),
            None => Err(Fault::because(FaultKind::Missing, "SELECT without EXISTS")),
        }
    }
}
