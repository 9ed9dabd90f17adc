//! Offsets in a message are `u64`, lengths in memory `usize`: the checked ways between them.

use std::ops::Range;

/// A length in memory as an offset. Lossless on every machine that has at most 64-bit sizes.
pub fn from_len(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}

/// The bytes of `range`, cut to what `bytes` has: a message shorter than its summary says is
/// a damaged one, and shows less rather than causing a panic.
pub fn slice(bytes: &[u8], range: Range<u64>) -> &[u8] {
    let len = bytes.len();
    let start = usize::try_from(range.start).unwrap_or(len).min(len);
    let end = usize::try_from(range.end).unwrap_or(len).min(len);
    bytes.get(start..end).unwrap_or_default()
}
