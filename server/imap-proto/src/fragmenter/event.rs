//! What the fragmenter says about its input.

use std::fmt;

use crate::request::{LiteralHeader, Request};

/// What a stretch of input meant.
#[derive(PartialEq, Eq)]
pub enum Event<'i> {
    /// A complete command.
    Request(Request),
    /// A synchronizing literal within the limits: send `+ ` so that the peer goes on.
    Continue,
    /// The command up to a message literal (`prefix.message_literal()` is `Some`). It is an APPEND
    /// the first time in a command; after an `AppendEnd`-less second time it is MULTIAPPEND and
    /// `prefix` holds only what followed the message before.
    AppendLiteral {
        /// The command so far, or what followed the last message literal.
        prefix: Request,
        /// The literal that wants a decision.
        literal: LiteralHeader,
    },
    /// A piece of the accepted message literal, in order, never empty.
    LiteralData(&'i [u8]),
    /// The rest of the line after the last message literal, without the line end.
    AppendEnd(Request),
    /// A raw line that was asked for with `expect_line`, without the line end.
    Line(Vec<u8>),
    /// A command was thrown away.
    Rejected(Rejection),
    /// The peer announced more than will ever be read.
    Fatal(RejectionReason),
}

/// A command that was thrown away before the grammar saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its tag, if it had a valid one.
    pub tag: Option<Vec<u8>>,
    /// Why.
    pub reason: RejectionReason,
}

/// Why a command was thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectionReason {
    /// `Limits::line_bytes_max`.
    #[error("Command line too long")]
    LineTooLong,
    /// `Limits::literal_bytes_max`.
    #[error("Literal too large")]
    LiteralTooLarge,
    /// `Limits::literal_count_max`.
    #[error("Too many literals")]
    TooManyLiterals,
}

/// Never shows lines or data: a line may be a SASL response.
impl fmt::Debug for Event<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tuple = match self {
            Self::Continue => return formatter.write_str("Continue"),
            Self::Request(_) => formatter.debug_tuple("Request"),
            Self::AppendLiteral { .. } => formatter.debug_tuple("AppendLiteral"),
            Self::LiteralData(_) => formatter.debug_tuple("LiteralData"),
            Self::AppendEnd(_) => formatter.debug_tuple("AppendEnd"),
            Self::Line(_) => formatter.debug_tuple("Line"),
            Self::Rejected(_) => formatter.debug_tuple("Rejected"),
            Self::Fatal(_) => formatter.debug_tuple("Fatal"),
        };
        match self {
            Self::Request(request) | Self::AppendEnd(request) => tuple.field(request),
            Self::AppendLiteral { literal, .. } => tuple.field(literal),
            Self::LiteralData(data) => tuple.field(&data.len()),
            Self::Line(line) => tuple.field(&line.len()),
            Self::Rejected(rejection) => tuple.field(rejection),
            Self::Fatal(reason) => tuple.field(reason),
            Self::Continue => &mut tuple,
        }
        .finish()
    }
}
