//! Status responses (RFC 3501 7.1), tagged and untagged, and the continuation request (7.5).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::code::Code;
use super::string::text;

/// The word that a status response begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// OK
    Ok,
    /// NO
    No,
    /// BAD
    Bad,
    /// BYE, untagged only.
    Bye,
    /// PREAUTH, untagged and as greeting only.
    Preauth,
}

impl Condition {
    const fn word(self) -> &'static [u8] {
        match self {
            Self::Ok => b"OK ",
            Self::No => b"NO ",
            Self::Bad => b"BAD ",
            Self::Bye => b"BYE ",
            Self::Preauth => b"PREAUTH ",
        }
    }
}

/// Writes `tag OK [CODE] text`. `what` is made harmless: it cannot break the line.
pub fn tagged(
    out: &mut Vec<u8>,
    tag: &[u8],
    condition: Condition,
    code: Option<&Code>,
    what: &str,
) {
    out.extend_from_slice(tag);
    out.push(b' ');
    finish(out, condition, code, what);
}

/// Writes `* OK [CODE] text`. `what` is made harmless: it cannot break the line.
pub fn untagged(out: &mut Vec<u8>, condition: Condition, code: Option<&Code>, what: &str) {
    out.extend_from_slice(b"* ");
    finish(out, condition, code, what);
}

/// Writes `+ text`, always with the space, which some clients insist on.
pub fn continuation(out: &mut Vec<u8>, what: &str) {
    out.extend_from_slice(b"+ ");
    text(out, what);
    out.extend_from_slice(b"\r\n");
}

/// Writes a SASL challenge: `+ ` and its base64.
pub fn challenge(out: &mut Vec<u8>, challenge: &[u8]) {
    out.extend_from_slice(b"+ ");
    out.extend_from_slice(STANDARD.encode(challenge).as_bytes());
    out.extend_from_slice(b"\r\n");
}

fn finish(out: &mut Vec<u8>, condition: Condition, code: Option<&Code>, what: &str) {
    out.extend_from_slice(condition.word());
    if let Some(code) = code {
        out.push(b'[');
        code.encode(out);
        out.extend_from_slice(b"] ");
    }
    // RFC 3501 `text = 1*TEXT-CHAR`: it is never empty.
    text(out, if what.is_empty() { "Done" } else { what });
    out.extend_from_slice(b"\r\n");
}
