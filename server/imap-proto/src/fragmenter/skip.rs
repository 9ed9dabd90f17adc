//! Throwing away what is refused, and finding the start of the next command behind it.

use super::literal::{self, Trailer};
use super::{Event, Fragmenter, Rejection, RejectionReason, State, Step, count, line_piece};
use crate::limits::TAG_BYTES_MAX;
use crate::request::{LiteralHeader, LiteralKind, tag_of};

/// Bytes kept of the end of a skipped line, to see whether it announces a literal.
const TAIL_BYTES: usize = 64;

impl Fragmenter {
    pub(super) fn step_skip_line<'i>(&mut self, rest: &'i [u8]) -> Step<'i> {
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

    pub(super) fn step_skip_literal<'i>(&mut self, rest: &'i [u8], missing: u64) -> Step<'i> {
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
    pub(super) fn skip_literal(&mut self, literal: LiteralHeader) {
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
    pub(super) fn reject(&mut self, piece: &[u8], reason: RejectionReason) -> Rejection {
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

    /// Keeps the last bytes of a line that is being skipped.
    pub(super) fn keep_tail(&mut self, piece: &[u8]) {
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
