//! Header values as text: encoded words (RFC 2047), parameters (RFC 2231), raw UTF-8 (RFC 6532).

use memchr::memmem;

use super::transfer;
use crate::charset;
use crate::field::content::ContentType;
use crate::field::parameter::extended;
use crate::field::{Field, unfold};

/// Longest name of a charset in an encoded word, its language (RFC 2231 5) included.
const WORD_CHARSET_BYTES_MAX: usize = 75;

/// The text of a field's value, folded as in the mail. For Content-Type and Content-Disposition
/// the decoded values of split or encoded parameters follow the text.
pub fn decode_value(name: &[u8], value: &[u8]) -> String {
    let value = unfold(value);
    let mut text = decode_words(&value);
    let has_params = name.eq_ignore_ascii_case(b"content-type")
        || name.eq_ignore_ascii_case(b"content-disposition");
    if has_params && value.contains(&b'*') {
        for found in extended(&ContentType::parse(&value).params) {
            text.push_str("; ");
            text.push_str(&String::from_utf8_lossy(&found.name));
            text.push('=');
            text.push_str(&charset::decode_leniently(&found.charset, &found.octets));
        }
    }
    text
}

/// A field as SEARCH TEXT sees it, `Name: value` with the value decoded; added to `out`.
pub(super) fn field_text(field: &Field<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(String::from_utf8_lossy(field.name).as_bytes());
    out.extend_from_slice(b": ");
    // Most values say what they mean, and are only to be unfolded.
    let is_plain = field.value.is_ascii()
        && memmem::find(field.value, b"=?").is_none()
        && memchr::memchr(b'*', field.value).is_none();
    if is_plain {
        for line in field.value.trim_ascii().split(|octet| *octet == b'\n') {
            out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
        }
    } else {
        out.extend_from_slice(decode_value(field.name, field.value).as_bytes());
    }
}

/// An encoded word: its charset, its decoded octets, and where it ends.
struct Word<'a> {
    charset: &'a [u8],
    octets: Vec<u8>,
    end: usize,
}

/// RFC 2047 6.2: white space between encoded words vanishes. Words of one charset are decoded
/// together, because mailers cut characters in two.
fn decode_words(value: &[u8]) -> String {
    let mut out = String::with_capacity(value.len());
    let mut at = 0_usize;
    let mut pending: Option<(&[u8], Vec<u8>)> = None;
    let mut terminator = Terminator::default();
    while at < value.len() {
        let rest = value.get(at..).unwrap_or_default();
        let start = at.saturating_add(memmem::find(rest, b"=?").unwrap_or(rest.len()));
        let word = encoded_word(value, start, &mut terminator);
        // A `=?` that begins no word is plain text.
        let plain_end = if word.is_some() {
            start
        } else {
            start.saturating_add(2)
        };
        let plain = value
            .get(at..plain_end.min(value.len()))
            .unwrap_or_default();
        if !(word.is_some() && pending.is_some() && plain.trim_ascii().is_empty()) {
            flush(&mut out, &mut pending);
            out.push_str(&charset::decode_leniently(b"", plain));
        }
        let Some(word) = word else {
            at = plain_end;
            continue;
        };
        match &mut pending {
            Some((charset, octets)) if charset.eq_ignore_ascii_case(word.charset) => {
                octets.extend_from_slice(&word.octets);
            }
            _ => {
                flush(&mut out, &mut pending);
                pending = Some((word.charset, word.octets));
            }
        }
        at = word.end;
    }
    flush(&mut out, &mut pending);
    out
}

fn flush(out: &mut String, pending: &mut Option<(&[u8], Vec<u8>)>) {
    if let Some((charset, octets)) = pending.take() {
        out.push_str(&charset::decode_leniently(charset, &octets));
    }
}

/// Reads the word at `start`, where `=?` stands, or nothing when no word is there.
fn encoded_word<'a>(
    value: &'a [u8],
    start: usize,
    terminator: &mut Terminator,
) -> Option<Word<'a>> {
    let charset_start = start.checked_add(2)?;
    let charset = value.get(charset_start..)?;
    let charset = charset.get(..WORD_CHARSET_BYTES_MAX).unwrap_or(charset);
    let charset = charset.get(..memchr::memchr(b'?', charset)?)?;
    let behind = charset_start.checked_add(charset.len())?;
    let [b'?', encoding, b'?', ..] = value.get(behind..)? else {
        return None;
    };
    let text_start = behind.checked_add(3)?;
    let text_end = terminator.at_or_after(value, text_start)?;
    let text = value.get(text_start..text_end)?;
    let octets = match encoding {
        b'b' | b'B' => transfer::base64(text),
        b'q' | b'Q' => transfer::q_word(text),
        _ => return None,
    };
    // RFC 2231 5: a language may follow the charset.
    let charset = charset
        .split(|byte| *byte == b'*')
        .next()
        .unwrap_or_default();
    Some(Word {
        charset,
        octets,
        end: text_end.checked_add(2)?,
    })
}

/// Remembers the next `?=`, so that many beginnings without an end are not each searched to the
/// end of the value.
#[derive(Default)]
struct Terminator {
    next: Option<usize>,
    none: bool,
}

impl Terminator {
    fn at_or_after(&mut self, value: &[u8], at: usize) -> Option<usize> {
        if self.none {
            return None;
        }
        if self.next.is_none_or(|next| next < at) {
            let found = memmem::find(value.get(at..)?, b"?=");
            self.next = found.map(|found| at.saturating_add(found));
            self.none = found.is_none();
        }
        self.next
    }
}

#[cfg(test)]
mod tests;
