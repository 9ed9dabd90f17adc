//! What the scanner found: parts in the order in which they begin.

use std::ops::Range;

/// What a part is to IMAP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A body without parts.
    Leaf,
    /// A multipart; its children are the parts between its delimiters.
    Multipart,
    /// A message/rfc822 in an identity encoding; its only child is the message within.
    Message,
    /// A multipart that names no boundary: one text.
    NoBoundary,
    /// Not looked into: beyond a bound, or a message that is encoded.
    Opaque,
}

/// One part: the message itself, a body part, or the message inside a message/rfc822 part.
///
/// Invariant: `header_start <= body_start <= body_end`, all inside the parent's body, and a
/// sibling begins where the one before has ended, or later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Index of the parent; `None` for the message itself.
    pub parent: Option<usize>,
    /// Which child of its parent this is, from 1. The message within a message/rfc822 has 1.
    pub number: u32,
    /// Levels above this part.
    pub depth: usize,
    /// First octet of the part's header.
    pub header_start: u64,
    /// First octet of its body: behind the empty line that ends the header.
    pub body_start: u64,
    /// End of its body: before the line break that belongs to the delimiter.
    pub body_end: u64,
    /// Line feeds in the body.
    pub lines: u64,
    /// What kind of part this is.
    pub kind: Kind,
    /// Default type is message/rfc822 (a child of multipart/digest, RFC 2046 5.1.5).
    pub in_digest: bool,
    /// Some of the fields were dropped at a bound.
    pub header_cut: bool,
    pub(super) kept: Range<usize>,
}

impl Part {
    /// Octets of the body.
    pub fn octets(&self) -> u64 {
        self.body_end.saturating_sub(self.body_start)
    }
}

/// The structure of one message. There is always a first part, the message itself, and a
/// parent always stands before its children.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Structure {
    pub(super) parts: Vec<Part>,
    pub(super) kept: Vec<u8>,
    pub(super) size: u64,
}

impl Structure {
    /// All parts, parents before children, in the order in which they begin.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Octets of the whole message.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The fields of `part` that were kept: whole, folded lines as they arrived, only those
    /// that [`super::is_kept_field`] names.
    pub fn header(&self, part: &Part) -> &[u8] {
        self.kept.get(part.kept.clone()).unwrap_or_default()
    }
}
