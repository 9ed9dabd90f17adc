//! Mailbox names: modified UTF-7 on the wire (RFC 3501 5.1.3), UTF-8 inside.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::alphabet::Alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

use crate::limits::MAILBOX_NAME_BYTES_MAX;

/// A mailbox name in UTF-8. `INBOX` in any case is held as `INBOX` (RFC 3501 5.1).
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MailboxName(String);

impl MailboxName {
    /// A name that is already UTF-8.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        if name.eq_ignore_ascii_case("INBOX") {
            Self("INBOX".to_owned())
        } else {
            Self(name)
        }
    }

    /// The name in UTF-8.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether this is the INBOX.
    pub fn is_inbox(&self) -> bool {
        self.0 == "INBOX"
    }

    /// The name in UTF-8, without a copy.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Display for MailboxName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Why a name on the wire is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailboxNameError {
    /// Bad base64, an ASCII character that need not be encoded, or half a surrogate pair.
    #[error("Mailbox name is not valid modified UTF-7")]
    ModifiedUtf7,
    /// Bytes above 127 that are not UTF-8.
    #[error("Mailbox name is not valid UTF-8")]
    Utf8,
    /// A control character.
    #[error("Mailbox name has a control character")]
    Control,
    /// `limits::MAILBOX_NAME_BYTES_MAX`.
    #[error("Mailbox name too long")]
    TooLong,
}

/// Turns a name on the wire into UTF-8. Raw UTF-8 is let pass, as some clients send it.
///
/// Only the one canonical encoding of each name is taken, so that no two spellings mean the same
/// mailbox and no delimiter hides in base64.
pub fn decode(wire: &[u8]) -> Result<String, MailboxNameError> {
    let text = std::str::from_utf8(wire).map_err(|_| MailboxNameError::Utf8)?;
    let name = if text.contains('&') {
        decode_shifted(text)?
    } else {
        text.to_owned()
    };
    if name.len() > MAILBOX_NAME_BYTES_MAX {
        return Err(MailboxNameError::TooLong);
    }
    if name.chars().any(char::is_control) {
        return Err(MailboxNameError::Control);
    }
    Ok(name)
}

/// Turns a UTF-8 name into modified UTF-7. Borrows when nothing has to change.
pub fn encode(name: &str) -> Cow<'_, str> {
    if name
        .bytes()
        .all(|byte| is_direct(char::from(byte)) && byte != b'&')
    {
        return Cow::Borrowed(name);
    }
    let mut out = String::with_capacity(name.len() + name.len() / 2);
    let mut shifted: Vec<u8> = Vec::new();
    for c in name.chars() {
        if is_direct(c) {
            flush_shifted(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            let mut units = [0_u16; 2];
            for unit in c.encode_utf16(&mut units) {
                shifted.extend_from_slice(&unit.to_be_bytes());
            }
        }
    }
    flush_shifted(&mut out, &mut shifted);
    Cow::Owned(out)
}

/// RFC 3501 5.1.3: base64 with `,` for `/`, without padding.
const MODIFIED_BASE64: GeneralPurpose = GeneralPurpose::new(&ALPHABET, NO_PAD);

const ALPHABET: Alphabet =
    match Alphabet::new("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,") {
        Ok(alphabet) => alphabet,
        Err(_) => panic!("64 distinct printable characters"),
    };

/// RFC 3501 5.1.3: printable US-ASCII represents itself.
fn is_direct(c: char) -> bool {
    (' '..='~').contains(&c)
}

fn flush_shifted(out: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        out.push('&');
        out.push_str(&MODIFIED_BASE64.encode(&*shifted));
        out.push('-');
        shifted.clear();
    }
}

fn decode_shifted(text: &str) -> Result<String, MailboxNameError> {
    let mut name = String::with_capacity(text.len());
    let mut rest = text;
    // "&AOk-&AOk-" says in two shifts what one can: it is not the canonical form.
    let mut after_shift = false;
    while let Some((direct, tail)) = rest.split_once('&') {
        name.push_str(direct);
        let (encoded, after) = tail.split_once('-').ok_or(MailboxNameError::ModifiedUtf7)?;
        if encoded.is_empty() {
            name.push('&');
        } else if after_shift && direct.is_empty() {
            return Err(MailboxNameError::ModifiedUtf7);
        } else {
            decode_base64(encoded, &mut name)?;
        }
        after_shift = !encoded.is_empty();
        rest = after;
    }
    name.push_str(rest);
    Ok(name)
}

fn decode_base64(encoded: &str, name: &mut String) -> Result<(), MailboxNameError> {
    let bytes = MODIFIED_BASE64
        .decode(encoded)
        .map_err(|_| MailboxNameError::ModifiedUtf7)?;
    let (units, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(MailboxNameError::ModifiedUtf7);
    }
    for c in char::decode_utf16(units.iter().map(|unit| u16::from_be_bytes(*unit))) {
        let c = c.map_err(|_| MailboxNameError::ModifiedUtf7)?;
        if is_direct(c) {
            return Err(MailboxNameError::ModifiedUtf7);
        }
        name.push(c);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
