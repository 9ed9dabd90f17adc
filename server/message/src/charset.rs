//! Charsets of mail, and of SEARCH CHARSET.

use std::borrow::Cow;

use mail_parser::decoders::charsets::map::charset_decoder;

/// Names for `NO [BADCHARSET (...)]`, the preferred ones of what is understood (RFC 3501 6.4.4).
pub const SUPPORTED: &[&str] = &[
    "US-ASCII",
    "UTF-8",
    "UTF-7",
    "UTF-16",
    "ISO-8859-1",
    "ISO-8859-2",
    "ISO-8859-3",
    "ISO-8859-4",
    "ISO-8859-5",
    "ISO-8859-6",
    "ISO-8859-7",
    "ISO-8859-8",
    "ISO-8859-9",
    "ISO-8859-10",
    "ISO-8859-13",
    "ISO-8859-14",
    "ISO-8859-15",
    "ISO-8859-16",
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "windows-1253",
    "windows-1254",
    "windows-1255",
    "windows-1256",
    "windows-1257",
    "windows-1258",
    "KOI8-R",
    "KOI8-U",
    "IBM850",
    "IBM866",
    "Shift_JIS",
    "ISO-2022-JP",
    "EUC-JP",
    "GBK",
    "GB18030",
    "Big5",
    "EUC-KR",
];

/// Decodes the strings of a SEARCH in `name`. `None` when the charset is unknown: the answer
/// is BADCHARSET with [`SUPPORTED`]. Octets that the charset does not have become U+FFFD.
pub fn decode_charset(name: &str, bytes: &[u8]) -> Option<String> {
    decode(name.as_bytes(), bytes).map(Cow::into_owned)
}

/// Decodes `bytes`; `None` when the charset is unknown.
pub fn decode<'a>(name: &[u8], bytes: &'a [u8]) -> Option<Cow<'a, str>> {
    let name = name.trim_ascii();
    if is_utf8(name) || is_ascii(name) {
        return Some(String::from_utf8_lossy(bytes));
    }
    let encoding = encoding_rs::Encoding::for_label(name)
        // This one stands for charsets that are refused on the web, such as ISO-2022-KR.
        .filter(|encoding| *encoding != encoding_rs::REPLACEMENT);
    if let Some(encoding) = encoding {
        return Some(encoding.decode(bytes).0);
    }
    // UTF-7, UTF-32 and the old charsets of DOS are in mail only.
    let decoder = charset_decoder(name).filter(|_| !name.is_empty() && name.len() <= 45)?;
    Some(Cow::Owned(decoder(bytes)))
}

/// Decodes text of a mail, whatever its header claims: no charset, a wrong or an unknown one
/// must not hide text from a search.
pub fn decode_leniently<'a>(name: &[u8], bytes: &'a [u8]) -> Cow<'a, str> {
    if bytes.is_ascii() && is_ascii_superset(name) {
        return String::from_utf8_lossy(bytes);
    }
    let name = name.trim_ascii();
    if !name.is_empty()
        && !is_ascii(name)
        && !is_utf8(name)
        && let Some(text) = decode(name, bytes)
    {
        return text;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if is_utf8(name) => String::from_utf8_lossy(bytes),
        // Old mail with 8-bit text and no word about it is Latin more often than not.
        Err(_) => {
            encoding_rs::WINDOWS_1252
                .decode_without_bom_handling(bytes)
                .0
        }
    }
}

fn is_utf8(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"utf-8") || name.eq_ignore_ascii_case(b"utf8")
}

fn is_ascii(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"us-ascii") || name.eq_ignore_ascii_case(b"ascii")
}

/// Whether octets below 128 mean ASCII in this charset.
fn is_ascii_superset(name: &[u8]) -> bool {
    if name.is_empty() || is_utf8(name) || is_ascii(name) {
        return true;
    }
    encoding_rs::Encoding::for_label(name).is_some_and(encoding_rs::Encoding::is_ascii_compatible)
}

#[cfg(test)]
mod tests;
