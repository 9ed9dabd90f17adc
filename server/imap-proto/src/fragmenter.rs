//! Bytes to fragments: lines, literals, and how to stay in step with a peer that sent nonsense.
//!
//! The fragmenter finds where commands end *before* any grammar looks at them, so that a malformed
//! command can never turn the data of a literal into commands. It performs no I/O: the caller
//! offers the bytes that it has, and is told how many were used and what they meant.
//!
//! ```text
//! loop over advance(input):
//!   Request        parse and execute it
//!   Continue       send "+ ": a small literal is about to be gathered
//!   AppendLiteral  answer with accept_literal (send "+ " if it says so) or refuse_literal
//!   LiteralData    a piece of the accepted message literal, borrowed from the input
//!   AppendEnd      what followed the message literal; empty for a plain APPEND
//!   Line           the answer to expect_line (AUTHENTICATE, IDLE's DONE)
//!   Rejected       answer tagged BAD (untagged if there is no tag); the stream is in step
//!   Fatal          send BYE and close; the stream cannot be brought back into step
//! ```

use std::fmt;

use memchr::memchr;

use crate::limits::Limits;
use crate::request::{LiteralHeader, LiteralKind, Request, tag_of};

mod event;
mod literal;
mod skip;

pub use event::{Event, Rejection, RejectionReason};

use literal::Trailer;

/// Splits one connection's bytes. Lives in the connection's session.
///
/// Between commands it holds no memory of its own. Inside a command
/// `buffer.len() <= line_bytes + literal_bytes`, `line_bytes <= line_bytes_max` and
/// `literal_bytes <= literal_bytes_max`.
pub struct Fragmenter {
    limits: Limits,
    state: State,
    /// The command so far; in the skipping states the end of the present line.
    buffer: Vec<u8>,
    /// Where the present line begins in `buffer`: after the last gathered literal. The data of a
    /// literal may look like a literal header; it must never be taken for one.
    line_start: usize,
    /// Bytes in `buffer` that are not data of literals.
    line_bytes: usize,
    /// Bytes of the gathered literals announced so far.
    literal_bytes: usize,
    literal_count: usize,
    /// Bytes of the present command that were thrown away.
    skipped_bytes: u64,
    /// Set from the first message literal of a command to its end.
    append_tag: Option<Vec<u8>>,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// A line of a command.
    Line,
    /// A literal that is gathered; this many bytes are missing.
    Literal(usize),
    /// Nothing yet: an `AppendLiteral` waits for its decision.
    Undecided(LiteralHeader),
    /// The message literal; this many bytes are missing.
    Message(u64),
    /// A line that is no command.
    RawLine,
    /// A line of a refused command.
    SkipLine,
    /// A line that is no command and was too long.
    SkipRawLine,
    /// A literal of a refused command; this many bytes are missing.
    SkipLiteral(u64),
    /// The peer cannot be followed any more.
    Lost,
}

/// What one step over the input came to.
enum Step<'i> {
    /// All input was used and nothing can be said yet.
    Starved,
    /// This much was used; go on with the rest.
    Again(usize),
    /// This much was used, and it meant this.
    Event(usize, Event<'i>),
}

/// Never shows the bytes: they may be a password.
impl fmt::Debug for Fragmenter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Fragmenter")
            .field("buffer", &self.buffer.len())
            .finish_non_exhaustive()
    }
}

