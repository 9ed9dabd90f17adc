//! Exact SEARCH (RFC 3501 6.4.4): is a string in the decoded text of a header or a body?
//!
//! Text and needle are folded as i;unicode-casemap says (RFC 5051); then it is a search for
//! octets. Nothing is indexed here and nothing is held beyond the part at hand.

mod fold;
mod header;
pub mod transfer;

use std::borrow::Cow;

use memchr::memmem::Finder;

use crate::charset;
use crate::field::content::Encoding;
use crate::octets::slice;
use crate::scanner::Kind;
use crate::summary::{Class, PartRef, SummaryRef};

pub use fold::fold;
pub use header::decode_value;

/// A string to look for, folded once for all messages of a SEARCH.
#[derive(Debug, Clone)]
pub struct Needle {
    finder: Finder<'static>,
}

impl Needle {
    /// Folds `text`, the client's string in Unicode.
    pub fn new(text: &str) -> Self {
        Self {
            finder: Finder::new(fold(text).as_bytes()).into_owned(),
        }
    }

    /// An empty string is in every text.
    pub fn is_empty(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// Whether `text` contains the string.
    pub fn is_in(&self, text: &str) -> bool {
        self.is_empty() || self.finder.find(fold(text).as_bytes()).is_some()
    }
}

/// SEARCH HEADER, and FROM, TO, CC, BCC, SUBJECT: whether a field `name` of `header` contains
/// the needle. An empty needle asks whether there is such a field (RFC 3501 6.4.4).
pub fn header_contains(header: &[u8], name: &str, needle: &Needle) -> bool {
    crate::field::fields(header)
        .filter(|field| field.is(name.as_bytes()))
        .any(|field| needle.is_empty() || needle.is_in(&decode_value(field.name, field.value)))
}

/// SEARCH BODY: whether the decoded text of the body contains the needle. The headers of
/// messages inside the message are text of its body; the MIME headers of its parts are not.
pub fn body_contains(message: &[u8], summary: &SummaryRef<'_>, needle: &Needle) -> bool {
    needle.is_empty()
        || summary.parts().any(|part| {
            let is_inner_message = part.index() > 0 && part.is_message(summary);
            (is_inner_message && any_field_contains(slice(message, part.header()), needle))
                || part_contains(slice(message, part.body()), part, needle)
        })
}

/// SEARCH TEXT: whether a header or the body contains the needle, the MIME headers of all parts
/// included.
pub fn text_contains(message: &[u8], summary: &SummaryRef<'_>, needle: &Needle) -> bool {
    needle.is_empty()
        || summary.parts().any(|part| {
            any_field_contains(slice(message, part.header()), needle)
                || part_contains(slice(message, part.body()), part, needle)
        })
}

/// Whether the decoded text of one part contains the needle; `body` holds the octets of
/// [`PartRef::body`]. Parts that hold parts have no text of their own.
pub fn part_contains(body: &[u8], part: PartRef<'_>, needle: &Needle) -> bool {
    if matches!(part.kind(), Kind::Multipart | Kind::Message) || part.class() == Class::Other {
        return false;
    }
    let decoded: Cow<'_, [u8]> = match part.encoding() {
        Encoding::Identity => Cow::Borrowed(body),
        Encoding::Base64 => Cow::Owned(transfer::base64(body)),
        Encoding::QuotedPrintable => Cow::Owned(transfer::quoted_printable(body)),
    };
    let text = charset::decode_leniently(part.charset(), &decoded);
    if needle.is_in(&text) {
        return true;
    }
    // HTML is looked through as written, and as it reads: without tags and with its entities.
    part.class() == Class::Html && needle.is_in(&mail_parser::decoders::html::html_to_text(&text))
}

/// Whether any line of a header, `Name: value`, contains the needle.
fn any_field_contains(header: &[u8], needle: &Needle) -> bool {
    crate::field::fields(header).any(|field| {
        let value = decode_value(field.name, field.value);
        let name = String::from_utf8_lossy(field.name);
        needle.is_in(&format!("{name}: {value}"))
    })
}

#[cfg(test)]
mod tests;
