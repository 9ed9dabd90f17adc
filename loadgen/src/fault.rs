//! What can be wrong with a server's answer.

use std::fmt;

use crate::limits::EXAMPLE_BYTES_MAX;

/// The kinds of error that a report counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The connection could not be made, or the kernel refused to serve it.
    Connect,
    /// The TLS handshake or a record failed.
    Tls,
    /// The connection ended while an answer was due.
    Closed,
    /// No complete answer came in time.
    TimedOut,
    /// The bytes are no response, or a literal was not followed by what has to follow it.
    Malformed,
    /// The answer is NO, BAD or BYE, or an SMTP code that does not go on.
    Refused,
    /// The tagged response carries another command's tag.
    WrongTag,
    /// A response that the command must bring did not come.
    Missing,
    /// A response came more often than the command allows.
    Surplus,
    /// A body is not as long as the message's RFC822.SIZE, or that size has changed.
    WrongLength,
    /// A body is not what was written, or not what it was the last time.
    WrongBody,
    /// The flags are not what the STORE made them.
    WrongFlags,
    /// A UID was given twice, out of order, or to another message.
    WrongUid,
    /// The mailbox does not hold as many messages as it must.
    WrongCount,
    /// A modification sequence went backward, or a change was told that is none.
    WrongModSeq,
    /// A search found what it must not, or missed what it must find.
    WrongResult,
    /// A session in IDLE did not hear of a change.
    NotTold,
    /// Nobody was free to make an operation of the open loop, and too many waited already.
    Dropped,
}

impl FaultKind {
    /// The name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
            Self::WrongTag => "wrong_tag",
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::WrongLength => "wrong_length",
            Self::WrongBody => "wrong_body",
            Self::WrongFlags => "wrong_flags",
            Self::WrongUid => "wrong_uid",
            Self::WrongCount => "wrong_count",
            Self::WrongModSeq => "wrong_mod_seq",
            Self::WrongResult => "wrong_result",
            Self::NotTold => "not_told",
            Self::Dropped => "dropped",
        }
    }
}

/// One wrong answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub kind: FaultKind,
    /// What the server or the kernel said, cut to a bound and made printable.
    pub example: String,
}

impl Fault {
    /// A fault with the server's own bytes as example.
    pub fn said(kind: FaultKind, line: &[u8]) -> Self {
        let shown = line.get(..EXAMPLE_BYTES_MAX).unwrap_or(line);
        Self {
            kind,
            example: shown.escape_ascii().to_string(),
        }
    }

    /// A fault that our own words explain.
    pub fn because(kind: FaultKind, why: impl fmt::Display) -> Self {
        Self::said(kind, why.to_string().as_bytes())
    }
}
