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
    if let Some(encoding) = known(name) {
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

/// How [`decode_leniently`] comes from a charset's name to text, for who does it by and by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Way {
    /// Text is what is valid UTF-8; else it is read as the one encoding that takes anything.
    Guess(&'static encoding_rs::Encoding),
    /// This encoding. Where ASCII means ASCII in it, a text of ASCII alone is left as it is.
    Known(&'static encoding_rs::Encoding),
    /// A decoder that wants all of it at once.
    Whole,
}

impl Way {
    /// The way of a charset.
    pub fn of(name: &[u8]) -> Self {
        let name = name.trim_ascii();
        if is_utf8(name) {
            return Way::Guess(encoding_rs::UTF_8);
        }
        if name.is_empty() || is_ascii(name) {
            return Way::Guess(encoding_rs::WINDOWS_1252);
        }
        if let Some(encoding) = known(name) {
            return Way::Known(encoding);
        }
        match decode(name, b"") {
            Some(_) => Way::Whole,
            None => Way::Guess(encoding_rs::WINDOWS_1252),
        }
    }

    /// How many of these octets, which are cut from more or the last, are text as they are.
    pub fn text_len(self, octets: &[u8], is_last: bool) -> usize {
        match self {
            Way::Known(encoding) if encoding.is_ascii_compatible() && octets.is_ascii() => {
                octets.len()
            }
            Way::Known(_) | Way::Whole => 0,
            Way::Guess(_) => match std::str::from_utf8(octets) {
                Ok(_) => octets.len(),
                // The last character goes on behind the cut.
                Err(error) if error.error_len().is_none() && !is_last => error.valid_up_to(),
                Err(_) => 0,
            },
        }
    }

    /// Decodes what is not text as it is; `None` where all of it is wanted at once.
    pub fn decoder(self) -> Option<encoding_rs::Decoder> {
        match self {
            Way::Guess(encoding) => Some(encoding.new_decoder_without_bom_handling()),
            Way::Known(encoding) => Some(encoding.new_decoder()),
            Way::Whole => None,
        }
    }
}

/// One stands for charsets that are refused on the web, such as ISO-2022-KR: it is none.
fn known(name: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    encoding_rs::Encoding::for_label(name).filter(|encoding| *encoding != encoding_rs::REPLACEMENT)
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
