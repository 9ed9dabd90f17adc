//! One message looked through for all strings of a SEARCH in one pass, step by step: each part is
//! decoded once, whatever is asked for, and a message of many megabytes keeps nobody waiting.
//!
//! ```text
//! header fields ------------------------------> haystack
//! body -> transfer encoding -> charset -> text -> haystack
//!                                          `-> html as it reads -> haystack
//! ```
//!
//! Each arrow goes by windows; where nothing is to be decoded, nothing is copied.

use encoding_rs::Decoder;

use super::haystack::{Found, Haystack};
use super::html::HtmlText;
use super::transfer::{self, Base64};
use super::{Scope, TextKeys, field_text};
use crate::charset::{self, Way};
use crate::field::content::Encoding;
use crate::octets::slice;
use crate::scanner::Kind;
use crate::summary::{Class, PartRef, SummaryRef};

/// Octets that are decoded or read at a time; in tests a few, as in the haystack.
const WINDOW_BYTES: usize = if cfg!(test) { 40 } else { 64 * 1024 };

/// Memory that buffers keep from one message to the next.
const KEPT_BYTES: usize = 256 * 1024;

/// Buffers for one message after the other.
#[derive(Debug, Default)]
pub struct Scratch {
    haystack: Haystack,
    found: Found,
    /// A body without its transfer encoding.
    decoded: Vec<u8>,
    /// A body in UTF-8, if it was not before.
    converted: String,
    /// What a window of HTML says.
    shown: Vec<u8>,
    field: Vec<u8>,
}

/// Whether there is more to look through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Call again.
    More,
    /// All of it was, or all keys are found.
    Done,
}

/// One message and the keys it is looked through for.
pub struct TextSearch<'a> {
    message: &'a [u8],
    summary: &'a SummaryRef<'a>,
    keys: &'a TextKeys,
    scratch: &'a mut Scratch,
    next_part: usize,
    stage: Stage<'a>,
}

enum Stage<'a> {
    /// The header of the next part.
    Header,
    /// The transfer encoding: input octets before `at` are decoded.
    Transfer {
        part: PartRef<'a>,
        body: &'a [u8],
        at: usize,
        base64: Base64,
    },
    /// Whether the octets are text as they are: those before `at` are.
    Valid {
        part: PartRef<'a>,
        octets: Octets<'a>,
        at: usize,
        way: Way,
    },
    /// To UTF-8: input octets before `at` are done.
    Convert {
        part: PartRef<'a>,
        octets: Octets<'a>,
        at: usize,
        decoder: Box<Decoder>,
    },
    /// Text in UTF-8: octets before `at` were looked through.
    Text {
        part: PartRef<'a>,
        octets: Octets<'a>,
        at: usize,
    },
    /// The same again as HTML.
    Html {
        octets: Octets<'a>,
        reading: HtmlText,
    },
    Done,
}

/// Where the octets of a stage are.
#[derive(Clone, Copy)]
enum Octets<'a> {
    Message(&'a [u8]),
    Decoded,
    Converted,
}

impl<'a> TextSearch<'a> {
    /// Of a message with its summary.
    pub fn new(
        message: &'a [u8],
        summary: &'a SummaryRef<'a>,
        keys: &'a TextKeys,
        scratch: &'a mut Scratch,
    ) -> Self {
        scratch.found.keys.clear();
        let empty = keys.keys.iter().map(|key| key.needle.is_empty());
        scratch.found.keys.extend(empty);
        scratch.haystack.clear();
        let mut search = TextSearch {
            message,
            summary,
            keys,
            scratch,
            next_part: 0,
            stage: Stage::Header,
        };
        search.stop_if_all_found();
        search
    }

    /// Which keys have been found so far, in their order. What is not found after
    /// [`Progress::Done`] is not in the message.
    pub fn found(&self) -> &[bool] {
        &self.scratch.found.keys
    }

    /// Looks through about `bytes` octets more.
    pub fn step(&mut self, bytes: usize) -> Progress {
        let mut left = bytes;
        while left > 0 {
            let stage = std::mem::replace(&mut self.stage, Stage::Done);
            let (next, cost) = match stage {
                Stage::Done => return Progress::Done,
                Stage::Header => self.header(),
                Stage::Transfer {
                    part,
                    body,
                    at,
                    base64,
                } => self.transfer(part, body, at, base64),
                Stage::Valid {
                    part,
                    octets,
                    at,
                    way,
                } => self.valid(part, octets, at, way),
                Stage::Convert {
                    part,
                    octets,
                    at,
                    decoder,
                } => self.convert(part, octets, at, decoder),
                Stage::Text { part, octets, at } => self.text(part, octets, at),
                Stage::Html { octets, reading } => self.html(octets, reading),
            };
            self.stage = next;
            left = left.saturating_sub(cost);
            self.stop_if_all_found();
        }
        match self.stage {
            Stage::Done => Progress::Done,
            _ => Progress::More,
        }
    }

