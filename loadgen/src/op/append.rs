//! APPEND (RFC 3501 6.3.11): the message gets a UID that nobody had, if the server tells one.

use imap_proto::response::string::{astring, number};

use crate::fault::Fault;
use crate::mail::MailWriter;
use crate::reply::Code;
use crate::shadow::Mailbox;

/// An APPEND under way.
#[derive(Debug)]
pub struct Append {
    /// The number of the message.
    number: u64,
    bytes: usize,
    /// The highest UID known when the command was sent.
    floor: u32,
    /// Whether the message is still to be sent, after the server's go-ahead.
    is_due: bool,
}

impl Append {
    /// Writes the command for the message in `text`; the message too, if it need not wait.
    pub fn write(name: &str, text: &AppendText<'_>, mailbox: &Mailbox, out: &mut Vec<u8>) -> Self {
        out.extend_from_slice(b"APPEND ");
        astring(out, name.as_bytes());
        out.extend_from_slice(b" (\\Seen) {");
        number(out, u32::try_from(text.bytes).unwrap_or(u32::MAX));
        if text.at_once {
            out.push(b'+');
        }
        out.extend_from_slice(b"}\r\n");
        let mut append = Self {
            number: text.number,
            bytes: text.bytes,
            floor: mailbox.uid_max(),
            is_due: true,
        };
        if text.at_once {
            append.go_on(text.writer, out);
        }
        append
    }

    /// Writes the message, if it is still to be sent; tells whether it was.
    pub fn go_on(&mut self, writer: &MailWriter, out: &mut Vec<u8>) -> bool {
        if !std::mem::take(&mut self.is_due) {
            return false;
        }
        writer.write(self.number, self.bytes, out);
        out.extend_from_slice(b"\r\n");
        true
    }

    /// What APPENDUID says must be new (RFC 4315 3).
    pub fn finish(&self, code: Code<'_>, mailbox: &mut Mailbox) -> Result<(), Fault> {
        if let Code::AppendUid { validity, uid } = code {
            mailbox.validity(validity)?;
            return mailbox.appended(uid, self.bytes, self.number, self.floor);
        }
        // Nobody knows where it is until somebody looks.
        mailbox.is_known = false;
        Ok(())
    }
}

/// What is appended, and how.
pub struct AppendText<'w> {
    /// Makes the message.
    pub writer: &'w MailWriter,
    /// Its number.
    pub number: u64,
    /// Its length; no less than [`crate::limits::MAIL_BYTES_MIN`].
    pub bytes: usize,
    /// Whether the literal need not wait (RFC 7888).
    pub at_once: bool,
}
