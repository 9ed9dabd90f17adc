//! The CAPABILITY (RFC 3501 7.2.1) and ENABLED (RFC 5161) responses.

/// Writes `* CAPABILITY ...`, with the words as `capability::words` writes them.
pub fn capability(out: &mut Vec<u8>, words: &[u8]) {
    out.extend_from_slice(b"* CAPABILITY ");
    out.extend_from_slice(words);
    out.extend_from_slice(b"\r\n");
}

/// Writes `* ENABLED ...`: what this command newly enabled, perhaps nothing.
pub fn enabled<'c>(out: &mut Vec<u8>, names: impl IntoIterator<Item = &'c str>) {
    out.extend_from_slice(b"* ENABLED");
    for name in names {
        out.push(b' ');
        out.extend_from_slice(name.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
