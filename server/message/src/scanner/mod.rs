//! The streaming MIME scanner: octets in, in pieces of any size; the message's structure out.
//!
//! It reads lines, keeps the few header fields that matter, and knows the open multiparts as a
//! stack. A delimiter line of any of them ends all that was opened inside (RFC 2046 5.1.2), so a
//! part that never closes cannot swallow its neighbours. Nothing recurses, no line is held
//! whole, and what lies beyond a bound becomes one opaque part.

mod header_block;
mod line;
mod open;
mod structure;

use crate::limits;
use header_block::HeaderBlock;
use line::Line;
use open::Open;

pub use header_block::is_kept_field;
pub use structure::{Kind, Part, Structure};

/// The bounds of one scan; [`Limits::default`] takes them from [`crate::limits`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Levels of nesting that are looked into.
    pub depth_max: usize,
    /// Parts that are told apart.
    pub parts_max: usize,
    /// Octets of header fields kept per part.
    pub part_header_bytes_max: usize,
    /// Octets of header fields kept per message.
    pub header_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: limits::DEPTH_MAX,
            parts_max: limits::PARTS_MAX,
            part_header_bytes_max: limits::PART_HEADER_BYTES_MAX,
            header_bytes_max: limits::HEADER_BYTES_MAX,
        }
    }
}

/// What the line that is being read belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// The header of the current part.
    Header,
    /// A body, or the text before and after the parts of a multipart.
    Body,
}

/// A position in the message, and the line feeds before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Place {
    offset: u64,
    lines: u64,
}

/// Reads a message once, in pieces of any size.
#[derive(Debug)]
pub struct Scanner {
    limits: Limits,
    parts: Vec<Part>,
    /// Line feeds before each part's body; filled like `parts`.
    body_lines: Vec<u64>,
    header: HeaderBlock,
    /// Open containers, outermost first. Never more than `depth_max`.
    open: Vec<Open>,
    /// The part whose header or body is being read; none between parts of a multipart.
    current: Option<usize>,
    mode: Mode,
    /// The parts bound was reached: the last part takes everything.
    overflow: bool,
    line: Line,
    /// Start of the current line.
    line_start: Place,
    /// End of the line before, without its line break.
    line_before_end: Place,
    position: Place,
}

impl Scanner {
    /// Starts a message.
    pub fn new(limits: Limits) -> Self {
        let mut scanner = Self {
            limits,
            parts: Vec::new(),
            body_lines: Vec::new(),
            header: HeaderBlock::new(limits),
            open: Vec::new(),
            current: None,
            mode: Mode::Header,
            overflow: false,
            line: Line::default(),
            line_start: Place::default(),
            line_before_end: Place::default(),
            position: Place::default(),
        };
        scanner.begin_part(None, 1, false, Place::default());
        scanner
    }

