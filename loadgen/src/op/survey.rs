//! The FETCH that tells a run which messages there are, and how long they must be.

use imap_proto::response::string::number;

use crate::fault::{Fault, FaultKind};
use crate::limits::MESSAGES_KNOWN_MAX;
use crate::reply::Untagged;
use crate::reply::digest::{Certificate, Digest};
use crate::shadow::Mailbox;

/// A survey under way.
#[derive(Debug)]
pub struct Survey {
    wanted: u32,
    came: u32,
    uid: u32,
}

impl Survey {
    /// Writes the command for the first of `exists` messages; `exists` is not zero. With
    /// `numbers` the answers also tell which messages are ours.
    pub fn write(exists: u32, numbers: bool, out: &mut Vec<u8>) -> Self {
        let wanted = exists.min(MESSAGES_KNOWN_MAX);
        out.extend_from_slice(b"FETCH 1:");
        number(out, wanted);
        out.extend_from_slice(b" (UID FLAGS RFC822.SIZE");
        if numbers {
            out.extend_from_slice(b" BODY.PEEK[HEADER.FIELDS (X-LOADGEN)]");
        }
        out.extend_from_slice(b")\r\n");
        Self {
            wanted,
            came: 0,
            uid: 0,
        }
    }

    /// Takes in a message. A FETCH that lacks an item is news of another session's change.
    pub fn untagged(
        &mut self,
        untagged: &Untagged<'_>,
        digest: Option<&Digest>,
        mailbox: &mut Mailbox,
    ) -> Result<(), Fault> {
        let Untagged::Fetch(fetched) = untagged else {
            return Ok(());
        };
        let (Some(uid), Some(size_bytes), Some(flags)) =
            (fetched.uid, fetched.size_bytes, fetched.flags)
        else {
            return Ok(());
        };
        self.came += 1;
        if self.came > self.wanted {
            return Err(Fault::because(
                FaultKind::Surplus,
                format_args!("more than {} messages were fetched", self.wanted),
            ));
        }
        // RFC 3501 2.3.1.1: UIDs ascend with sequence numbers, and a server that answers a FETCH
        // of a range out of order is none that is known.
        if uid <= self.uid {
            return Err(Fault::because(
                FaultKind::WrongUid,
                format_args!("UID {uid} after {}", self.uid),
            ));
        }
        self.uid = uid;
        let literal = digest.and_then(|digest| digest.literals().first());
        let number = literal.and_then(|literal| match literal.certificate {
            // The header alone is there, so its claim about the rest cannot hold.
            Certificate::Broken { number } | Certificate::Kept { number } => Some(number),
            Certificate::Absent => None,
        });
        mailbox.listed(uid, size_bytes, flags, number)
    }

    /// Every message that was asked for must have come.
    pub fn finish(&self, mailbox: &mut Mailbox) -> Result<(), Fault> {
        if self.came == self.wanted {
            mailbox.is_known = true;
            return Ok(());
        }
        Err(Fault::because(
            FaultKind::Missing,
            format_args!("{} of {} messages", self.came, self.wanted),
        ))
    }
}
