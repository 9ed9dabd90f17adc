//! One row of the part table.
//!
//! ```text
//! offset  0  u32  parent, 0xffffffff for the message itself
//!         4  u32  number in the parent, from 1
//!         8  u64  header start
//!        16  u64  body start = header end
//!        24  u64  body end
//!        32  u8   kind      0 leaf, 1 multipart, 2 message, 3 no boundary, 4 opaque
//!        33  u8   class     0 text, 1 html, 2 other
//!        34  u8   encoding  0 identity, 1 base64, 2 quoted-printable
//!        35  u8   length of the charset's name
//!        36  u32  where it begins in the charsets
//! ```

use std::ops::Range;

use crate::field::content::Encoding;
use crate::scanner::Kind;

/// Bytes of one row.
pub(super) const PART_BYTES: usize = 40;

/// Marks the absence of a parent.
pub(super) const NO_PARENT: u32 = u32::MAX;

/// What SEARCH does with a leaf's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Text in a charset.
    Text,
    /// text/html: searched as its source and as the text it shows.
    Html,
    /// Not text: images, sound, and whatever is packed in base64 without being text.
    Other,
}

/// A row in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PartEntry {
    pub parent: u32,
    pub number: u32,
    pub header_start: u64,
    pub body_start: u64,
    pub body_end: u64,
    pub kind: Kind,
    pub class: Class,
    pub encoding: Encoding,
    pub charset_len: u8,
    pub charset_start: u32,
}

impl PartEntry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.parent.to_le_bytes());
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.header_start.to_le_bytes());
        out.extend_from_slice(&self.body_start.to_le_bytes());
        out.extend_from_slice(&self.body_end.to_le_bytes());
        out.push(match self.kind {
            Kind::Leaf => 0,
            Kind::Multipart => 1,
            Kind::Message => 2,
            Kind::NoBoundary => 3,
            Kind::Opaque => 4,
        });
        out.push(match self.class {
            Class::Text => 0,
            Class::Html => 1,
            Class::Other => 2,
        });
        out.push(match self.encoding {
            Encoding::Identity => 0,
            Encoding::Base64 => 1,
            Encoding::QuotedPrintable => 2,
        });
        out.push(self.charset_len);
        out.extend_from_slice(&self.charset_start.to_le_bytes());
    }

    /// `None` for a value that no version has written.
    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (parent, row) = row.split_first_chunk()?;
        let (number, row) = row.split_first_chunk()?;
        let (header_start, row) = row.split_first_chunk()?;
        let (body_start, row) = row.split_first_chunk()?;
        let (body_end, row) = row.split_first_chunk()?;
        let ([kind, class, encoding, charset_len], row) = row.split_first_chunk()?;
        let (charset_start, _) = row.split_first_chunk()?;
        Some(Self {
            parent: u32::from_le_bytes(*parent),
            number: u32::from_le_bytes(*number),
            header_start: u64::from_le_bytes(*header_start),
            body_start: u64::from_le_bytes(*body_start),
            body_end: u64::from_le_bytes(*body_end),
            kind: match kind {
                0 => Kind::Leaf,
                1 => Kind::Multipart,
                2 => Kind::Message,
                3 => Kind::NoBoundary,
                4 => Kind::Opaque,
                _ => return None,
            },
            class: match class {
                0 => Class::Text,
                1 => Class::Html,
                2 => Class::Other,
                _ => return None,
            },
            encoding: match encoding {
                0 => Encoding::Identity,
                1 => Encoding::Base64,
                2 => Encoding::QuotedPrintable,
                _ => return None,
            },
            charset_len: *charset_len,
            charset_start: u32::from_le_bytes(*charset_start),
        })
    }
}

/// One part of a stored message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartRef<'a> {
    pub(super) index: usize,
    pub(super) entry: PartEntry,
    pub(super) charset: &'a [u8],
}

impl<'a> PartRef<'a> {
    /// Its place in the table; the message itself is 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// Its parent's place in the table; the message itself has none.
    pub fn parent(&self) -> Option<usize> {
        if self.entry.parent == NO_PARENT {
            return None;
        }
        usize::try_from(self.entry.parent).ok()
    }

    /// Which child of its parent it is, from 1.
    pub fn number(&self) -> u32 {
        self.entry.number
    }

    /// Octets of its header in the message, with the empty line at the end if there is one.
    pub fn header(&self) -> Range<u64> {
        self.entry.header_start..self.entry.body_start
    }

    /// Octets of its body in the message, still encoded.
    pub fn body(&self) -> Range<u64> {
        self.entry.body_start..self.entry.body_end
    }

    /// What kind of part it is.
    pub fn kind(&self) -> Kind {
        self.entry.kind
    }

    /// What its content is to a search.
    pub fn class(&self) -> Class {
        self.entry.class
    }

    /// Its transfer encoding.
    pub fn encoding(&self) -> Encoding {
        self.entry.encoding
    }

    /// The charset its header names, empty when it names none.
    pub fn charset(&self) -> &'a [u8] {
        self.charset
    }

    /// Whether this is a message: the outermost one, or one inside a message/rfc822 part.
    pub fn is_message(&self, summary: &super::SummaryRef<'a>) -> bool {
        match self.parent() {
            None => true,
            Some(parent) => summary
                .part(parent)
                .is_some_and(|parent| parent.kind() == Kind::Message),
        }
    }
}