impl Fragmenter {
    /// A fragmenter at the start of a command.
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Line,
            buffer: Vec::new(),
            line_start: 0,
            line_bytes: 0,
            literal_bytes: 0,
            literal_count: 0,
            skipped_bytes: 0,
            append_tag: None,
        }
    }

    /// Changes the bounds, at login.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes bytes from the front of `input`: how many were used, and what they meant.
    ///
    /// `None` means that all of `input` was used and more is needed. After an event, call again
    /// with what is left of the input once the event is dealt with; an `AppendLiteral` that was
    /// neither accepted nor refused by then counts as refused.
    pub fn advance<'i>(&mut self, input: &'i [u8]) -> (usize, Option<Event<'i>>) {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            match self.step(rest) {
                Step::Starved => return (input.len(), None),
                Step::Again(bytes) => used += bytes,
                Step::Event(bytes, event) => return (used + bytes, Some(event)),
            }
        }
    }

    /// Answers `AppendLiteral`: the data will come as `LiteralData`. Says whether the peer waits
    /// for `+ `, which the caller then sends.
    pub fn accept_literal(&mut self) -> LiteralKind {
        match self.state {
            State::Undecided(literal) => {
                self.state = State::Message(literal.bytes);
                literal.kind
            }
            // Nothing waits for a decision, so nobody waits for a continuation request.
            _ => LiteralKind::NonSynchronizing,
        }
    }

    /// Answers `AppendLiteral`: the caller sends a tagged NO or BAD; the rest of the command is
    /// thrown away, and the next event is about the next command.
    pub fn refuse_literal(&mut self) {
        if let State::Undecided(literal) = self.state {
            self.skip_literal(literal);
        }
    }

    /// The next line is no command: it comes as `Line` (AUTHENTICATE, IDLE). For use after a
    /// `Request` or a `Line`, before the next `advance`.
    pub fn expect_line(&mut self) {
        if self.is_idle() {
            self.state = State::RawLine;
        }
    }

    /// Takes back `expect_line`, if no byte of that line has come yet.
    pub fn expect_command(&mut self) {
        if self.state == State::RawLine && self.buffer.is_empty() {
            self.state = State::Line;
        }
    }

    /// Whether no command has begun; the fragmenter then holds no memory.
    pub fn is_idle(&self) -> bool {
        self.state == State::Line && self.buffer.is_empty() && self.append_tag.is_none()
    }

    /// Bytes of memory held.
    pub fn memory_bytes(&self) -> usize {
        self.buffer.capacity() + self.append_tag.as_ref().map_or(0, Vec::capacity)
    }

    fn step<'i>(&mut self, rest: &'i [u8]) -> Step<'i> {
        if let State::Undecided(_) = self.state {
            self.refuse_literal();
        }
        match self.state {
            // Literals of no bytes end before any input is needed.
            State::Literal(0) | State::Message(0) => {
                self.state = State::Line;
                self.line_start = self.buffer.len();
                Step::Again(0)
            }
            State::SkipLiteral(0) => {
                self.state = State::SkipLine;
                Step::Again(0)
            }
            State::SkipLiteral(missing) => self.step_skip_literal(rest, missing),
            _ if rest.is_empty() => Step::Starved,
            State::Line | State::Undecided(_) => self.step_line(rest),
            State::Literal(missing) => {
                let piece = rest.get(..missing).unwrap_or(rest);
                self.buffer.extend_from_slice(piece);
                self.state = State::Literal(missing - piece.len());
                Step::Again(piece.len())
            }
            State::Message(missing) => {
                let fits = usize::try_from(missing).unwrap_or(usize::MAX);
                let piece = rest.get(..fits).unwrap_or(rest);
                self.state = State::Message(missing.saturating_sub(count(piece)));
                Step::Event(piece.len(), Event::LiteralData(piece))
            }
            State::RawLine => self.step_raw_line(rest),
            State::SkipLine | State::SkipRawLine => self.step_skip_line(rest),
            State::Lost => Step::Starved,
        }
    }

    fn step_line<'i>(&mut self, rest: &'i [u8]) -> Step<'i> {
        let (piece, ended) = line_piece(rest);
        if self.line_bytes + piece.len() > self.limits.line_bytes_max {
            let rejection = self.reject(piece, RejectionReason::LineTooLong);
            self.state = State::SkipLine;
            // The end of the line decides what follows, so it is looked at again as skipped.
            self.buffer.drain(..self.line_start.min(self.buffer.len()));
            self.keep_tail(&[]);
            self.skipped_bytes = u64::try_from(self.line_bytes).unwrap_or(u64::MAX);
            return Step::Event(0, Event::Rejected(rejection));
        }
        self.buffer.extend_from_slice(piece);
        self.line_bytes += piece.len();
        if !ended {
            return Step::Again(piece.len());
        }
        let line = self.buffer.get(self.line_start..).unwrap_or_default();
        match literal::trailer(line) {
            Trailer::None | Trailer::Cut => {
                literal::strip_line_end(&mut self.buffer);
                let request = Request::new(std::mem::take(&mut self.buffer));
                let event = match self.append_tag {
                    Some(_) => Event::AppendEnd(request),
                    None => Event::Request(request),
                };
                self.start_command();
                Step::Event(piece.len(), event)
            }
            Trailer::Literal { header, start } => {
                let start = self.line_start + start;
                if self.append_tag.is_some() || literal::announces_message(&self.buffer, start) {
                    Step::Event(piece.len(), self.announce_message(header, start))
                } else {
                    self.gather(piece.len(), header)
                }
            }
        }
    }

    fn announce_message<'i>(&mut self, literal: LiteralHeader, start: usize) -> Event<'i> {
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.truncate(start);
        if self.append_tag.is_none() {
            self.append_tag = Some(tag_of(&bytes).unwrap_or_default().to_vec());
        }
        self.line_start = 0;
        self.line_bytes = 0;
        self.state = State::Undecided(literal);
        Event::AppendLiteral {
            prefix: Request::up_to_message_literal(bytes, literal),
            literal,
        }
    }

    /// Begins to gather a literal, or refuses the command that it belongs to.
    fn gather<'i>(&mut self, used: usize, literal: LiteralHeader) -> Step<'i> {
        let room = self
            .limits
            .literal_bytes_max
            .saturating_sub(self.literal_bytes);
        let reason = match usize::try_from(literal.bytes) {
            _ if self.literal_count >= self.limits.literal_count_max => {
                RejectionReason::TooManyLiterals
            }
            Ok(bytes) if bytes <= room => {
                self.literal_count += 1;
                self.literal_bytes += bytes;
                self.state = State::Literal(bytes);
                return match literal.kind {
                    LiteralKind::Synchronizing => Step::Event(used, Event::Continue),
                    LiteralKind::NonSynchronizing => Step::Again(used),
                };
            }
            _ => RejectionReason::LiteralTooLarge,
        };
        let rejection = self.reject(&[], reason);
        self.skip_literal(literal);
        Step::Event(used, Event::Rejected(rejection))
    }

    fn step_raw_line<'i>(&mut self, rest: &'i [u8]) -> Step<'i> {
        let (piece, ended) = line_piece(rest);
        if self.buffer.len() + piece.len() > self.limits.line_bytes_max {
            self.start_command();
            self.state = State::SkipRawLine;
            let reason = RejectionReason::LineTooLong;
            return Step::Event(0, Event::Rejected(Rejection { tag: None, reason }));
        }
        self.buffer.extend_from_slice(piece);
        if !ended {
            return Step::Again(piece.len());
        }
        literal::strip_line_end(&mut self.buffer);
        let line = std::mem::take(&mut self.buffer);
        self.start_command();
        Step::Event(piece.len(), Event::Line(line))
    }

    /// Forgets the present command and its memory.
    fn start_command(&mut self) {
        *self = Self::new(self.limits);
    }
}

/// The front of `rest` up to its line end, and whether there is one.
fn line_piece(rest: &[u8]) -> (&[u8], bool) {
    match memchr(b'\n', rest).and_then(|end| rest.get(..=end)) {
        Some(line) => (line, true),
        None => (rest, false),
    }
}

fn count(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
