//! Keeps the few header fields that are read later, within bounds, while they stream past.

use std::ops::Range;

use super::{Limits, Line};

/// Fields that an ENVELOPE, a BODYSTRUCTURE or a search over summaries needs.
const KEPT: [&[u8]; 18] = [
    b"date",
    b"subject",
    b"from",
    b"sender",
    b"reply-to",
    b"to",
    b"cc",
    b"bcc",
    b"in-reply-to",
    b"message-id",
    b"content-type",
    b"content-transfer-encoding",
    b"content-id",
    b"content-description",
    b"content-disposition",
    b"content-language",
    b"content-location",
    b"content-md5",
];

/// Whether the scanner keeps fields of this name.
pub fn is_kept_field(name: &[u8]) -> bool {
    KEPT.iter().any(|kept| kept.eq_ignore_ascii_case(name))
}

/// The kept fields of all parts in one buffer.
#[derive(Debug)]
pub struct HeaderBlock {
    limits: Limits,
    kept: Vec<u8>,
    /// Where the current part's fields begin.
    part_start: usize,
    /// Where the current field begins.
    field_start: usize,
    /// Whether the current field is one to keep.
    keeping: bool,
    /// The current field is one of MIME's.
    content: bool,
    /// The current line's start has been looked at.
    decided: bool,
    cut: bool,
}

impl HeaderBlock {
    /// An empty block.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            kept: Vec::new(),
            part_start: 0,
            field_start: 0,
            keeping: false,
            content: false,
            decided: false,
            cut: false,
        }
    }

    /// Begins the header of a part.
    pub fn begin(&mut self) -> Range<usize> {
        self.part_start = self.kept.len();
        self.field_start = self.part_start;
        self.keeping = false;
        self.decided = false;
        self.cut = false;
        self.part_start..self.part_start
    }

    /// Takes a piece of a line; `line` holds the line's start, that piece included.
    pub fn push(&mut self, piece: &[u8], line: &Line) {
        if self.decided {
            self.keep(piece);
            return;
        }
        let whole = line.ends_with_break();
        let known = match line.start() {
            [b' ' | b'\t', ..] => true,
            start => whole || line.is_long() || start.contains(&b':'),
        };
        if known {
            self.decide(line.start());
            self.keep(line.start());
            // The pieces before this one are all in the line's start, so what did not fit there
            // is the end of this one.
            let from = piece.len().saturating_sub(line.beyond());
            self.keep(piece.get(from..).unwrap_or_default());
        }
    }

    /// The line is over; one without a break at the end of the message is a line too.
    pub fn end_of_line(&mut self) {
        self.decided = false;
    }

    /// Ends the header: the range of its fields, and whether some were dropped at a bound.
    pub fn end(&mut self) -> (Range<usize>, bool) {
        (self.part_start..self.kept.len(), self.cut)
    }

    /// The fields in `range`.
    pub fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.kept.get(range).unwrap_or_default()
    }

    /// All that was kept.
    pub fn into_bytes(self) -> Vec<u8> {
        self.kept
    }

    fn decide(&mut self, start: &[u8]) {
        self.decided = true;
        if matches!(start, [b' ' | b'\t', ..]) {
            return;
        }
        self.field_start = self.kept.len();
        // RFC 5322 4.5: obsolete fields may have white space before the colon.
        let name = start.split(|byte| *byte == b':').next().unwrap_or_default();
        let name_ends = name.len() < start.len();
        let name = name.trim_ascii_end();
        self.keeping = name_ends && is_kept_field(name);
        let prefix = name.get(..8).unwrap_or_default();
        self.content = prefix.eq_ignore_ascii_case(b"content-");
    }

    fn keep(&mut self, piece: &[u8]) {
        if !self.keeping {
            return;
        }
        let part_bytes = self.kept.len().saturating_sub(self.part_start);
        let part_room = self
            .share(self.limits.part_header_bytes_max)
            .saturating_sub(part_bytes);
        let room = self
            .share(self.limits.header_bytes_max)
            .saturating_sub(self.kept.len());
        if piece.len() <= part_room.min(room) {
            self.kept.extend_from_slice(piece);
            return;
        }
        // Keep the whole lines of the field, so that a huge To still shows its first addresses.
        self.cut = true;
        self.keeping = false;
        let field = self.kept.get(self.field_start..).unwrap_or_default();
        let whole_lines = memchr::memrchr(b'\n', field).map_or(0, |at| at.saturating_add(1));
        self.kept
            .truncate(self.field_start.saturating_add(whole_lines));
    }

    /// An eighth of each bound is left to the Content- fields: without them a part could not be
    /// told from text, however long the other fields are.
    fn share(&self, bound: usize) -> usize {
        if self.content {
            bound
        } else {
            bound.saturating_sub(bound / 8)
        }
    }
}
