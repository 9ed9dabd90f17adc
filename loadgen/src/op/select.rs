//! SELECT (RFC 3501 6.3.1): how many messages there are, and that none has been forgotten.

use imap_proto::response::string::astring;

use crate::fault::{Fault, FaultKind};
use crate::reply::{Code, Status, Untagged};
use crate::shadow::Mailbox;

/// A SELECT under way.
#[derive(Debug, Default)]
pub struct Select {
    exists: Option<u32>,
    /// How many messages were known when the command was sent.
    known: u32,
}

impl Select {
    /// Writes the command. The mailbox is printable ASCII.
    pub fn write(name: &str, mailbox: &Mailbox, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"SELECT ");
        astring(out, name.as_bytes());
        out.extend_from_slice(b"\r\n");
        Self::new(mailbox)
    }

    /// What a SELECT with parameters must hold beside them.
    pub fn new(mailbox: &Mailbox) -> Self {
        Self {
            exists: None,
            known: if mailbox.has_shrunk {
                0
            } else {
                mailbox.count()
            },
        }
    }

    /// Takes in what concerns the mailbox as a whole.
    pub fn untagged(
        &mut self,
        untagged: &Untagged<'_>,
        mailbox: &mut Mailbox,
    ) -> Result<(), Fault> {
        match untagged {
            Untagged::Exists(exists) => self.exists = Some(*exists),
            Untagged::Status(Status::Ok, Code::UidValidity(validity)) => {
                mailbox.validity(*validity)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// How many messages there are.
    pub fn exists(&self) -> u32 {
        self.exists.unwrap_or(0)
    }

    /// RFC 3501 6.3.1 requires EXISTS in every answer to SELECT.
    pub fn finish(&self) -> Result<(), Fault> {
        let Some(exists) = self.exists else {
            return Err(Fault::because(FaultKind::Missing, "SELECT without EXISTS"));
        };
        if exists < self.known {
            return Err(Fault::because(
                FaultKind::WrongCount,
                format_args!("{exists} EXISTS, {} are known", self.known),
            ));
        }
        Ok(())
    }
}
