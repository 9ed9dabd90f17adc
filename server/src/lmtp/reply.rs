//! Everything that is said to the client, with enhanced status codes (RFC 2034, RFC 3463).

use std::borrow::Cow;

use mail_directory::{ExternalAddress, LookupError};
use storage_engine::request::Refusal;

use crate::config::OverQuota;
use crate::session::Gone;
use crate::shard::sessions::EndReason;

use super::command::SyntaxError;
use super::limits::REPLY_ADDRESS_BYTES_MAX;

/// One reply line. The first digit of the enhanced code is that of the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    code: u16,
    /// Empty where RFC 2034 3 wants none.
    enhanced: &'static str,
    text: Cow<'static, str>,
}

impl Reply {
    /// RSET and NOOP are done.
    pub const OK: Self = Self::new(250, "2.0.0", "OK");
    /// The sender is taken.
    pub const SENDER_OK: Self = Self::new(250, "2.1.0", "Sender ok");
    /// The recipient is taken.
    pub const RECIPIENT_OK: Self = Self::new(250, "2.1.5", "Recipient ok");
    /// A chunk that is not the last one is taken.
    pub const CHUNK_OK: Self = Self::new(250, "2.0.0", "Chunk received");
    /// DATA may begin.
    pub const GO_ON: Self = Self::new(354, "", "End data with <CR><LF>.<CR><LF>");
    /// The copy is durable in the recipient's mailbox.
    pub const DELIVERED: Self = Self::new(250, "2.0.0", "Delivered");
    /// Answer to VRFY.
    pub const CANNOT_VERIFY: Self = Self::new(252, "2.5.0", "Send some mail to find out");
    /// Answer to HELP.
    pub const HELP: Self = Self::new(
        214,
        "2.0.0",
        "LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT; see RFC 2033",
    );
    /// Answer to QUIT.
    pub const BYE: Self = Self::new(221, "2.0.0", "Bye");

    /// The line is longer than any command.
    pub const LINE_TOO_LONG: Self = Self::new(500, "5.5.2", "Line too long");
    /// LHLO must come first.
    pub const LHLO_FIRST: Self = Self::new(503, "5.5.1", "LHLO comes first");
    /// MAIL inside a transaction.
    pub const MAIL_TWICE: Self = Self::new(503, "5.5.1", "Sender is given already");
    /// RCPT, DATA or BDAT outside of a transaction.
    pub const MAIL_FIRST: Self = Self::new(503, "5.5.1", "MAIL comes first");
    /// RFC 2033 4.2: DATA and BDAT need a recipient that was taken.
    pub const NO_RECIPIENTS: Self = Self::new(503, "5.5.1", "No valid recipients");
    /// RFC 3030 2: RCPT or DATA between chunks.
    pub const CHUNKS_BEGUN: Self = Self::new(503, "5.5.1", "Message has begun with BDAT");
    /// The configuration's bound on recipients is reached.
    pub const TOO_MANY_RECIPIENTS: Self = Self::new(452, "4.5.3", "Too many recipients");
    /// RFC 6531 3.5: an address beyond ASCII without SMTPUTF8.
    pub const NEEDS_SMTPUTF8: Self = Self::new(553, "5.6.7", "Address needs SMTPUTF8");
    /// RFC 1870 6.
    pub const TOO_LARGE: Self = Self::new(552, "5.3.4", "Message is too large");
    /// Nobody here has that name.
    pub const UNKNOWN_USER: Self = Self::new(550, "5.1.1", "No such user here");
    /// The account takes no mail (RFC 3463: mailbox disabled).
    pub const NO_SERVICE: Self = Self::new(550, "5.2.1", "Account takes no mail");
    const MOVED: Self = Self::new(551, "5.1.6", "User not local");
    /// Something here does not work at the moment.
    pub const TRY_AGAIN: Self = Self::new(451, "4.3.0", "Temporary failure; try again later");
    const FULL: Self = Self::new(452, "4.3.1", "Storage is full");
    const MAILBOX_FULL: Self = Self::new(452, "4.2.2", "Mailbox is full");
    const OVER_QUOTA_NOW: Self = Self::new(452, "4.2.2", "Mailbox is over quota");
    const OVER_QUOTA: Self = Self::new(552, "5.2.2", "Mailbox is over quota");

    const fn new(code: u16, enhanced: &'static str, text: &'static str) -> Self {
        Reply {
            code,
            enhanced,
            text: Cow::Borrowed(text),
        }
    }

    /// The user has gone elsewhere (RFC 5321 3.4). Without SMTPUTF8 a reply has ASCII only
    /// (RFC 6531 3.7.4), so an address beyond it is kept back.
    pub fn moved(address: &ExternalAddress, smtputf8: bool) -> Self {
        let address = address.to_string();
        if !smtputf8 && !address.is_ascii() {
            return Self::MOVED;
        }
        let end = address.floor_char_boundary(REPLY_ADDRESS_BYTES_MAX);
        let address = address.get(..end).unwrap_or_default();
        Reply {
            text: format!("User not local; please try <{address}>").into(),
            ..Self::MOVED
        }
    }

