//! `BODY[section]` (RFC 3501 6.4.5): from part numbers to the octets of the stored message.

use std::collections::HashSet;
use std::ops::Range;

use imap_proto::grammar::section::SectionText;

use crate::field::{Field, fields};
use crate::scanner::Kind;
use crate::summary::{PartRef, SummaryRef};

/// Where a section is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// These octets of the message.
    Range(Range<u64>),
    /// Read these octets, a header, and pass them to [`header_fields`].
    HeaderToFilter(Range<u64>),
    /// There is no such part, or the part has no header or text of its own: NIL.
    Missing,
}

/// Finds `part` and `text` in the message that `summary` describes.
pub fn resolve(summary: &SummaryRef<'_>, part: &[u32], text: &SectionText) -> Resolved {
    let Some(found) = find(summary, part) else {
        return Resolved::Missing;
    };
    let message = match found {
        Found::Message(message) => message,
        Found::Part(part) => match text {
            SectionText::All => return Resolved::Range(part.body()),
            SectionText::Mime => return Resolved::Range(part.header()),
            // RFC 3501 6.4.5: the other words are about a message; only a part that holds one
            // has them.
            _ if part.kind() != Kind::Message => return Resolved::Missing,
            _ => match summary.child(part, 1) {
                Some(message) => message,
                None => return Resolved::Missing,
            },
        },
    };
    match text {
        SectionText::All => Resolved::Range(message.header().start..message.body().end),
        SectionText::Header => Resolved::Range(message.header()),
        SectionText::HeaderFields(_) | SectionText::HeaderFieldsNot(_) => {
            Resolved::HeaderToFilter(message.header())
        }
        SectionText::Text => Resolved::Range(message.body()),
        // RFC 3501 6.4.5: MIME must follow part numbers.
        SectionText::Mime => Resolved::Missing,
    }
}

/// The lines of `header` whose field is among `names`, or with `not` is not among them, as they
/// stand in the mail, and the empty line at the end whether or not the mail has one.
pub fn header_fields(header: &[u8], names: &[impl AsRef<[u8]>], not: bool) -> Vec<u8> {
    // A set, because both the header and the list may be long.
    let names: HashSet<Vec<u8>> = names
        .iter()
        .map(|name| name.as_ref().to_ascii_lowercase())
        .collect();
    // A line that is no field has no name, so only NOT can mean it.
    let named = |field: &Field<'_>| {
        !field.name.is_empty() && names.contains(&field.name.to_ascii_lowercase())
    };
    let mut out = Vec::new();
    let mut rest = fields(header);
    for field in rest.by_ref().filter(|field| named(field) != not) {
        out.extend_from_slice(field.raw);
    }
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    // Mail with bare line feeds keeps its own kind of empty line.
    let bare = rest.rest().starts_with(b"\n");
    out.extend_from_slice(if bare { b"\n" } else { b"\r\n" });
    out
}

/// What part numbers lead to.
enum Found<'a> {
    /// No numbers: the message itself.
    Message(PartRef<'a>),
    /// A part.
    Part(PartRef<'a>),
}

fn find<'a>(summary: &SummaryRef<'a>, part: &[u32]) -> Option<Found<'a>> {
    let root = summary.root();
    let Some((first, rest)) = part.split_first() else {
        return Some(Found::Message(root));
    };
    let mut at = part_of_message(summary, root, *first)?;
    for number in rest {
        at = match at.kind() {
            Kind::Multipart => summary.child(at, *number)?,
            Kind::Message => part_of_message(summary, summary.child(at, 1)?, *number)?,
            Kind::Leaf | Kind::NoBoundary | Kind::Opaque => return None,
        };
    }
    Some(Found::Part(at))
}

/// RFC 3501 6.4.5: a message that is not multipart has a part 1, which is its body.
fn part_of_message<'a>(
    summary: &SummaryRef<'a>,
    message: PartRef<'a>,
    number: u32,
) -> Option<PartRef<'a>> {
    match message.kind() {
        Kind::Multipart => summary.child(message, number),
        _ => (number == 1).then_some(message),
    }
}

#[cfg(test)]
mod tests;
