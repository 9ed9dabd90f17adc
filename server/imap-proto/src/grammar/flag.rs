//! Flags (RFC 3501 2.3.2): the system flags, and keywords.

/// A flag of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// `\Recent`. A client may name it only where clients are forgiven for it; it cannot be set.
    Recent,
    /// A keyword, as the client spelled it. Keywords compare without regard to case.
    Keyword(String),
    /// A `\` flag that this server does not know, with its backslash. It cannot be set.
    Extension(String),
}

impl Flag {
    /// The flag as it is written on the wire, with the backslash of a system flag.
    pub fn name(&self) -> &str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
            Self::Recent => "\\Recent",
            Self::Keyword(name) | Self::Extension(name) => name,
        }
    }
}
