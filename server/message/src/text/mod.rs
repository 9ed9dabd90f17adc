//! Exact SEARCH (RFC 3501 6.4.4): is a string in the decoded text of a header or a body?
//!
//! Text and needle are folded as i;unicode-casemap says (RFC 5051); then it is a search for
//! octets. Nothing is indexed here and nothing is held beyond the part at hand.

mod fold;
mod haystack;
mod header;
mod html;
mod search;
pub mod transfer;

use memchr::memmem::Finder;

use crate::summary::SummaryRef;

pub use fold::fold;
pub use header::decode_value;
use header::field_text;
pub use search::{Progress, Scratch, TextSearch};

/// A string to look for, folded once for all messages of a SEARCH.
#[derive(Debug, Clone)]
pub struct Needle {
    finder: Finder<'static>,
}

impl Needle {
    /// Folds `text`, the client's string in Unicode.
    pub fn new(text: &str) -> Self {
        Self {
            finder: Finder::new(&fold(text)).into_owned(),
        }
    }

    /// An empty string is in every text.
    pub fn is_empty(&self) -> bool {
        self.finder.needle().is_empty()
    }

    /// Whether `text` contains the string.
    pub fn is_in(&self, text: &str) -> bool {
        self.is_empty() || self.finder.find(&fold(text)).is_some()
    }
}

/// Where a string may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// In the text of the body.
    Body,
    /// There, or in any header.
    Text,
}

/// The BODY and TEXT keys of one SEARCH, numbered from 0.
#[derive(Debug, Default)]
pub struct TextKeys {
    keys: Vec<TextKey>,
    /// Octets of the longest needle.
    longest: usize,
    any_text: bool,
}

#[derive(Debug)]
struct TextKey {
    scope: Scope,
    needle: Needle,
}

impl TextKeys {
    /// Adds a key and gives its number.
    pub fn push(&mut self, scope: Scope, needle: Needle) -> usize {
        self.longest = self.longest.max(needle.finder.needle().len());
        self.any_text |= scope == Scope::Text;
        self.keys.push(TextKey { scope, needle });
        self.keys.len() - 1
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
    contains(message, summary, Scope::Body, needle)
}

/// SEARCH TEXT: whether a header or the body contains the needle, the MIME headers of all parts
/// included.
pub fn text_contains(message: &[u8], summary: &SummaryRef<'_>, needle: &Needle) -> bool {
    contains(message, summary, Scope::Text, needle)
}

fn contains(message: &[u8], summary: &SummaryRef<'_>, scope: Scope, needle: &Needle) -> bool {
    let mut keys = TextKeys::default();
    keys.push(scope, needle.clone());
    let mut scratch = Scratch::default();
    let mut search = TextSearch::new(message, summary, &keys, &mut scratch);
    while search.step(message.len().max(1)) == Progress::More {}
    search.found() == [true]
}

#[cfg(test)]
mod tests;
