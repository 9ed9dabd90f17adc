//! One command as it came over the wire, with its gathered literals inline, not yet parsed.

use std::fmt;

use crate::limits::TAG_BYTES_MAX;

/// Whether the peer waits for `+ ` before it sends the literal's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LiteralKind {
    /// `{n}`: data follows only after a continuation request.
    Synchronizing,
    /// `{n+}` (RFC 7888): data follows at once, wanted or not.
    NonSynchronizing,
}

/// The announcement of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralHeader {
    /// Bytes of data announced.
    pub bytes: u64,
    /// Whether the peer waits.
    pub kind: LiteralKind,
    /// `~{n}`, a literal8 (RFC 3516), in which NUL is allowed.
    pub binary: bool,
}

/// A complete command, or an APPEND up to its message literal.
///
/// The bytes are those of the wire without the last line end; a gathered literal stands in them as
/// its header, a line end, and its data.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Request {
    bytes: Vec<u8>,
    message_literal: Option<LiteralHeader>,
}

impl Request {
    /// A complete command from its bytes, without the last line end.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            message_literal: None,
        }
    }

    /// An APPEND up to, but not with, the header of its message literal.
    pub fn up_to_message_literal(bytes: impl Into<Vec<u8>>, literal: LiteralHeader) -> Self {
        Self {
            bytes: bytes.into(),
            message_literal: Some(literal),
        }
    }

    /// The bytes as on the wire.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The message literal that this request ends with, if it does.
    pub fn message_literal(&self) -> Option<LiteralHeader> {
        self.message_literal
    }

    /// The tag, if the request starts with a valid one.
    pub fn tag(&self) -> Option<&[u8]> {
        tag_of(&self.bytes)
    }
}

/// Never shows the bytes: they may be a password.
impl fmt::Debug for Request {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("bytes", &self.bytes.len())
            .field("message_literal", &self.message_literal)
            .finish_non_exhaustive()
    }
}

/// The tag at the start of `line`, if there is a valid one and something ends it.
pub(crate) fn tag_of(line: &[u8]) -> Option<&[u8]> {
    let end = line
        .iter()
        .take(TAG_BYTES_MAX + 1)
        .position(|byte| !crate::grammar::is_tag_char(*byte))
        .unwrap_or(line.len());
    let tag = line.get(..end)?;
    let ended = matches!(line.get(end), None | Some(b' ' | b'\r' | b'\n'));
    (ended && !tag.is_empty() && tag.len() <= TAG_BYTES_MAX).then_some(tag)
}
