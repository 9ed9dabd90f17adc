//! What can be wrong with a command's grammar.

use super::mailbox_name::MailboxNameError;

/// Why bytes are not what the grammar wants. The text is for the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// Something else stands where this should.
    #[error("Expected {0}")]
    Expected(&'static str),
    /// A quoted string has no end.
    #[error("Unterminated quoted string")]
    Unterminated,
    /// A number is zero or too large where that is not allowed.
    #[error("Number out of range")]
    Number,
    /// NUL in a literal.
    #[error("NUL in literal")]
    Nul,
    /// A bound in `limits` on how many there may be.
    #[error("Too many {0}")]
    TooMany(&'static str),
    /// A bound in `limits` on how deep this may nest.
    #[error("Nested too deeply: {0}")]
    TooDeep(&'static str),
    /// The command is complete and something follows.
    #[error("Unexpected text after the command")]
    Trailing,
    /// The verb is not in the table.
    #[error("Unknown command")]
    UnknownCommand,
    /// A word that is not known here.
    #[error("Unknown {0}")]
    Unknown(&'static str),
    /// Bad base64 in a SASL response.
    #[error("Invalid base64")]
    Base64,
    /// The words do not go together.
    #[error("{0}")]
    Conflict(&'static str),
    /// A mailbox name that is none.
    #[error(transparent)]
    MailboxName(#[from] MailboxNameError),
}
