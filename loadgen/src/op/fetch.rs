//! UID FETCH of a whole message (RFC 3501 6.4.5), which must come once and at its full length.

use imap_proto::response::string::number;

use super::Message;
use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;

/// A FETCH under way.
#[derive(Debug)]
pub struct Fetch {
    message: Message,
    came: bool,
}

impl Fetch {
    /// Writes the command.
    pub fn write(message: Message, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"UID FETCH ");
        number(out, message.uid);
        out.extend_from_slice(b" BODY.PEEK[]\r\n");
        Self {
            message,
            came: false,
        }
    }

    pub(super) fn untagged(&mut self, untagged: &Untagged) -> Result<(), Fault> {
        let Untagged::Fetch(fetched) = untagged else {
            return Ok(());
        };
        // Without a body it is news of another session's change, which may come at any time.
        let Some(body_bytes) = fetched.body_bytes else {
            return Ok(());
        };
        // RFC 3501 6.4.8: every FETCH response to a UID command carries the UID.
        if fetched.uid != Some(self.message.uid) || self.came {
            return Err(Fault::because(
                FaultKind::Surplus,
                format_args!(
                    "UID {:?} where {} was asked for once",
                    fetched.uid, self.message.uid
                ),
            ));
        }
        if body_bytes != self.message.size_bytes {
            return Err(Fault::because(
                FaultKind::WrongLength,
                format_args!(
                    "UID {}: {body_bytes} octets, RFC822.SIZE {}",
                    self.message.uid, self.message.size_bytes
                ),
            ));
        }
        self.came = true;
        Ok(())
    }

    pub(super) fn finish(&self) -> Result<(), Fault> {
        if self.came {
            return Ok(());
        }
        Err(Fault::because(
            FaultKind::Missing,
            format_args!("no body for UID {}", self.message.uid),
        ))
    }
}
