//! The FETCH response (RFC 3501 7.4.2, RFC 7162 3.1), built item by item into the caller's buffer.
//!
//! A large body does not pass through the buffer: `body_section_literal` and `rfc822_literal` end
//! the builder after the literal's header; the caller sends the buffer, then exactly that many
//! bytes, and goes on with `FetchResponse::resume`.

use super::body_structure::BodyStructure;
use super::envelope::Envelope;
use super::flags::flag_list;
use super::string::{literal_header, literal_octets, nstring, number, number64};
use crate::grammar::{DateTime, Partial, Section};

/// A FETCH response that is being written. Ends with `finish`.
#[derive(Debug)]
#[must_use = "a FETCH response ends with finish()"]
pub struct FetchResponse<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

/// Which of the three old whole-message items is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rfc822Item {
    /// RFC822
    Whole,
    /// RFC822.HEADER
    Header,
    /// RFC822.TEXT
    Text,
}

impl Rfc822Item {
    const fn name(self) -> &'static [u8] {
        match self {
            Self::Whole => b"RFC822",
            Self::Header => b"RFC822.HEADER",
            Self::Text => b"RFC822.TEXT",
        }
    }
}

impl<'o> FetchResponse<'o> {
    /// Begins `* n FETCH (`.
    pub fn new(out: &'o mut Vec<u8>, sequence: u32) -> Self {
        out.extend_from_slice(b"* ");
        number(out, sequence);
        out.extend_from_slice(b" FETCH (");
        Self { out, first: true }
    }

    /// Goes on after the data of a streamed literal.
    pub fn resume(out: &'o mut Vec<u8>) -> Self {
        Self { out, first: false }
    }

    /// FLAGS, with names as `Flag::name` gives them.
    pub fn flags<'f>(self, names: impl IntoIterator<Item = &'f str>) -> Self {
        let this = self.item(b"FLAGS ");
        flag_list(this.out, names);
        this
    }

    /// UID
    pub fn uid(self, uid: u32) -> Self {
        let this = self.item(b"UID ");
        number(this.out, uid);
        this
    }

    /// MODSEQ (RFC 7162), which is parenthesised.
    pub fn mod_seq(self, mod_seq: u64) -> Self {
        let this = self.item(b"MODSEQ (");
        number64(this.out, mod_seq);
        this.out.push(b')');
        this
    }

    /// INTERNALDATE
    pub fn internal_date(self, date: &DateTime) -> Self {
        let this = self.item(b"INTERNALDATE ");
        date.encode(this.out);
        this
    }

    /// RFC822.SIZE
    pub fn size(self, bytes: u64) -> Self {
        let this = self.item(b"RFC822.SIZE ");
        number64(this.out, bytes);
        this
    }

    /// ENVELOPE
    pub fn envelope(self, envelope: &Envelope) -> Self {
        let this = self.item(b"ENVELOPE ");
        envelope.encode(this.out);
        this
    }

    /// BODY, the structure without extension data.
    pub fn body(self, structure: &BodyStructure) -> Self {
        let this = self.item(b"BODY ");
        structure.encode_body(this.out);
        this
    }

    /// BODYSTRUCTURE
    pub fn body_structure(self, structure: &BodyStructure) -> Self {
        let this = self.item(b"BODYSTRUCTURE ");
        structure.encode_body_structure(this.out);
        this
    }

    /// Any item whose value is already in its wire form, such as a stored ENVELOPE.
    pub fn raw(self, name: &str, wire: &[u8]) -> Self {
        let this = self.item(name.as_bytes());
        this.out.push(b' ');
        this.out.extend_from_slice(wire);
        this
    }

    /// `BODY[section]<origin>` with its value at hand; `None` is NIL, for a part that is not there.
    pub fn body_section(
        mut self,
        section: &Section,
        partial: Option<Partial>,
        value: Option<&[u8]>,
    ) -> Self {
        self.section_name(section, partial);
        self.out.push(b' ');
        body_value(self.out, value);
        self
    }

    /// `BODY[section]<origin> {bytes}`; the caller sends the data and resumes.
    pub fn body_section_literal(
        mut self,
        section: &Section,
        partial: Option<Partial>,
        bytes: usize,
    ) {
        self.section_name(section, partial);
        self.out.push(b' ');
        literal_header(self.out, bytes);
    }

    /// RFC822 and its kin with their value at hand.
    pub fn rfc822(self, item: Rfc822Item, value: Option<&[u8]>) -> Self {
        let this = self.item(item.name());
        this.out.push(b' ');
        body_value(this.out, value);
        this
    }

    /// RFC822 and its kin; the caller sends the data and resumes.
    pub fn rfc822_literal(self, item: Rfc822Item, bytes: usize) {
        let this = self.item(item.name());
        this.out.push(b' ');
        literal_header(this.out, bytes);
    }

    /// Ends the response.
    pub fn finish(self) {
        self.out.extend_from_slice(b")\r\n");
    }

    fn item(mut self, name: &[u8]) -> Self {
        self.separate();
        self.out.extend_from_slice(name);
        self
    }

    fn separate(&mut self) {
        if !self.first {
            self.out.push(b' ');
        }
        self.first = false;
    }

    fn section_name(&mut self, section: &Section, partial: Option<Partial>) {
        self.separate();
        self.out.extend_from_slice(b"BODY");
        section.encode(self.out);
        if let Some(partial) = partial {
            // RFC 3501 7.4.2: the answer carries the origin only.
            self.out.push(b'<');
            number64(self.out, partial.offset);
            self.out.push(b'>');
        }
    }
}

/// Stored bytes go out untouched, so always as a literal.
fn body_value(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        None => nstring(out, None),
        Some(value) => {
            literal_header(out, value.len());
            literal_octets(out, value);
        }
    }
}