    /// Takes the next piece. How the message is cut into pieces changes nothing.
    pub fn feed(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let (piece, tail, complete) = match memchr::memchr(b'\n', rest) {
                Some(at) => match rest.split_at_checked(at.saturating_add(1)) {
                    Some((piece, tail)) => (piece, tail, true),
                    None => (rest, Default::default(), true),
                },
                None => (rest, Default::default(), false),
            };
            self.take(piece, complete);
            rest = tail;
        }
    }

    /// Ends the message.
    pub fn finish(mut self) -> Structure {
        if self.position > self.line_start {
            // The last line has no line break; it may still be a delimiter or a field.
            self.end_of_line();
        }
        self.close_all();
        Structure {
            parts: self.parts,
            kept: self.header.into_bytes(),
            size: self.position.offset,
        }
    }

    /// A piece of one line, with its line feed when it is `complete`.
    fn take(&mut self, piece: &[u8], complete: bool) {
        self.position.offset = self
            .position
            .offset
            .saturating_add(crate::octets::from_len(piece.len()));
        if complete {
            self.position.lines = self.position.lines.saturating_add(1);
        }
        self.line.push(piece);
        if self.mode == Mode::Header {
            self.header.push(piece, &self.line);
        }
        if complete {
            self.end_of_line();
        }
    }

    /// The line from `line_start` to `position` is whole.
    fn end_of_line(&mut self) {
        let delimiter = if self.overflow {
            None
        } else {
            self.find_delimiter()
        };
        if let Some((level, closing)) = delimiter {
            self.delimiter(level, closing);
        } else if self.mode == Mode::Header {
            self.header.end_of_line();
            if self.line.is_empty() && self.line.ends_with_break() {
                self.end_header(self.position);
            }
        }
        let line_break = self.line.break_len();
        self.line_before_end = Place {
            offset: self.position.offset.saturating_sub(line_break),
            lines: self
                .position
                .lines
                .saturating_sub(u64::from(line_break > 0)),
        };
        self.line_start = self.position;
        self.line.clear();
    }

    /// RFC 2046 5.1.2: looks from the innermost container outwards, because each delimiter ends
    /// all that was opened inside its multipart. Hashes keep this one pass per line.
    fn find_delimiter(&self) -> Option<(usize, bool)> {
        if self.open.is_empty() {
            return None;
        }
        let (value, value_closing) = self.line.delimiter()?;
        let hash = open::hash(value);
        let hash_closing = value_closing.map(open::hash);
        for (level, open) in self.open.iter().enumerate().rev() {
            if open.is_boundary(value, hash) {
                return Some((level, false));
            }
            if let (Some(value), Some(hash)) = (value_closing, hash_closing)
                && open.is_boundary(value, hash)
            {
                return Some((level, true));
            }
        }
        None
    }

    /// The current line is the delimiter of the container at `level`.
    fn delimiter(&mut self, level: usize, closing: bool) {
        self.close_inside(level, self.line_before_end);
        self.current = None;
        self.mode = Mode::Body;
        let Some(open) = self.open.get_mut(level) else {
            return;
        };
        if closing {
            // What follows is the epilogue: the boundary has lost its meaning.
            open.close();
            return;
        }
        let (parent, in_digest) = (open.part, open.digest);
        let number = open.next_number();
        let last = self.parts.len().saturating_add(1) >= self.limits.parts_max;
        self.begin_part(Some(parent), number, in_digest, self.position);
        if last {
            // Everything from here on is this one part, its header included.
            self.overflow = true;
            self.mode = Mode::Body;
            self.set_kind_of_current(Kind::Opaque);
        }
    }

    fn begin_part(&mut self, parent: Option<usize>, number: u32, in_digest: bool, at: Place) {
        let depth = parent
            .and_then(|parent| self.parts.get(parent))
            .map_or(0, |parent| parent.depth.saturating_add(1));
        self.current = Some(self.parts.len());
        self.mode = Mode::Header;
        self.body_lines.push(at.lines);
        self.parts.push(Part {
            parent,
            number,
            depth,
            header_start: at.offset,
            body_start: at.offset,
            body_end: at.offset,
            lines: 0,
            kind: Kind::Leaf,
            in_digest,
            header_cut: false,
            kept: self.header.begin(),
        });
    }

    fn set_kind_of_current(&mut self, kind: Kind) {
        if let Some(part) = self.current.and_then(|index| self.parts.get_mut(index)) {
            part.kind = kind;
        }
    }

    /// The header of the current part ends and its body begins at `at`.
    fn end_header(&mut self, at: Place) {
        let Some(index) = self.current else { return };
        let (kept, header_cut) = self.header.end();
        let room = self.parts.len().saturating_add(1) < self.limits.parts_max;
        let (Some(part), Some(lines)) = (self.parts.get_mut(index), self.body_lines.get_mut(index))
        else {
            return;
        };
        *lines = at.lines;
        part.body_start = at.offset;
        part.kept = kept.clone();
        part.header_cut = header_cut;
        self.mode = Mode::Body;
        let within = room && part.depth < self.limits.depth_max;
        let header = self.header.bytes(kept);
        let (kind, opened) = open::classify(header, header_cut, part.in_digest, within);
        part.kind = kind;
        match opened {
            Some(open::Opened::Multipart { boundary, digest }) => {
                self.current = None;
                self.open.push(Open::multipart(index, boundary, digest));
            }
            Some(open::Opened::Message) => {
                self.open.push(Open::message(index));
                self.begin_part(Some(index), 1, false, at);
            }
            None => {}
        }
    }

    /// Ends all that is open inside the container at `level`; the container itself stays open.
    ///
    /// `end` is where the delimiter's own line break begins. The outermost part may not end
    /// before its body has begun (an empty line right before a delimiter); the parts inside it
    /// are cut to its end.
    fn close_inside(&mut self, level: usize, end: Place) {
        self.end_open_headers(end);
        let mut closing: Vec<usize> = self
            .open
            .drain(level.saturating_add(1)..)
            .map(|open| open.part)
            .collect();
        if let Some(current) = self.current.take()
            && closing.last() != Some(&current)
        {
            closing.push(current);
        }
        self.close(&closing, end);
    }

    /// Ends the message at its last octet.
    fn close_all(&mut self) {
        self.end_open_headers(self.position);
        let mut closing: Vec<usize> = self.open.drain(..).map(|open| open.part).collect();
        if let Some(current) = self.current.take()
            && closing.last() != Some(&current)
        {
            closing.push(current);
        }
        self.close(&closing, self.position);
    }

    /// A header that is cut off by a delimiter or by the end of the message is a header still.
    /// Ending one may open a container, and with it one more header, at most once per level.
    fn end_open_headers(&mut self, end: Place) {
        while self.mode == Mode::Header {
            let start = self.current.and_then(|index| self.parts.get(index));
            let start = start.map_or(end.offset, |part| part.header_start);
            self.end_header(Place {
                offset: end.offset.max(start),
                lines: end.lines,
            });
        }
    }

    /// `closing` runs from the outermost part inwards.
    fn close(&mut self, closing: &[usize], end: Place) {
        let mut limit = None;
        for &index in closing {
            let body_lines = self.body_lines.get(index).copied().unwrap_or(end.lines);
            let Some(part) = self.parts.get_mut(index) else {
                continue;
            };
            let bound = *limit.get_or_insert(end.offset.max(part.body_start));
            part.header_start = part.header_start.min(bound);
            part.body_start = part.body_start.min(bound);
            part.body_end = bound;
            let empty = part.body_start >= part.body_end;
            part.lines = if empty {
                0
            } else {
                end.lines.saturating_sub(body_lines)
            };
        }
        self.give_empty_multipart_a_part(closing);
    }

    /// RFC 3501 7.4.2 has no word for a multipart without parts, and a mail whose boundary never
    /// appears should still be readable: all of its body becomes one part.
    fn give_empty_multipart_a_part(&mut self, closing: &[usize]) {
        let Some(&index) = closing.last() else { return };
        if index.saturating_add(1) != self.parts.len() {
            return;
        }
        let Some(part) = self.parts.get(index) else {
            return;
        };
        if part.kind != Kind::Multipart {
            return;
        }
        let child = Part {
            parent: Some(index),
            number: 1,
            depth: part.depth.saturating_add(1),
            header_start: part.body_start,
            kind: Kind::NoBoundary,
            in_digest: false,
            header_cut: false,
            kept: 0..0,
            ..part.clone()
        };
        self.parts.push(child);
        self.body_lines.push(0);
    }
}

#[cfg(test)]
mod tests;
