//! Strings and numbers on the wire: quoted where that is safe, a literal otherwise.

/// Longest value that is sent quoted; beyond it a literal is cheaper for both sides to read.
const QUOTED_BYTES_MAX: usize = 4096;

/// Writes `value` in decimal.
pub fn number(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes `value` in decimal.
pub fn number64(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Writes a length in decimal.
pub fn length(out: &mut Vec<u8>, value: usize) {
    number64(out, u64::try_from(value).unwrap_or(u64::MAX));
}

/// RFC 3501 `nstring`: NIL, or a string.
pub fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => out.extend_from_slice(b"NIL"),
        Some(value) => string(out, value),
    }
}

/// RFC 3501 `string`: quoted when every byte allows it, otherwise a literal.
///
/// NUL can stand in neither form and goes out as `?`, see [`literal_octets`].
pub fn string(out: &mut Vec<u8>, value: &[u8]) {
    if value.len() <= QUOTED_BYTES_MAX && value.iter().all(|byte| quotable(*byte)) {
        quoted(out, value);
        return;
    }
    literal_header(out, value.len());
    literal_octets(out, value);
}

/// Some octets of a literal whose header was written.
///
/// RFC 3501 4.3 and `CHAR8`: no literal has a NUL in it, and clients in C end a message there. Mail
/// with NUL comes by LMTP, is stored as it came, and goes out with `?` in its place, so that sizes
/// and partial offsets hold. Only a literal8 (RFC 3516) could carry it.
pub fn literal_octets(out: &mut Vec<u8>, octets: &[u8]) {
    let start = out.len();
    out.extend_from_slice(octets);
    if memchr::memchr(0, octets).is_some() {
        let written = out.iter_mut().skip(start);
        written
            .filter(|octet| **octet == 0)
            .for_each(|octet| *octet = b'?');
    }
}

/// RFC 3501 `astring`: an atom where the value is one, otherwise a string.
pub fn astring(out: &mut Vec<u8>, value: &[u8]) {
    // NIL as an atom would read as the absence of a value.
    let nil = value.eq_ignore_ascii_case(b"NIL");
    if !value.is_empty()
        && !nil
        && value
            .iter()
            .all(|byte| crate::grammar::is_astring_char(*byte))
    {
        out.extend_from_slice(value);
    } else {
        string(out, value);
    }
}

/// Writes `{n}` and the line end; exactly `bytes` bytes of data must follow.
pub fn literal_header(out: &mut Vec<u8>, bytes: usize) {
    out.push(b'{');
    length(out, bytes);
    out.extend_from_slice(b"}\r\n");
}

/// RFC 3501 `text`: whatever could break the line or is not ASCII becomes `?`, so that no text can
/// smuggle a second response.
pub fn text(out: &mut Vec<u8>, value: &str) {
    if value.bytes().all(is_text_char) {
        out.extend_from_slice(value.as_bytes());
    } else {
        out.extend(value.chars().map(|c| match u8::try_from(c) {
            Ok(byte) if is_text_char(byte) => byte,
            _ => b'?',
        }));
    }
}

fn is_text_char(byte: u8) -> bool {
    (0x20..0x7f).contains(&byte) || byte == b'\t'
}

fn quotable(byte: u8) -> bool {
    byte < 0x80 && byte != b'\r' && byte != b'\n' && byte != 0
}

fn quoted(out: &mut Vec<u8>, value: &[u8]) {
    out.reserve(value.len() + 2);
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests;
