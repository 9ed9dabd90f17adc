//! Literal headers at the ends of lines, found without any grammar.

use crate::request::{LiteralHeader, LiteralKind};

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trailer {
    /// Without a literal header.
    None,
    /// With the end of a literal header whose start is missing: digits from the first byte on.
    Cut,
    /// With a literal header, which starts at `start` (at its `~` if it has one).
    Literal {
        /// What it says.
        header: LiteralHeader,
        /// Where it starts.
        start: usize,
    },
}

/// Looks at the end of `line`, which ends with its line end.
///
/// Whatever looks like a literal header is taken for one, even where a string or a text could end
/// so: no valid command has it there, and a doubt must not let data through as commands.
pub(super) fn trailer(line: &[u8]) -> Trailer {
    let Some(inside) = without_line_end(line).strip_suffix(b"}") else {
        return Trailer::None;
    };
    // RFC 7888: `+` marks a non-synchronizing literal; `-` was never anything but a mistake.
    let (digits_end, kind) = match inside.strip_suffix(b"+") {
        Some(digits) => (digits, LiteralKind::NonSynchronizing),
        None => (inside, LiteralKind::Synchronizing),
    };
    let digits_start = digits_end
        .iter()
        .rposition(|byte| !byte.is_ascii_digit())
        .map_or(0, |last| last + 1);
    let digits = digits_end.get(digits_start..).unwrap_or_default();
    if digits_start == 0 {
        return Trailer::Cut;
    }
    let Some(before) = digits_end
        .get(..digits_start)
        .and_then(|line| line.strip_suffix(b"{"))
    else {
        return Trailer::None;
    };
    if digits.is_empty() {
        return Trailer::None;
    }
    let binary = before.ends_with(b"~");
    let header = LiteralHeader {
        bytes: saturating_number(digits),
        kind,
        binary,
    };
    Trailer::Literal {
        header,
        start: before.len() - usize::from(binary),
    }
}

/// Whether the literal header at `start` of an APPEND announces a message, and not the mailbox.
pub(super) fn announces_message(command: &[u8], start: usize) -> bool {
    let before = command.get(..start).unwrap_or_default();
    let mut words = before.splitn(3, |byte| *byte == b' ');
    let _tag = words.next();
    let is_append = words
        .next()
        .is_some_and(|verb| verb.eq_ignore_ascii_case(b"APPEND"));
    is_append
        && words
            .next()
            .is_some_and(|rest| rest.iter().any(|byte| *byte != b' '))
}

/// Removes CRLF, or a bare LF, from the end.
pub(super) fn strip_line_end(line: &mut Vec<u8>) {
    let bytes = without_line_end(line).len();
    line.truncate(bytes);
}

fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

fn saturating_number(digits: &[u8]) -> u64 {
    digits.iter().fold(0_u64, |value, digit| {
        value
            .saturating_mul(10)
            .saturating_add(u64::from(digit.wrapping_sub(b'0')))
    })
}
