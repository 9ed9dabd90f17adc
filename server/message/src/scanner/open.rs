//! Containers that are open while their parts stream past.

use super::Kind;
use crate::field::content::{ContentType, Encoding};
use crate::limits::BOUNDARY_BYTES_MAX;

/// A multipart or message/rfc822 whose end has not been seen.
#[derive(Debug)]
pub struct Open {
    /// Its index among the parts.
    pub part: usize,
    /// Its children are messages unless they say otherwise (RFC 2046 5.1.5).
    pub digest: bool,
    /// `None` for a message, and behind the closing delimiter.
    boundary: Option<(Vec<u8>, u64)>,
    children: u32,
}

impl Open {
    /// An open multipart.
    pub fn multipart(part: usize, boundary: Vec<u8>, digest: bool) -> Self {
        let hash = hash(&boundary);
        Self {
            part,
            digest,
            boundary: Some((boundary, hash)),
            children: 0,
        }
    }

    /// An open message/rfc822.
    pub fn message(part: usize) -> Self {
        Self {
            part,
            digest: false,
            boundary: None,
            children: 1,
        }
    }

    /// Whether `value` delimits this multipart.
    pub fn is_boundary(&self, value: &[u8], value_hash: u64) -> bool {
        matches!(&self.boundary, Some((own, hash)) if *hash == value_hash && own == value)
    }

    /// The closing delimiter was seen.
    pub fn close(&mut self) {
        self.boundary = None;
    }

    /// Counts the children, from 1.
    pub fn next_number(&mut self) -> u32 {
        self.children = self.children.saturating_add(1);
        self.children
    }
}

/// FNV-1a: one pass over the line, so that comparing it with all open boundaries costs one
/// comparison of numbers each.
pub fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The container that a header opens.
#[derive(Debug)]
pub enum Opened {
    /// Parts between delimiters.
    Multipart {
        /// Without the leading dashes and without trailing white space.
        boundary: Vec<u8>,
        /// multipart/digest.
        digest: bool,
    },
    /// One message.
    Message,
}

/// Decides from a part's kept fields what its body is. `within` says that the bounds allow
/// another level.
pub fn classify(
    header: &[u8],
    header_cut: bool,
    in_digest: bool,
    within: bool,
) -> (Kind, Option<Opened>) {
    let (content_type, stated) = ContentType::of(header, in_digest);
    if header_cut && !stated {
        // The type may be among what was dropped.
        return (Kind::Opaque, None);
    }
    if content_type.is_multipart() {
        let Some(boundary) = content_type.boundary() else {
            return (Kind::NoBoundary, None);
        };
        if !within || boundary.len() > BOUNDARY_BYTES_MAX {
            return (Kind::Opaque, None);
        }
        let digest = content_type.subtype.eq_ignore_ascii_case(b"digest");
        return (
            Kind::Multipart,
            Some(Opened::Multipart { boundary, digest }),
        );
    }
    if content_type.is_message() {
        // RFC 2046 5.2.1 allows only identity encodings; offsets inside an encoded message
        // would not be offsets in what is stored.
        if !within || Encoding::of(header) != Encoding::Identity {
            return (Kind::Opaque, None);
        }
        return (Kind::Message, Some(Opened::Message));
    }
    (Kind::Leaf, None)
}
