//! The tagged answer of a command.

use imap_proto::response::code::Code;
use imap_proto::response::status::{self, Condition};

/// How a command has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    condition: Condition,
    code: Option<Code>,
    text: &'static str,
    then: Then,
}

/// What follows the tagged answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The next command.
    Next,
    /// The TLS handshake.
    StartTls,
    /// The end of the connection.
    Logout,
}

impl Completion {
    /// `OK completed`
    pub fn ok() -> Self {
        Self::new(Condition::Ok, None, "completed")
    }

    /// `OK [code] completed`
    pub fn ok_with(code: Code) -> Self {
        Self::new(Condition::Ok, Some(code), "completed")
    }

    /// `NO text`
    pub fn no(text: &'static str) -> Self {
        Self::new(Condition::No, None, text)
    }

    /// `NO [code] text`
    pub fn no_with(code: Code, text: &'static str) -> Self {
        Self::new(Condition::No, Some(code), text)
    }

    /// `BAD text`
    pub fn bad(text: &'static str) -> Self {
        Self::new(Condition::Bad, None, text)
    }

    /// `OK` of LOGOUT, after which the connection closes.
    pub fn logout() -> Self {
        Completion {
            then: Then::Logout,
            ..Self::ok()
        }
    }

    /// `OK` of STARTTLS, after which the handshake begins.
    pub fn starttls() -> Self {
        Completion {
            then: Then::StartTls,
            ..Self::new(Condition::Ok, None, "Begin TLS now")
        }
    }

    /// Any condition and code.
    pub fn new(condition: Condition, code: Option<Code>, text: &'static str) -> Self {
        Completion {
            condition,
            code,
            text,
            then: Then::Next,
        }
    }

    /// What follows.
    pub fn then(&self) -> Then {
        self.then
    }

    /// Writes the tagged answer.
    pub fn encode(&self, tag: &[u8], out: &mut Vec<u8>) {
        status::tagged(out, tag, self.condition, self.code.as_ref(), self.text);
    }
}
