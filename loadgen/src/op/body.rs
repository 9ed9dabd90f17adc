//! UID FETCH of a whole message (RFC 3501 6.4.5), which must come once, at its full length and as
//! it was written.

use imap_proto::response::string::number;

use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;
use crate::reply::digest::Digest;
use crate::shadow::Mailbox;

/// A FETCH under way.
#[derive(Debug)]
pub struct Body {
    uid: u32,
    came: bool,
}

impl Body {
    /// Writes the command.
    pub fn write(uid: u32, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"UID FETCH ");
        number(out, uid);
        out.extend_from_slice(b" BODY.PEEK[]\r\n");
        Self { uid, came: false }
    }

    /// Takes in a message. Without a body it is news of another session's change.
    pub fn untagged(
        &mut self,
        untagged: &Untagged<'_>,
        digest: Option<&Digest>,
        mailbox: &mut Mailbox,
    ) -> Result<(), Fault> {
        let Untagged::Fetch(fetched) = untagged else {
            return Ok(());
        };
        let Some(body_bytes) = fetched.body_bytes else {
            return Ok(());
        };
        // RFC 3501 6.4.8: every FETCH response to a UID command carries the UID.
        if fetched.uid != Some(self.uid) || self.came {
            return Err(Fault::because(
                FaultKind::Surplus,
                format_args!(
                    "UID {:?} where {} was asked for once",
                    fetched.uid, self.uid
                ),
            ));
        }
        self.came = true;
        match digest.and_then(|digest| digest.literals().last()) {
            Some(literal) => mailbox.body(self.uid, literal),
            // A body may come as a quoted string, and then it is short.
            None => match mailbox.message(self.uid) {
                Some(known) if u64::from(known.size_bytes) != body_bytes => Err(Fault::because(
                    FaultKind::WrongLength,
                    format_args!("UID {}: {body_bytes} octets", self.uid),
                )),
                _ => Ok(()),
            },
        }
    }

    /// It must have come.
    pub fn finish(&self) -> Result<(), Fault> {
        if self.came {
            return Ok(());
        }
        Err(Fault::because(
            FaultKind::Missing,
            format_args!("no body for UID {}", self.uid),
        ))
    }
}
