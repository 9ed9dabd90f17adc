//! Sections of a message (RFC 3501 `section`) and partial ranges.

use crate::response::string::{astring, number};

/// `[section]`: a part, and what of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Section {
    /// Part numbers from the outside in, none zero; empty for the whole message.
    pub part: Vec<u32>,
    /// What of that part.
    pub text: SectionText,
}

/// What of a part is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SectionText {
    /// All of it: the whole message, or the body of the part.
    All,
    /// HEADER: the RFC 5322 header of the message, or of a `message/rfc822` part.
    Header,
    /// HEADER.FIELDS: these fields, names as the client spelled them. Not empty.
    HeaderFields(Vec<Vec<u8>>),
    /// HEADER.FIELDS.NOT: all fields but these. Not empty.
    HeaderFieldsNot(Vec<Vec<u8>>),
    /// TEXT: the body without the header.
    Text,
    /// MIME: the part's own MIME header; only with part numbers.
    Mime,
}

/// `<offset.bytes>`: at most `bytes` bytes from `offset` on; `bytes` is not zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Partial {
    /// First byte wanted, counted from zero.
    pub offset: u64,
    /// Most bytes wanted.
    pub bytes: u64,
}

impl Section {
    /// The whole message: `[]`.
    pub fn whole() -> Self {
        Self { part: Vec::new(), text: SectionText::All }
    }

    /// Writes `[section]` with its brackets.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(b'[');
        for (index, number_of_part) in self.part.iter().enumerate() {
            if index > 0 {
                out.push(b'.');
            }
            number(out, *number_of_part);
        }
        if !self.part.is_empty() && self.text != SectionText::All {
            out.push(b'.');
        }
        match &self.text {
            SectionText::All => {}
            SectionText::Header => out.extend_from_slice(b"HEADER"),
            SectionText::Text => out.extend_from_slice(b"TEXT"),
            SectionText::Mime => out.extend_from_slice(b"MIME"),
            SectionText::HeaderFields(names) => {
                out.extend_from_slice(b"HEADER.FIELDS ");
                encode_fields(out, names);
            }
            SectionText::HeaderFieldsNot(names) => {
                out.extend_from_slice(b"HEADER.FIELDS.NOT ");
                encode_fields(out, names);
            }
        }
        out.push(b']');
    }
}

fn encode_fields(out: &mut Vec<u8>, names: &[Vec<u8>]) {
    out.push(b'(');
    for (index, name) in names.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        astring(out, name);
    }
    out.push(b')');
}
