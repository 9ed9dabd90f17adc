//! The line being read: only as much of it as a delimiter can be long.

use crate::limits::DELIMITER_LINE_BYTES_MAX;

/// Start of the current line, and how it ends.
#[derive(Debug, Default)]
pub struct Line {
    start: Vec<u8>,
    /// Octets that came beyond what is kept.
    beyond: usize,
    /// The last two octets seen.
    last: [u8; 2],
    len: u64,
}

impl Line {
    /// Adds a piece of the line, which may end in its line feed.
    pub fn push(&mut self, piece: &[u8]) {
        self.len = self
            .len
            .saturating_add(crate::octets::from_len(piece.len()));
        match piece {
            [.., before, last] => self.last = [*before, *last],
            [last] => self.last = [self.last[1], *last],
            [] => return,
        }
        let room = DELIMITER_LINE_BYTES_MAX.saturating_sub(self.start.len());
        let taken = piece.get(..room).unwrap_or(piece);
        self.start.extend_from_slice(taken);
        self.beyond = self
            .beyond
            .saturating_add(piece.len().saturating_sub(taken.len()));
    }

    /// Begins a new line.
    pub fn clear(&mut self) {
        self.start.clear();
        self.beyond = 0;
        self.last = [0, 0];
        self.len = 0;
    }

    /// The octets kept, with the line break when the line is short and whole.
    pub fn start(&self) -> &[u8] {
        &self.start
    }

    /// More octets came than [`Self::start`] holds.
    pub fn is_long(&self) -> bool {
        self.beyond > 0
    }

    /// Octets that came beyond what [`Self::start`] holds.
    pub fn beyond(&self) -> usize {
        self.beyond
    }

    /// Nothing but a line break, or nothing at all.
    pub fn is_empty(&self) -> bool {
        self.len == self.break_len()
    }

    /// The line ended with LF.
    pub fn ends_with_break(&self) -> bool {
        self.break_len() > 0
    }

    /// Octets of the line break: CRLF, a bare LF, or none at the end of the message.
    pub fn break_len(&self) -> u64 {
        match self.last {
            [b'\r', b'\n'] => 2,
            [_, b'\n'] => 1,
            _ => 0,
        }
    }

    /// When this line may be a delimiter: what stands behind the two dashes, and the same
    /// without the two dashes that mark the last one. RFC 2046 5.1.1 allows white space behind
    /// both.
    pub fn delimiter(&self) -> Option<(&[u8], Option<&[u8]>)> {
        if self.is_long() {
            return None;
        }
        let value = self.start.strip_prefix(b"--")?.trim_ascii_end();
        if value.is_empty() {
            return None;
        }
        Some((value, value.strip_suffix(b"--").map(<[u8]>::trim_ascii_end)))
    }
}
