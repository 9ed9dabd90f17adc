//! The messages that a run appends and delivers. Each is a function of its number and length, and
//! carries a header from which whoever reads it can tell whether the rest is as it was written,
//! whatever headers a server put in front.

use std::fmt::Write as _;
use std::io::Write as _;

use crate::limits::MAIL_BYTES_MIN;

/// The header that vouches for what follows it; it is the last of the header fields.
pub const CERTIFICATE: &[u8] = b"X-Loadgen: ";
/// Octets of its value: number, octets after the line, CRC-32 of these, and the line end.
pub const CERTIFICATE_VALUE_BYTES: usize = 16 + 1 + 10 + 1 + 8 + 2;

/// Words that subjects carry in turn, so that a search finds a share of all messages.
pub const MARKERS: [&str; 8] = [
    "amber", "birch", "cedar", "delta", "ember", "flint", "grove", "haven",
];

/// Octets of a line of text, its end included.
const LINE_BYTES: usize = 76;
/// Lines of the text that messages are cut from.
const LINES: usize = 1_024;
/// Words of the text.
const WORDS: [&str; 16] = [
    "meeting", "the", "report", "of", "invoice", "and", "schedule", "to", "project", "with",
    "customer", "is", "quarter", "for", "contract", "in",
];

/// Writes messages.
#[derive(Debug)]
pub struct MailWriter {
    text: Vec<u8>,
}

impl MailWriter {
    /// Makes the text that messages are cut from.
    pub fn new() -> Self {
        let mut text = Vec::with_capacity(LINES * LINE_BYTES);
        let mut random = crate::random::Random::new(1, 1);
        for _ in 0..LINES {
            let mut line = String::with_capacity(LINE_BYTES);
            while line.len() < LINE_BYTES - 2 {
                let word = random.index(WORDS.len()).and_then(|at| WORDS.get(at));
                line.push_str(word.unwrap_or(&"x"));
                line.push(' ');
            }
            line.truncate(LINE_BYTES - 3);
            text.extend_from_slice(line.as_bytes());
            text.extend_from_slice(b".\r\n");
        }
        Self { text }
    }

    /// Appends the message of that number, `bytes` long (or a little more, if that is too short
    /// for its header), to `out`. Returns its length.
    pub fn write(&self, number: u64, bytes: usize, out: &mut Vec<u8>) -> usize {
        let start = out.len();
        let marker = marker(number);
        // Writing into a vector cannot fail.
        let _ = write!(
            out,
            "From: sender{sender}@loadgen.example\r\nTo: reader@loadgen.example\r\n\
             Subject: load {marker} {number}\r\nDate: Mon, 6 Jan 2025 10:00:00 +0000\r\n\
             Message-ID: <{number:016x}@loadgen.example>\r\nMIME-Version: 1.0\r\n\
             Content-Type: text/plain; charset=us-ascii\r\n",
            sender = number % 100,
        );
        let value_start = out.len() + CERTIFICATE.len();
        out.extend_from_slice(CERTIFICATE);
        out.resize(value_start + CERTIFICATE_VALUE_BYTES, b'\n');
        let tail_start = out.len();
        out.extend_from_slice(b"\r\n");
        let end = start + bytes.max(MAIL_BYTES_MIN);
        self.fill(number, end, out);
        let tail = out.get(tail_start..).unwrap_or_default();
        let mut value = String::with_capacity(CERTIFICATE_VALUE_BYTES);
        // Nor can it fail into a string.
        let _ = write!(
            value,
            "{number:016x} {:010} {:08x}\r\n",
            tail.len(),
            crc32fast::hash(tail)
        );
        if let Some(place) = out.get_mut(value_start..tail_start) {
            place.copy_from_slice(value.as_bytes());
        }
        out.len() - start
    }

    /// Lines of text, up to a line end at exactly `end`.
    fn fill(&self, number: u64, end: usize, out: &mut Vec<u8>) {
        let line = usize::try_from(number % 1_009).unwrap_or(0);
        let mut at = line * LINE_BYTES;
        let text_end = end.saturating_sub(2);
        while out.len() < text_end {
            let part = self.text.get(at..).unwrap_or_default();
            let length = part.len().min(text_end - out.len());
            out.extend_from_slice(part.get(..length).unwrap_or_default());
            at = 0;
        }
        // A cut between the two octets of a line end would leave a CR by itself.
        if let Some(last) = out.last_mut().filter(|last| **last == b'\r') {
            *last = b'x';
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The word in the subject of the message of that number.
pub fn marker(number: u64) -> &'static str {
    let at = usize::try_from(number).unwrap_or(0) % MARKERS.len();
    MARKERS.get(at).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::MailWriter;

    #[test]
    fn messages_are_as_long_as_they_are_asked_to_be() {
        let writer = MailWriter::new();
        for bytes in (512..5_000).chain([100_000, 250_001]) {
            let mut out = b"before".to_vec();
            let number = u64::try_from(bytes).unwrap() * 7;
            assert_eq!(writer.write(number, bytes, &mut out), bytes);
            assert_eq!(out.len(), bytes + 6);
            let text = std::str::from_utf8(&out).unwrap();
            assert!(text.ends_with("\r\n"));
            assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
            // LMTP would have to double a dot at the beginning of a line.
            assert!(!text.contains("\r\n."), "{bytes}");
        }
    }

    #[test]
    fn messages_depend_on_their_number_and_length_alone() {
        let (mut one, mut other) = (Vec::new(), Vec::new());
        MailWriter::new().write(77, 4_096, &mut one);
        MailWriter::new().write(77, 4_096, &mut other);
        assert_eq!(one, other);
        other.clear();
        MailWriter::new().write(78, 4_096, &mut other);
        assert_ne!(one, other);
    }
}
