//! From the scanner's structure to a summary.

use std::collections::HashMap;

use imap_proto::response::body_structure::{Basic, BodyStructure};
use imap_proto::response::envelope::Envelope;

use super::Summary;
use super::layout::parent_value;
use super::part::{Class, PartEntry};
use crate::date;
use crate::field::content::{self, ContentType, Encoding};
use crate::field::{address, fields, first, unfold};
use crate::limits::SEARCH_HEADER_BYTES_MAX;
use crate::scanner::{Kind, Part, Structure};

/// Makes the summary of a scanned message.
pub fn summarize(structure: &Structure) -> Summary {
    let root = structure.parts().first();
    let header = root.map(|root| structure.header(root)).unwrap_or_default();
    let mut summary = Summary {
        size: structure.size(),
        sent: first(header, b"date").and_then(date::parse),
        envelope: Vec::new(),
        body: Vec::new(),
        body_structure: Vec::new(),
        search_header: search_header(header, root.is_some_and(|root| root.header_cut)),
        parts: Vec::new(),
        charsets: Vec::new(),
    };
    envelope(header).encode(&mut summary.envelope);
    let body = body_structure(structure);
    body.encode_body(&mut summary.body);
    body.encode_body_structure(&mut summary.body_structure);
    let mut known = HashMap::new();
    for part in structure.parts() {
        let entry = part_entry(structure, part, &mut summary.charsets, &mut known);
        summary.parts.push(entry);
    }
    summary
}

/// RFC 3501 7.4.2: the fields raw, unfolded, those that are absent NIL and those that are empty
/// an empty string; absent Sender and Reply-To as From.
pub fn envelope(header: &[u8]) -> Envelope {
    let text = |name: &[u8]| first(header, name).map(unfold);
    let list = |name: &[u8]| address::in_header(header, name);
    let from = list(b"from");
    let or_from = |addresses: Vec<_>| {
        if addresses.is_empty() {
            from.clone()
        } else {
            addresses
        }
    };
    Envelope {
        date: text(b"date"),
        subject: text(b"subject"),
        sender: or_from(list(b"sender")),
        reply_to: or_from(list(b"reply-to")),
        to: list(b"to"),
        cc: list(b"cc"),
        bcc: list(b"bcc"),
        in_reply_to: text(b"in-reply-to"),
        message_id: text(b"message-id"),
        from,
    }
}

/// Builds the tree from its end: children stand behind their parent, so each is ready when its
/// parent's turn comes, and nothing recurses.
pub fn body_structure(structure: &Structure) -> BodyStructure {
    let mut children: HashMap<usize, Vec<BodyStructure>> = HashMap::new();
    for (index, part) in structure.parts().iter().enumerate().rev() {
        let mut parts = children.remove(&index).unwrap_or_default();
        parts.reverse();
        let inner = structure.parts().get(index.saturating_add(1));
        let body = part_structure(structure, part, parts, inner);
        match part.parent {
            Some(parent) => children.entry(parent).or_default().push(body),
            None => return body,
        }
    }
    BodyStructure::Basic {
        basic: Basic::default(),
    }
}

/// Whether `name` is among the fields of [`search_header`].
pub(super) fn in_search_header(name: &[u8]) -> bool {
    crate::scanner::is_kept_field(name) && !is_content(name)
}

fn search_header(header: &[u8], cut: bool) -> Option<Vec<u8>> {
    let mut kept = Vec::new();
    for field in fields(header).filter(|field| !is_content(field.name)) {
        kept.extend_from_slice(field.raw);
    }
    (!cut && kept.len() <= SEARCH_HEADER_BYTES_MAX).then_some(kept)
}

fn is_content(name: &[u8]) -> bool {
    name.get(..8)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case(b"content-"))
}

fn part_structure(
    structure: &Structure,
    part: &Part,
    parts: Vec<BodyStructure>,
    inner: Option<&Part>,
) -> BodyStructure {
    let header = structure.header(part);
    let (content_type, _) = ContentType::of(header, part.in_digest);
    let lines = u32::try_from(part.lines).unwrap_or(u32::MAX);
    let nonempty = |name: &[u8]| content::text_field(header, name);
    if part.kind == Kind::Multipart {
        return BodyStructure::Multipart {
            parts,
            subtype: content_type.subtype,
            params: content_type.params,
            disposition: content::disposition(header),
            language: content::languages(header),
            location: nonempty(b"content-location"),
        };
    }
    let shown = match part.kind {
        // The grammar has no leaf of these types, so they go by the plainest name.
        Kind::NoBoundary => ContentType::new(b"text", b"plain"),
        Kind::Opaque => ContentType::new(b"application", b"octet-stream"),
        _ => content_type,
    };
    let is_text = shown.is_text();
    let basic = Basic {
        media_type: shown.media_type,
        subtype: shown.subtype,
        params: shown.params,
        id: nonempty(b"content-id"),
        description: nonempty(b"content-description"),
        encoding: content::encoding_name(header),
        octets: u32::try_from(part.octets()).unwrap_or(u32::MAX),
        md5: nonempty(b"content-md5"),
        disposition: content::disposition(header),
        language: content::languages(header),
        location: nonempty(b"content-location"),
    };
    match (part.kind, inner, parts.into_iter().next()) {
        (Kind::Message, Some(inner), Some(body)) => BodyStructure::Message {
            basic,
            envelope: Box::new(envelope(structure.header(inner))),
            body: Box::new(body),
            lines,
        },
        _ if is_text => BodyStructure::Text { basic, lines },
        _ => BodyStructure::Basic { basic },
    }
}

fn part_entry(
    structure: &Structure,
    part: &Part,
    charsets: &mut Vec<u8>,
    known: &mut HashMap<Vec<u8>, (u32, u8)>,
) -> PartEntry {
    let header = structure.header(part);
    let (content_type, stated) = ContentType::of(header, part.in_digest);
    let encoding = Encoding::of(header);
    // The charset that RFC 2045 5.2 implies is not stated: such text is guessed when searched.
    let charset = if stated && part.kind == Kind::Leaf {
        content_type.charset()
    } else {
        None
    };
    // Longer than any charset's name is no charset's name.
    let charset = charset
        .filter(|charset| charset.len() <= 64)
        .unwrap_or_default();
    let (charset_start, charset_len) = *known.entry(charset).or_insert_with_key(|charset| {
        let start = u32::try_from(charsets.len()).unwrap_or(u32::MAX);
        charsets.extend_from_slice(charset);
        (start, u8::try_from(charset.len()).unwrap_or(0))
    });
    PartEntry {
        parent: parent_value(part.parent),
        number: part.number,
        header_start: part.header_start,
        body_start: part.body_start,
        body_end: part.body_end,
        kind: part.kind,
        class: class(part.kind, &content_type, encoding),
        encoding,
        charset_len,
        charset_start,
    }
}

fn class(kind: Kind, content_type: &ContentType, encoding: Encoding) -> Class {
    let media = |name: &[u8]| content_type.media_type.eq_ignore_ascii_case(name);
    if content_type.is_html() {
        Class::Html
    } else if kind != Kind::Leaf || content_type.is_text() {
        Class::Text
    } else if encoding == Encoding::Base64
        || media(b"image")
        || media(b"audio")
        || media(b"video")
        || media(b"font")
    {
        // Nobody finds words in packed octets, and unpacking them is what a search would spend
        // its time on.
        Class::Other
    } else {
        Class::Text
    }
}
