//! STATUS (RFC 3501 6.3.10): the mailbox holds what is known to be there.

use imap_proto::response::string::astring;

use crate::fault::{Fault, FaultKind};
use crate::reply::Untagged;
use crate::shadow::Mailbox;

/// A STATUS under way.
#[derive(Debug)]
pub struct Status {
    messages: Option<u32>,
    known: u32,
}

impl Status {
    /// Writes the command. The mailbox is printable ASCII.
    pub fn write(name: &str, mailbox: &Mailbox, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"STATUS ");
        astring(out, name.as_bytes());
        out.extend_from_slice(b" (MESSAGES UIDNEXT UNSEEN)\r\n");
        Self {
            messages: None,
            known: if mailbox.has_shrunk {
                0
            } else {
                mailbox.count()
            },
        }
    }

    /// Takes in the counts.
    pub fn untagged(&mut self, untagged: &Untagged<'_>) {
        if let Untagged::MailboxStatus(line) = untagged {
            self.messages = messages(line);
        }
    }

    /// What was known when the command was sent must be counted.
    pub fn finish(&self) -> Result<(), Fault> {
        match self.messages {
            None => Err(Fault::because(
                FaultKind::Missing,
                "STATUS without MESSAGES",
            )),
            Some(messages) if messages < self.known => Err(Fault::because(
                FaultKind::WrongCount,
                format_args!("MESSAGES {messages}, {} are known", self.known),
            )),
            Some(_) => Ok(()),
        }
    }
}

/// The number after `MESSAGES` in the last parentheses.
fn messages(line: &[u8]) -> Option<u32> {
    let open = memchr::memrchr(b'(', line)?;
    let items = std::str::from_utf8(line.get(open + 1..)?).ok()?;
    let mut words = items.trim_end_matches(')').split(' ');
    words.find(|word| word.eq_ignore_ascii_case("MESSAGES"))?;
    words.next()?.parse().ok()
}
