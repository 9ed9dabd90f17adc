//! FETCH of what a list of messages shows (RFC 3501 6.4.5): each once, in order, with its size.

use imap_proto::response::string::number;

use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;
use crate::shadow::Mailbox;

/// A FETCH under way.
#[derive(Debug)]
pub struct Headers {
    /// The sequence number that comes next.
    next: u32,
    last: u32,
}

impl Headers {
    /// Writes the command for the messages from `first` to `last`.
    pub fn write(first: u32, last: u32, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"FETCH ");
        number(out, first);
        out.push(b':');
        number(out, last);
        out.extend_from_slice(
            b" (UID FLAGS RFC822.SIZE INTERNALDATE \
              BODY.PEEK[HEADER.FIELDS (DATE FROM TO SUBJECT)])\r\n",
        );
        Self { next: first, last }
    }

    /// Takes in a message. Without a header it is news of another session's change.
    pub fn untagged(&mut self, untagged: &Untagged<'_>, mailbox: &Mailbox) -> Result<(), Fault> {
        let Untagged::Fetch(fetched) = untagged else {
            return Ok(());
        };
        let (Some(uid), Some(size_bytes), Some(_)) =
            (fetched.uid, fetched.size_bytes, fetched.header_bytes)
        else {
            return Ok(());
        };
        if fetched.sequence != self.next || self.next > self.last {
            return Err(Fault::because(
                FaultKind::Surplus,
                format_args!("message {} where {} is due", fetched.sequence, self.next),
            ));
        }
        let known = usize::try_from(self.next - 1)
            .ok()
            .and_then(|place| mailbox.messages.get(place))
            .filter(|_| !mailbox.has_shrunk);
        if known.is_some_and(|known| known.uid != uid) {
            return Err(Fault::because(
                FaultKind::WrongUid,
                format_args!("message {} has UID {uid}", self.next),
            ));
        }
        self.next += 1;
        mailbox.size(uid, size_bytes)
    }

    /// All of them must have come.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.next == self.last + 1 {
            return Ok(());
        }
        Err(Fault::because(
            FaultKind::Missing,
            format_args!("no header of message {}", self.next),
        ))
    }
}
