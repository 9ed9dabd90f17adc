//! BODY and BODYSTRUCTURE (RFC 3501 7.4.2): values, and their wire form.
//!
//! Encoding recurses; whoever builds the value bounds its depth (at most 64).

use super::envelope::Envelope;
use super::string::{nstring, number, string};

/// Parameters as pairs of name and value, in the mail's order.
pub type Params = Vec<(Vec<u8>, Vec<u8>)>;

/// The shape of one part of a message and of all parts below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BodyStructure {
    /// `multipart/*`. `parts` should not be empty; an empty one goes out as one empty text part,
    /// because the grammar has no word for it.
    Multipart {
        /// The parts in order.
        parts: Vec<BodyStructure>,
        /// The media subtype, such as MIXED.
        subtype: Vec<u8>,
        /// Parameters of Content-Type, such as the boundary.
        params: Params,
        /// Content-Disposition.
        disposition: Option<Disposition>,
        /// Content-Language.
        language: Vec<Vec<u8>>,
        /// Content-Location.
        location: Option<Vec<u8>>,
    },
    /// `message/rfc822`.
    Message {
        /// What every leaf has.
        basic: Basic,
        /// The inner message's envelope.
        envelope: Box<Envelope>,
        /// The inner message's structure.
        body: Box<BodyStructure>,
        /// Lines of the encoded part.
        lines: u32,
    },
    /// `text/*`.
    Text {
        /// What every leaf has.
        basic: Basic,
        /// Lines of the encoded part.
        lines: u32,
    },
    /// Any other leaf.
    Basic {
        /// What every leaf has.
        basic: Basic,
    },
}

/// The fields that every leaf has. Absent values go out as NIL or as the defaults of RFC 3501.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basic {
    /// The media type, such as TEXT. Empty is sent as `"APPLICATION"`.
    pub media_type: Vec<u8>,
    /// The media subtype, such as PLAIN. Empty is sent as `"OCTET-STREAM"`.
    pub subtype: Vec<u8>,
    /// Parameters of Content-Type.
    pub params: Params,
    /// Content-ID.
    pub id: Option<Vec<u8>>,
    /// Content-Description.
    pub description: Option<Vec<u8>>,
    /// Content-Transfer-Encoding. Empty is sent as `"7BIT"`.
    pub encoding: Vec<u8>,
    /// Octets of the encoded part.
    pub octets: u32,
    /// Content-MD5.
    pub md5: Option<Vec<u8>>,
    /// Content-Disposition.
    pub disposition: Option<Disposition>,
    /// Content-Language.
    pub language: Vec<Vec<u8>>,
    /// Content-Location.
    pub location: Option<Vec<u8>>,
}

/// Content-Disposition with its parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Disposition {
    /// The type, such as ATTACHMENT.
    pub kind: Vec<u8>,
    /// Its parameters, such as the file name.
    pub params: Params,
}

/// Which of the two forms is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// BODY: without extension data.
    Body,
    /// BODYSTRUCTURE: with all extension data.
    BodyStructure,
}

impl BodyStructure {
    /// Writes the form without extension data, for the FETCH item BODY.
    pub fn encode_body(&self, out: &mut Vec<u8>) {
        self.encode(out, Form::Body);
    }

    /// Writes the form with extension data, for the FETCH item BODYSTRUCTURE.
    pub fn encode_body_structure(&self, out: &mut Vec<u8>) {
        self.encode(out, Form::BodyStructure);
    }

    fn encode(&self, out: &mut Vec<u8>, form: Form) {
        out.push(b'(');
        match self {
            Self::Multipart {
                parts,
                subtype,
                params,
                disposition,
                language,
                location,
            } => {
                if parts.is_empty() {
                    empty_part(out, form);
                }
                for part in parts {
                    part.encode(out, form);
                }
                out.push(b' ');
                string(
                    out,
                    if subtype.is_empty() {
                        b"MIXED"
                    } else {
                        subtype
                    },
                );
                if form == Form::BodyStructure {
                    out.push(b' ');
                    encode_params(out, params);
                    encode_tail(out, disposition.as_ref(), language, location.as_deref());
                }
            }
            Self::Message {
                basic,
                envelope,
                body,
                lines,
            } => {
                basic.encode_fields(out);
                out.push(b' ');
                envelope.encode(out);
                out.push(b' ');
                body.encode(out, form);
                out.push(b' ');
                number(out, *lines);
                basic.encode_extension(out, form);
            }
            Self::Text { basic, lines } => {
                basic.encode_fields(out);
                out.push(b' ');
                number(out, *lines);
                basic.encode_extension(out, form);
            }
            Self::Basic { basic } => {
                basic.encode_fields(out);
                basic.encode_extension(out, form);
            }
        }
        out.push(b')');
    }
}

impl Basic {
    fn encode_fields(&self, out: &mut Vec<u8>) {
        string(out, or_default(&self.media_type, b"APPLICATION"));
        out.push(b' ');
        string(out, or_default(&self.subtype, b"OCTET-STREAM"));
        out.push(b' ');
        encode_params(out, &self.params);
        out.push(b' ');
        nstring(out, self.id.as_deref());
        out.push(b' ');
        nstring(out, self.description.as_deref());
        out.push(b' ');
        string(out, or_default(&self.encoding, b"7BIT"));
        out.push(b' ');
        number(out, self.octets);
    }

    fn encode_extension(&self, out: &mut Vec<u8>, form: Form) {
        if form == Form::BodyStructure {
            out.push(b' ');
            nstring(out, self.md5.as_deref());
            let location = self.location.as_deref();
            encode_tail(out, self.disposition.as_ref(), &self.language, location);
        }
    }
}

fn or_default<'a>(value: &'a [u8], default: &'a [u8]) -> &'a [u8] {
    if value.is_empty() { default } else { value }
}

/// RFC 3501: `multipart = 1*body`, so a multipart without parts shows one empty text part.
fn empty_part(out: &mut Vec<u8>, form: Form) {
    let basic = Basic {
        media_type: b"TEXT".to_vec(),
        subtype: b"PLAIN".to_vec(),
        ..Basic::default()
    };
    BodyStructure::Text { basic, lines: 0 }.encode(out, form);
}

fn encode_params(out: &mut Vec<u8>, params: &Params) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (index, (name, value)) in params.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        string(out, name);
        out.push(b' ');
        string(out, value);
    }
    out.push(b')');
}

fn encode_tail(
    out: &mut Vec<u8>,
    disposition: Option<&Disposition>,
    language: &[Vec<u8>],
    location: Option<&[u8]>,
) {
    out.push(b' ');
    match disposition {
        None => out.extend_from_slice(b"NIL"),
        Some(disposition) => {
            out.push(b'(');
            string(out, &disposition.kind);
            out.push(b' ');
            encode_params(out, &disposition.params);
            out.push(b')');
        }
    }
    out.push(b' ');
    match language {
        [] => out.extend_from_slice(b"NIL"),
        [single] => string(out, single),
        several => {
            out.push(b'(');
            for (index, tag) in several.iter().enumerate() {
                if index > 0 {
                    out.push(b' ');
                }
                string(out, tag);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    nstring(out, location);
}

#[cfg(test)]
mod tests;