    /// Refused by a record of the routing table.
    pub fn rejected(text: &str) -> Self {
        Reply {
            text: text.to_owned().into(),
            ..Self::new(550, "5.7.1", "")
        }
    }

    /// For an account that is full, as the operator wants it said.
    pub fn over_quota(configured: OverQuota) -> Self {
        match configured {
            OverQuota::Temporary => Self::OVER_QUOTA_NOW,
            OverQuota::Permanent => Self::OVER_QUOTA,
        }
    }

    /// What the owner of the account refused.
    pub fn refused(refusal: &Refusal, over_quota: OverQuota) -> Self {
        match refusal {
            Refusal::NoSuchAccount => Self::UNKNOWN_USER,
            Refusal::OverQuota => Self::over_quota(over_quota),
            Refusal::Full => Self::FULL,
            Refusal::Limit(_) => Self::MAILBOX_FULL,
            // The copy may or may not be there, or something is broken that gets mended: the
            // sender keeps the message and comes again.
            Refusal::Unknown
            | Refusal::ReadOnly
            | Refusal::Unreadable
            | Refusal::NoSuchUpload
            | Refusal::AccountExists
            | Refusal::NoSuchMailbox
            | Refusal::MailboxExists
            | Refusal::NoSelect
            | Refusal::NotAllowed(_)
            | Refusal::HasChildren
            | Refusal::NoPermission
            | Refusal::MessageGone => Self::TRY_AGAIN,
        }
    }

    /// The same, naming the recipient that it is about.
    #[must_use]
    pub fn about(self, address: &str) -> Self {
        let end = address.floor_char_boundary(REPLY_ADDRESS_BYTES_MAX);
        let address = address.get(..end).unwrap_or_default();
        Reply {
            text: format!("<{address}> {}", self.text).into(),
            ..self
        }
    }

    /// Writes the line.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let line = match self.enhanced {
            "" => format!("{} {}\r\n", self.code, self.text),
            enhanced => format!("{} {enhanced} {}\r\n", self.code, self.text),
        };
        out.extend_from_slice(line.as_bytes());
    }

    /// Whether the client is told that all is well.
    pub fn is_positive(&self) -> bool {
        self.code < 400
    }
}

impl From<SyntaxError> for Reply {
    fn from(error: SyntaxError) -> Self {
        match error {
            SyntaxError::Octets => Self::new(500, "5.5.2", "Not a line of text"),
            SyntaxError::Unknown => Self::new(500, "5.5.1", "Unknown command"),
            SyntaxError::NotLmtp => Self::new(500, "5.5.1", "This is LMTP; begin with LHLO"),
            SyntaxError::Arguments | SyntaxError::BdatArguments => {
                Self::new(501, "5.5.4", "Bad arguments")
            }
            SyntaxError::Sender => Self::new(501, "5.1.7", "Bad sender address"),
            SyntaxError::Recipient => Self::new(501, "5.1.3", "Bad recipient address"),
            SyntaxError::UnknownParameter => Self::new(555, "5.5.4", "Unknown parameter"),
            SyntaxError::ParameterValue => Self::new(501, "5.5.4", "Bad value of a parameter"),
        }
    }
}

impl From<LookupError> for Reply {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Busy | LookupError::Unavailable => Self::TRY_AGAIN,
        }
    }
}

/// The greeting.
pub fn greeting(out: &mut Vec<u8>, host: &str) {
    out.extend_from_slice(format!("220 {host} LMTP Corepost ready\r\n").as_bytes());
}

/// The answer to LHLO.
pub fn extensions(out: &mut Vec<u8>, host: &str, message_bytes_max: u64) {
    let lines = [
        format!("250-{host}"),
        "250-PIPELINING".to_owned(),
        "250-8BITMIME".to_owned(),
        "250-SMTPUTF8".to_owned(),
        format!("250-SIZE {message_bytes_max}"),
        "250-ENHANCEDSTATUSCODES".to_owned(),
        "250 CHUNKING".to_owned(),
    ];
    for line in lines {
        out.extend_from_slice(line.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
}

/// The last words to a client whose connection is ended from here, if there are any.
pub fn farewell(gone: &Gone) -> Option<Reply> {
    let (enhanced, text) = match gone {
        Gone::Closed | Gone::Logout | Gone::Ended(EndReason::OutputStalled) => return None,
        Gone::Bye(text) => ("4.7.0", *text),
        Gone::Ended(EndReason::Autologout | EndReason::LoginTimeout) => {
            ("4.4.2", "Silent for too long")
        }
        Gone::Ended(EndReason::ServerStops) => ("4.3.2", "Server is stopping; come back soon"),
        Gone::Ended(EndReason::AccountEnded | EndReason::FarBehind) => ("4.3.0", "Ended"),
    };
    Some(Reply::new(421, enhanced, text))
}

#[cfg(test)]
mod tests;
