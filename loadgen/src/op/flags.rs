//! FETCH of the flags of all messages (RFC 3501 6.4.5): as many answers as messages.

use imap_proto::response::string::number;

use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;

/// A FETCH under way.
#[derive(Debug)]
pub struct AllFlags {
    wanted: u32,
    next: u32,
}

impl AllFlags {
    /// Writes the command for `exists` messages; `exists` is not zero.
    pub fn write(exists: u32, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"FETCH 1:");
        number(out, exists);
        out.extend_from_slice(b" (FLAGS)\r\n");
        Self {
            wanted: exists,
            next: 1,
        }
    }

    /// Takes in a message. One out of turn is news of another session's change.
    pub fn untagged(&mut self, untagged: &Untagged<'_>) -> Result<(), Fault> {
        if let Untagged::Fetch(fetched) = untagged
            && fetched.sequence == self.next
            && fetched.flags.is_some()
        {
            self.next += 1;
        }
        Ok(())
    }

    /// All of them must have come.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.next == self.wanted + 1 {
            return Ok(());
        }
        Err(Fault::because(
            FaultKind::Missing,
            format_args!("no flags of message {} of {}", self.next, self.wanted),
        ))
    }
}