    fn stop_if_all_found(&mut self) {
        if self.scratch.found.keys.iter().all(|found| *found) {
            self.stage = Stage::Done;
        }
    }

    fn header(&mut self) -> (Stage<'a>, usize) {
        let Some(part) = self.summary.part(self.next_part) else {
            return (Stage::Done, 0);
        };
        self.next_part += 1;
        let header = slice(self.message, part.header());
        // The headers of messages inside the message are text of its body.
        let is_inner_message = part.index() > 0 && part.is_message(self.summary);
        let scope = match is_inner_message {
            true => Scope::Body,
            false => Scope::Text,
        };
        if scope == Scope::Body || self.keys.any_text {
            let scratch = &mut *self.scratch;
            for field in crate::field::fields(header) {
                scratch.field.clear();
                field_text(&field, &mut scratch.field);
                scratch.haystack.feed_apart(&scratch.field);
            }
            scratch.haystack.end(scope, self.keys, &mut scratch.found);
        }
        (self.begin_body(part), header.len() + 1)
    }

    /// Parts that hold parts have no text of their own.
    fn begin_body(&mut self, part: PartRef<'a>) -> Stage<'a> {
        if matches!(part.kind(), Kind::Multipart | Kind::Message) || part.class() == Class::Other {
            return Stage::Header;
        }
        let body = slice(self.message, part.body());
        if part.encoding() == Encoding::Identity {
            return begin_charset(part, Octets::Message(body));
        }
        self.scratch.decoded.clear();
        Stage::Transfer {
            part,
            body,
            at: 0,
            base64: Base64::default(),
        }
    }

    fn transfer(
        &mut self,
        part: PartRef<'a>,
        body: &'a [u8],
        at: usize,
        mut base64: Base64,
    ) -> (Stage<'a>, usize) {
        let decoded = &mut self.scratch.decoded;
        let rest = body.get(at..).unwrap_or_default();
        let cut = match part.encoding() {
            Encoding::QuotedPrintable => transfer::quoted_printable_cut(rest, WINDOW_BYTES),
            Encoding::Base64 | Encoding::Identity => rest.len().min(WINDOW_BYTES),
        };
        let window = rest.get(..cut).unwrap_or_default();
        match part.encoding() {
            Encoding::QuotedPrintable => transfer::quoted_printable_into(window, decoded),
            Encoding::Base64 => base64.decode(window, decoded),
            Encoding::Identity => decoded.extend_from_slice(window),
        }
        let at = at + cut;
        let next = if at < body.len() {
            Stage::Transfer {
                part,
                body,
                at,
                base64,
            }
        } else {
            begin_charset(part, Octets::Decoded)
        };
        (next, cut + 1)
    }

    /// Most mail is text as it is.
    fn valid(
        &mut self,
        part: PartRef<'a>,
        octets: Octets<'a>,
        at: usize,
        way: Way,
    ) -> (Stage<'a>, usize) {
        let bytes = self.octets(octets);
        let rest = bytes.get(at..).unwrap_or_default();
        let window = rest.get(..WINDOW_BYTES).unwrap_or(rest);
        let valid = way.text_len(window, window.len() == rest.len());
        let (cost, all) = (valid / 8 + 1, bytes.len());
        if valid == 0 && !rest.is_empty() {
            return (self.begin_convert(part, octets, way), cost);
        }
        let at = at + valid;
        let next = if at < all {
            Stage::Valid {
                part,
                octets,
                at,
                way,
            }
        } else {
            Stage::Text {
                part,
                octets,
                at: 0,
            }
        };
        (next, cost)
    }

    fn begin_convert(&mut self, part: PartRef<'a>, octets: Octets<'a>, way: Way) -> Stage<'a> {
        self.scratch.converted.clear();
        if let Some(decoder) = way.decoder() {
            return Stage::Convert {
                part,
                octets,
                at: 0,
                decoder: Box::new(decoder),
            };
        }
        let converted = charset::decode_leniently(part.charset(), self.octets(octets)).into_owned();
        self.scratch.converted = converted;
        Stage::Text {
            part,
            octets: Octets::Converted,
            at: 0,
        }
    }

