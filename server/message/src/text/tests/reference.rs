//! SEARCH by the book: every part decoded whole, for each string anew. What the search in steps
//! finds is held against this.

use std::borrow::Cow;

use crate::charset;
use crate::field::content::Encoding;
use crate::octets::slice;
use crate::scanner::Kind;
use crate::summary::{Class, PartRef, SummaryRef};
use crate::text::{Needle, decode_value, transfer};

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
        Encoding::Base64 => Cow::Owned(base64(body)),
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

/// RFC 2045 6.8, one octet after the other.
pub fn base64(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity((bytes.len() / 4).saturating_mul(3));
    let mut group = 0_u32;
    let mut bits = 0_u32;
    for byte in bytes {
        let value = match byte {
            b'A'..=b'Z' => byte.wrapping_sub(b'A'),
            b'a'..=b'z' => byte.wrapping_sub(b'a').wrapping_add(26),
            b'0'..=b'9' => byte.wrapping_sub(b'0').wrapping_add(52),
            b'+' => 62,
            b'/' => 63,
            b'=' => {
                bits = 0;
                continue;
            }
            _ => continue,
        };
        group = (group << 6) | u32::from(value);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            let [.., octet] = (group >> bits).to_be_bytes();
            out.push(octet);
        }
    }
    out
}
