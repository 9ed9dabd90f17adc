//! The FETCH that tells a session which messages there are, and how long they must be.

use imap_proto::response::string::number;

use super::Message;
use crate::fault::{Fault, FaultKind};
use crate::limits::MESSAGES_KNOWN_MAX;
use crate::reply::Untagged;

/// A survey under way.
#[derive(Debug)]
pub struct Survey {
    wanted: usize,
    messages: Vec<Message>,
}

impl Survey {
    /// Writes the command for the first of `exists` messages; `exists` is not zero.
    pub fn write(exists: u32, out: &mut Vec<u8>) -> Self {
        let wanted = exists.min(MESSAGES_KNOWN_MAX);
        out.extend_from_slice(b"FETCH 1:");
        number(out, wanted);
        out.extend_from_slice(b" (UID FLAGS RFC822.SIZE)\r\n");
        Self {
            wanted: usize::try_from(wanted).unwrap_or(usize::MAX),
            messages: Vec::new(),
        }
    }

    /// What the server told.
    pub fn messages(self) -> Vec<Message> {
        self.messages
    }

    /// Takes in a message. A FETCH that lacks an item is news of another session's change.
    pub(super) fn untagged(&mut self, untagged: &Untagged) -> Result<(), Fault> {
        let Untagged::Fetch(fetched) = untagged else {
            return Ok(());
        };
        let (Some(uid), Some(size_bytes), Some(flagged)) =
            (fetched.uid, fetched.size_bytes, fetched.flagged)
        else {
            return Ok(());
        };
        if self.messages.len() >= self.wanted {
            return Err(Fault::because(
                FaultKind::Surplus,
                format_args!("more than {} messages were fetched", self.wanted),
            ));
        }
        self.messages.push(Message {
            uid,
            size_bytes,
            flagged,
        });
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Fault> {
        if self.messages.len() == self.wanted {
            return Ok(());
        }
        Err(Fault::because(
            FaultKind::Missing,
            format_args!("{} of {} messages", self.messages.len(), self.wanted),
        ))
    }
}
