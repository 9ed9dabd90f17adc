//! What can be wrong with a server's answer.

use std::fmt;

use crate::limits::EXAMPLE_BYTES_MAX;

/// The kinds of error that a report counts apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FaultKind {
    /// The connection could not be made, or the kernel refused to serve it.
    Connect,
    /// The connection ended while an answer was due.
    Closed,
    /// No complete answer came in time.
    TimedOut,
    /// The bytes are no IMAP response, or a literal was not followed by what has to follow it.
    Malformed,
    /// The answer is NO, BAD or BYE.
    Refused,
    /// The tagged response carries another command's tag.
    WrongTag,
    /// An untagged response that the command must bring did not come.
    Missing,
    /// An untagged response came more often than the command allows.
    Surplus,
    /// A body is not as long as the message's RFC822.SIZE.
    WrongLength,
    /// The flags are not what the STORE made them.
    WrongFlags,
}

impl FaultKind {
    /// The name in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Connect => "connect",
            Self::Closed => "closed",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::Refused => "refused",
            Self::WrongTag => "wrong_tag",
            Self::Missing => "missing",
            Self::Surplus => "surplus",
            Self::WrongLength => "wrong_length",
            Self::WrongFlags => "wrong_flags",
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