    fn convert(
        &mut self,
        part: PartRef<'a>,
        octets: Octets<'a>,
        at: usize,
        mut decoder: Box<Decoder>,
    ) -> (Stage<'a>, usize) {
        let scratch = &mut *self.scratch;
        let bytes = match octets {
            Octets::Message(bytes) => bytes,
            Octets::Decoded | Octets::Converted => &scratch.decoded,
        };
        let rest = bytes.get(at..).unwrap_or_default();
        let window = rest.get(..WINDOW_BYTES).unwrap_or(rest);
        let is_last = window.len() == rest.len();
        // The largest growth there is: an octet becomes a character of three.
        let room = decoder.max_utf8_buffer_length(window.len());
        scratch.converted.reserve(room.unwrap_or(window.len() * 3));
        let (_, read, _) = decoder.decode_to_string(window, &mut scratch.converted, is_last);
        let next = if is_last {
            Stage::Text {
                part,
                octets: Octets::Converted,
                at: 0,
            }
        } else {
            Stage::Convert {
                part,
                octets,
                at: at + read,
                decoder,
            }
        };
        (next, window.len() + 1)
    }

    fn text(&mut self, part: PartRef<'a>, octets: Octets<'a>, at: usize) -> (Stage<'a>, usize) {
        let scratch = &mut *self.scratch;
        let bytes = match octets {
            Octets::Message(bytes) => bytes,
            Octets::Decoded => &scratch.decoded,
            Octets::Converted => scratch.converted.as_bytes(),
        };
        let rest = bytes.get(at..).unwrap_or_default();
        let window = rest.get(..WINDOW_BYTES).unwrap_or(rest);
        let (haystack, found) = (&mut scratch.haystack, &mut scratch.found);
        haystack.feed(window, Scope::Body, self.keys, found);
        if window.len() < rest.len() {
            let at = at + window.len();
            return (Stage::Text { part, octets, at }, window.len());
        }
        haystack.end(Scope::Body, self.keys, found);
        let cost = window.len() + 1;
        // HTML is looked through as written, and as it reads: without tags, with its entities.
        let next = if part.class() == Class::Html {
            let reading = HtmlText::new();
            Stage::Html { octets, reading }
        } else {
            self.part_ends()
        };
        (next, cost)
    }

    fn html(&mut self, octets: Octets<'a>, mut reading: HtmlText) -> (Stage<'a>, usize) {
        let scratch = &mut *self.scratch;
        let bytes = match octets {
            Octets::Message(bytes) => bytes,
            Octets::Decoded => &scratch.decoded,
            Octets::Converted => scratch.converted.as_bytes(),
        };
        scratch.shown.clear();
        let until = reading.at() + WINDOW_BYTES;
        let is_all = reading.read(bytes, until, &mut scratch.shown);
        let (haystack, found) = (&mut scratch.haystack, &mut scratch.found);
        haystack.feed(&scratch.shown, Scope::Body, self.keys, found);
        if !is_all {
            return (Stage::Html { octets, reading }, WINDOW_BYTES);
        }
        haystack.end(Scope::Body, self.keys, found);
        let cost = WINDOW_BYTES.min(bytes.len()) + 1;
        (self.part_ends(), cost)
    }

    /// The memory of a large part is not kept for the small ones.
    fn part_ends(&mut self) -> Stage<'a> {
        let scratch = &mut *self.scratch;
        for buffer in [&mut scratch.decoded, &mut scratch.shown, &mut scratch.field] {
            buffer.clear();
            buffer.shrink_to(KEPT_BYTES);
        }
        scratch.converted.clear();
        scratch.converted.shrink_to(KEPT_BYTES);
        scratch.haystack.shrink(KEPT_BYTES);
        Stage::Header
    }

    fn octets(&self, octets: Octets<'a>) -> &[u8] {
        match octets {
            Octets::Message(bytes) => bytes,
            Octets::Decoded => &self.scratch.decoded,
            Octets::Converted => self.scratch.converted.as_bytes(),
        }
    }
}

fn begin_charset<'a>(part: PartRef<'a>, octets: Octets<'a>) -> Stage<'a> {
    let way = Way::of(part.charset());
    Stage::Valid {
        part,
        octets,
        at: 0,
        way,
    }
}
