//! The responses that tell of the mailbox's size: EXISTS, RECENT, EXPUNGE (RFC 3501 7.3, 7.4.1).

use super::string::number;

/// Writes `* n EXISTS`.
pub fn exists(out: &mut Vec<u8>, messages: u32) {
    numbered(out, messages, b" EXISTS\r\n");
}

/// Writes `* n RECENT`.
pub fn recent(out: &mut Vec<u8>, messages: u32) {
    numbered(out, messages, b" RECENT\r\n");
}

/// Writes `* n EXPUNGE` for the sequence number `sequence`.
pub fn expunge(out: &mut Vec<u8>, sequence: u32) {
    numbered(out, sequence, b" EXPUNGE\r\n");
}

fn numbered(out: &mut Vec<u8>, value: u32, rest: &[u8]) {
    out.extend_from_slice(b"* ");
    number(out, value);
    out.extend_from_slice(rest);
}
