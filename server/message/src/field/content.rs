//! The MIME fields of a part (RFC 2045, 2183, 3282), as values for BODYSTRUCTURE.

use imap_proto::response::body_structure::{Disposition, Params};

use super::parameter::parameter;
use super::token::Cursor;
use super::{first, unfold, unfolded};
use crate::limits::{LANGUAGES_MAX, PARAMETERS_MAX};

/// Content-Type (RFC 2045 5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType {
    /// Such as `text`, as it is written in the mail.
    pub media_type: Vec<u8>,
    /// Such as `plain`.
    pub subtype: Vec<u8>,
    /// Pairs of name and value, values without quotes.
    pub params: Params,
}

impl ContentType {
    /// The type that a header states or implies, and whether it states one.
    pub fn of(header: &[u8], in_digest: bool) -> (Self, bool) {
        match first(header, b"content-type") {
            Some(value) => (Self::parse(&unfold(value)), true),
            None if in_digest => (Self::new(b"message", b"rfc822"), false),
            None => {
                // RFC 2045 5.2.
                let mut plain = Self::new(b"text", b"plain");
                plain
                    .params
                    .push((b"charset".to_vec(), b"us-ascii".to_vec()));
                (plain, false)
            }
        }
    }

    /// A type without parameters.
    pub fn new(media_type: &[u8], subtype: &[u8]) -> Self {
        Self {
            media_type: media_type.to_vec(),
            subtype: subtype.to_vec(),
            params: Params::new(),
        }
    }

    /// Reads an unfolded value. A type without subtype gets the plainest one there is.
    pub fn parse(value: &[u8]) -> Self {
        let mut cursor = Cursor::new(value);
        let media_type = word(&mut cursor);
        cursor.skip_cfws();
        let subtype = if cursor.eat(b'/') {
            word(&mut cursor)
        } else {
            &b""[..]
        };
        let mut parsed = Self::new(media_type, subtype);
        if media_type.is_empty() || subtype.is_empty() {
            let (media_type, subtype): (&[u8], &[u8]) = if parsed.is_multipart() {
                (b"multipart", b"mixed")
            } else if media_type.is_empty() || parsed.is_text() {
                (b"text", b"plain")
            } else {
                (b"application", b"octet-stream")
            };
            parsed = Self::new(media_type, subtype);
        }
        parsed.params = parameters(&mut cursor);
        parsed
    }

    /// `multipart/*`.
    pub fn is_multipart(&self) -> bool {
        self.media_type.eq_ignore_ascii_case(b"multipart")
    }

    /// `message/rfc822`.
    pub fn is_message(&self) -> bool {
        self.media_type.eq_ignore_ascii_case(b"message")
            && self.subtype.eq_ignore_ascii_case(b"rfc822")
    }

    /// `text/*`.
    pub fn is_text(&self) -> bool {
        self.media_type.eq_ignore_ascii_case(b"text")
    }

    /// `text/html`.
    pub fn is_html(&self) -> bool {
        self.is_text() && self.subtype.eq_ignore_ascii_case(b"html")
    }

    /// The boundary; RFC 2046 5.1.1 forbids one that ends in white space, and gateways cut it.
    pub fn boundary(&self) -> Option<Vec<u8>> {
        let mut boundary = parameter(&self.params, b"boundary")?;
        boundary.truncate(boundary.trim_ascii_end().len());
        (!boundary.is_empty()).then_some(boundary)
    }

    /// The charset parameter.
    pub fn charset(&self) -> Option<Vec<u8>> {
        parameter(&self.params, b"charset").filter(|charset| !charset.is_empty())
    }
}

/// Content-Transfer-Encoding (RFC 2045 6), as far as it decides how octets are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// 7bit, 8bit, binary, none, or one that nobody knows.
    Identity,
    /// base64.
    Base64,
    /// quoted-printable.
    QuotedPrintable,
}

impl Encoding {
    /// The encoding that a header states.
    pub fn of(header: &[u8]) -> Self {
        let value = encoding_name(header);
        if value.eq_ignore_ascii_case(b"base64") {
            Self::Base64
        } else if value.eq_ignore_ascii_case(b"quoted-printable") {
            Self::QuotedPrintable
        } else {
            Self::Identity
        }
    }
}

/// The name in Content-Transfer-Encoding, empty when there is none.
pub fn encoding_name(header: &[u8]) -> Vec<u8> {
    let value = first(header, b"content-transfer-encoding")
        .map(unfold)
        .unwrap_or_default();
    word(&mut Cursor::new(&value)).to_vec()
}

/// A field without structure, such as Content-ID; `None` when it is absent or empty.
pub fn text_field(header: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    unfolded(header, name)
}

/// Content-Disposition (RFC 2183).
pub fn disposition(header: &[u8]) -> Option<Disposition> {
    let value = unfolded(header, b"content-disposition")?;
    let mut cursor = Cursor::new(&value);
    let kind = word(&mut cursor).to_vec();
    // RFC 2183 2.8: an unknown type counts as attachment; so does one that cannot be read.
    let kind = if kind.is_empty() {
        b"attachment".to_vec()
    } else {
        kind
    };
    Some(Disposition {
        kind,
        params: parameters(&mut cursor),
    })
}

/// Content-Language (RFC 3282).
pub fn languages(header: &[u8]) -> Vec<Vec<u8>> {
    let value = unfolded(header, b"content-language").unwrap_or_default();
    let mut cursor = Cursor::new(&value);
    let mut languages = Vec::new();
    while languages.len() < LANGUAGES_MAX {
        let tag = word(&mut cursor);
        if !tag.is_empty() {
            languages.push(tag.to_vec());
        } else if cursor.bump().is_none() {
            break;
        }
    }
    languages
}

fn word<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    cursor.skip_cfws();
    cursor.take_while(|byte| byte > b' ' && byte != 0x7f && !b"()<>@,;:\\\"/[]?=".contains(&byte))
}

/// RFC 2045 5.1, leniently: values may hold white space and specials without quotes, as file
/// names of broken mailers do; they end at a semicolon.
fn parameters(cursor: &mut Cursor<'_>) -> Params {
    let mut params = Params::new();
    loop {
        // To the next semicolon, over whatever does not belong here.
        while !matches!(cursor.peek(), None | Some(b';')) {
            if cursor.peek() == Some(b'"') {
                cursor.quoted();
            } else if !cursor.skip_cfws() {
                cursor.bump();
            }
        }
        if !cursor.eat(b';') || params.len() >= PARAMETERS_MAX {
            return params;
        }
        cursor.skip_cfws();
        let name = cursor.take_while(|byte| !b";=\"( \t".contains(&byte));
        cursor.skip_cfws();
        if name.is_empty() || !cursor.eat(b'=') {
            continue;
        }
        cursor.skip_cfws();
        let value = if cursor.peek() == Some(b'"') {
            cursor.quoted()
        } else {
            let value = cursor.take_while(|byte| byte != b';' && byte != b'(');
            value.trim_ascii_end().to_vec()
        };
        params.push((name.to_vec(), value));
    }
}

#[cfg(test)]
mod tests;
