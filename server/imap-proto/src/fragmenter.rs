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

use memchr::memchr;

use crate::limits::{Limits, TAG_BYTES_MAX};
use crate::request::{LiteralHeader, LiteralKind, Request, tag_of};

mod literal;

use literal::Trailer;

/// Bytes kept of the end of a skipped line, to see whether it announces a literal.
const TAIL_BYTES: usize = 64;

/// Splits one connection's bytes. Lives in the connection's session.
///
/// Between commands it holds no memory of its own. Inside a command
/// `line_bytes + literal_bytes == buffer.len()`, `line_bytes <= line_bytes_max` and
/// `literal_bytes <= literal_bytes_max`.
#[derive(Debug)]
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

/// What a stretch of input meant.
#[derive(Debug, PartialEq, Eq)]
pub enum Event<'i> {
    /// A complete command.
    Request(Request),
    /// A synchronizing literal within the limits: send `+ ` so that the peer goes on.
    Continue,
    /// The command up to a message literal (`prefix.message_literal()` is `Some`). It is an APPEND
    /// the first time in a command; after an `AppendEnd`-less second time it is MULTIAPPEND and
    /// `prefix` holds only what followed the message before.
    AppendLiteral {
        /// The command so far, or what followed the last message literal.
        prefix: Request,
        /// The literal that wants a decision.
        literal: LiteralHeader,
    },
    /// A piece of the accepted message literal, in order, never empty.
    LiteralData(&'i [u8]),
    /// The rest of the line after the last message literal, without the line end.
    AppendEnd(Request),
    /// A raw line that was asked for with `expect_line`, without the line end.
    Line(Vec<u8>),
    /// A command was thrown away.
    Rejected(Rejection),
    /// The peer announced more than will ever be read.
    Fatal(RejectionReason),
}

/// A command that was thrown away before the grammar saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// Its tag, if it had a valid one.
    pub tag: Option<Vec<u8>>,
    /// Why.
    pub reason: RejectionReason,
}

/// Why a command was thrown away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectionReason {
    /// `Limits::line_bytes_max`.
    #[error("Command line too long")]
    LineTooLong,
    /// `Limits::literal_bytes_max`.
    #[error("Literal too large")]
    LiteralTooLarge,
    /// `Limits::literal_count_max`.
    #[error("Too many literals")]
    TooManyLiterals,
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

    fn step_skip_line<'i>(&mut self, rest: &'i [u8]) -> Step<'i> {
        let (piece, ended) = line_piece(rest);
        self.skipped_bytes = self.skipped_bytes.saturating_add(count(piece));
        if self.skipped_bytes > self.limits.skipped_bytes_max {
            return self.lose(RejectionReason::LineTooLong);
        }
        self.keep_tail(piece);
        if !ended {
            return Step::Again(piece.len());
        }
        match literal::trailer(&self.buffer) {
            Trailer::Literal { header, .. } if self.state == State::SkipLine => {
                self.skip_literal(header);
            }
            // Digits without end: how much data follows cannot be known.
            Trailer::Cut if self.state == State::SkipLine && self.buffer.len() == TAIL_BYTES => {
                return self.lose(RejectionReason::LiteralTooLarge);
            }
            Trailer::None | Trailer::Cut | Trailer::Literal { .. } => self.start_command(),
        }
        Step::Again(piece.len())
    }

    fn step_skip_literal<'i>(&mut self, rest: &'i [u8], missing: u64) -> Step<'i> {
        if self.skipped_bytes.saturating_add(missing) > self.limits.skipped_bytes_max {
            return self.lose(RejectionReason::LiteralTooLarge);
        }
        if rest.is_empty() {
            return Step::Starved;
        }
        let skipped = count(rest).min(missing);
        self.skipped_bytes += skipped;
        self.state = State::SkipLiteral(missing - skipped);
        Step::Again(usize::try_from(skipped).unwrap_or(rest.len()))
    }

    /// Goes past a literal that nobody wants, and past the rest of its command.
    fn skip_literal(&mut self, literal: LiteralHeader) {
        let skipped_bytes = self.skipped_bytes;
        self.start_command();
        if literal.kind == LiteralKind::NonSynchronizing {
            // RFC 7888 section 4: the data is on its way and has to be read past.
            self.skipped_bytes = skipped_bytes;
            self.state = State::SkipLiteral(literal.bytes);
        }
        // RFC 3501 7.5: without a continuation request the peer does not send the data of a
        // synchronizing literal, and its command has ended.
    }

    /// Describes the present command for its BAD, `piece` being what the buffer lacks.
    fn reject(&mut self, piece: &[u8], reason: RejectionReason) -> Rejection {
        if let Some(tag) = self.append_tag.take() {
            return Rejection {
                tag: (!tag.is_empty()).then_some(tag),
                reason,
            };
        }
        let mut start: Vec<u8> = Vec::with_capacity(TAG_BYTES_MAX + 1);
        start.extend(self.buffer.iter().chain(piece).take(TAG_BYTES_MAX + 1));
        // A tag that nothing ends may have been cut.
        let tag = tag_of(&start).filter(|tag| tag.len() < start.len());
        Rejection {
            tag: tag.map(<[u8]>::to_vec),
            reason,
        }
    }

    fn lose<'i>(&mut self, reason: RejectionReason) -> Step<'i> {
        self.start_command();
        self.state = State::Lost;
        Step::Event(0, Event::Fatal(reason))
    }

    /// Forgets the present command and its memory.
    fn start_command(&mut self) {
        *self = Self::new(self.limits);
    }

    /// Keeps the last bytes of a line that is being skipped.
    fn keep_tail(&mut self, piece: &[u8]) {
        let fresh = piece
            .get(piece.len().saturating_sub(TAIL_BYTES)..)
            .unwrap_or(piece);
        let kept = TAIL_BYTES - fresh.len();
        let old = self
            .buffer
            .get(self.buffer.len().saturating_sub(kept)..)
            .unwrap_or_default();
        let mut tail = Vec::with_capacity(TAIL_BYTES);
        tail.extend_from_slice(old);
        tail.extend_from_slice(fresh);
        self.buffer = tail;
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
