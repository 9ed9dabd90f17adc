//! Cuts a stream into responses, without keeping what literals carry.

use super::digest::Digest;
use super::{is_status_response, literal_length};
use crate::fault::{Fault, FaultKind};
use crate::limits::{LINE_BYTES_MAX, LITERAL_BYTES_MAX};
use imap_proto::grammar::Cursor;

/// What a stream is made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// Lines with literals (RFC 3501 4.3).
    #[default]
    Imap,
    /// Lines (RFC 5321 2.3.8, which LMTP shares).
    Lmtp,
}

/// Cuts a stream into responses. A literal leaves its `{length}` in the line and its octets go to
/// a digest, if somebody wants one, so a body costs little more than its receipt. A response that
/// comes in one piece and without literals is not copied.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// The response so far, without line ends and octets of literals; empty, and without memory
    /// of its own after [`ReplyReader::release`], between responses.
    line: Vec<u8>,
    /// Where the part after the last literal starts; `part_start <= line.len()`.
    part_start: usize,
    /// Octets of the literal under way that have not come yet.
    literal_bytes_left: usize,
    /// Whether `line` has been handed out and makes room for the next.
    complete: bool,
    framing: Framing,
}

impl ReplyReader {
    /// A reader at the beginning of a stream.
    pub fn new(framing: Framing) -> Self {
        Self {
            framing,
            ..Self::default()
        }
    }

    /// Takes the next whole response from the front of `input`; `None` when `input` is used up.
    pub fn next<'a, 'i: 'a>(
        &'a mut self,
        input: &mut &'i [u8],
        mut digest: Option<&mut Digest>,
    ) -> Result<Option<&'a [u8]>, Fault> {
        if self.complete {
            self.complete = false;
            self.part_start = 0;
            self.line.clear();
        }
        if self.line.is_empty()
            && self.literal_bytes_left == 0
            && let Some(line) = self.whole_line(input)
        {
            return Ok(Some(line));
        }
        loop {
            self.take_literal(input, digest.as_deref_mut());
            let Some(end) = memchr::memchr(b'\n', input) else {
                self.keep(input)?;
                *input = &[];
                return Ok(None);
            };
            let (part, rest) = input.split_at(end + 1);
            self.keep(part)?;
            *input = rest;
            if !self.line.ends_with(b"\r\n") {
                return Err(Fault::said(FaultKind::Malformed, &self.line));
            }
            self.line.truncate(self.line.len() - 2);
            match self.announced_literal()? {
                Some(bytes) => {
                    self.literal_bytes_left = bytes;
                    self.part_start = self.line.len();
                    if bytes == 0
                        && let Some(digest) = digest.as_deref_mut()
                    {
                        digest.end();
                    }
                }
                None => {
                    self.complete = true;
                    return Ok(Some(&self.line));
                }
            }
        }
    }

    /// Lets go of memory when nothing is under way.
    pub fn release(&mut self) {
        if self.complete || self.line.is_empty() {
            self.line = Vec::new();
            self.part_start = 0;
            self.complete = false;
        }
    }

    /// A response that is whole in `input` and has no literal.
    fn whole_line<'i>(&self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        let end = memchr::memchr(b'\n', input)?;
        let (part, rest) = input.split_at_checked(end + 1)?;
        let line = part.strip_suffix(b"\r\n")?;
        if line.len() > LINE_BYTES_MAX || (self.framing == Framing::Imap && line.ends_with(b"}")) {
            return None;
        }
        *input = rest;
        Some(line)
    }

    fn take_literal(&mut self, input: &mut &[u8], digest: Option<&mut Digest>) {
        let taken = self.literal_bytes_left.min(input.len());
        if taken == 0 {
            return;
        }
        self.literal_bytes_left -= taken;
        let (octets, rest) = input.split_at(taken);
        *input = rest;
        if let Some(digest) = digest {
            digest.feed(octets);
            if self.literal_bytes_left == 0 {
                digest.end();
            }
        }
    }

    fn keep(&mut self, part: &[u8]) -> Result<(), Fault> {
        if self.line.len() + part.len() > LINE_BYTES_MAX {
            return Err(Fault::said(FaultKind::Malformed, &self.line));
        }
        self.line.extend_from_slice(part);
        Ok(())
    }

    /// The length of the literal that the part just read announces at its end.
    fn announced_literal(&self) -> Result<Option<usize>, Fault> {
        if self.framing == Framing::Lmtp {
            return Ok(None);
        }
        let part = self.line.get(self.part_start..).unwrap_or_default();
        // A length that is wrong shows where its literal ends, before the next one is believed.
        if self.part_start > 0 && !matches!(part.first(), None | Some(b' ' | b')')) {
            return Err(Fault::said(FaultKind::Malformed, &self.line));
        }
        let Some(open) = part
            .strip_suffix(b"}")
            .and_then(|part| memchr::memrchr(b'{', part))
        else {
            return Ok(None);
        };
        // RFC 3501 7.1: the end of a status response is text for people, whatever it looks like.
        if is_status_response(&self.line) {
            return Ok(None);
        }
        let mut cursor = Cursor::new(part.get(open..).unwrap_or_default());
        literal_length(&mut cursor)
            .filter(|bytes| *bytes <= LITERAL_BYTES_MAX)
            .and_then(|bytes| usize::try_from(bytes).ok())
            .map(Some)
            .ok_or_else(|| Fault::said(FaultKind::Malformed, &self.line))
    }
}
