//! Sections of a message (RFC 3501 `section`) and partial ranges.

use super::{Cursor, Parsed, SyntaxError};
use crate::limits::SECTION_PARTS_MAX;
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
        Self {
            part: Vec::new(),
            text: SectionText::All,
        }
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

/// RFC 3501 `section`, with its brackets.
pub fn section(cursor: &mut Cursor<'_>) -> Parsed<Section> {
    cursor.expect_byte(b'[', "[")?;
    cursor.skip_spaces();
    let mut part = Vec::new();
    while cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
        if part.len() >= SECTION_PARTS_MAX {
            return Err(SyntaxError::TooDeep("section"));
        }
        part.push(cursor.nz_number()?);
        if !cursor.take_byte(b'.') {
            break;
        }
    }
    let text = section_text(cursor, part.is_empty())?;
    cursor.skip_spaces();
    cursor.expect_byte(b']', "]")?;
    Ok(Section { part, text })
}

/// RFC 3501 `section-msgtext`, and `MIME` after part numbers.
fn section_text(cursor: &mut Cursor<'_>, whole_message: bool) -> Parsed<SectionText> {
    if cursor.peek() == Some(b']') {
        return Ok(SectionText::All);
    }
    let word = cursor.take_while(|byte| byte.is_ascii_alphabetic() || byte == b'.');
    let is = |name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    if is("HEADER") {
        Ok(SectionText::Header)
    } else if is("TEXT") {
        Ok(SectionText::Text)
    } else if is("HEADER.FIELDS") {
        header_list(cursor).map(SectionText::HeaderFields)
    } else if is("HEADER.FIELDS.NOT") {
        header_list(cursor).map(SectionText::HeaderFieldsNot)
    } else if is("MIME") && !whole_message {
        Ok(SectionText::Mime)
    } else {
        Err(SyntaxError::Expected("section"))
    }
}

/// RFC 3501 `header-list`
fn header_list(cursor: &mut Cursor<'_>) -> Parsed<Vec<Vec<u8>>> {
    cursor.sp()?;
    cursor.list(|cursor| cursor.astring().map(std::borrow::Cow::into_owned))
}

/// `<offset.bytes>`, if it is there.
pub fn partial(cursor: &mut Cursor<'_>) -> Parsed<Option<Partial>> {
    if !cursor.take_byte(b'<') {
        return Ok(None);
    }
    let offset = cursor.number64()?;
    cursor.expect_byte(b'.', "partial range")?;
    let bytes = cursor.number64()?;
    cursor.expect_byte(b'>', ">")?;
    // RFC 3501: the second number is an nz-number.
    if bytes == 0 {
        Err(SyntaxError::Number)
    } else {
        Ok(Some(Partial { offset, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wire: &str) {
        let mut cursor = Cursor::new(wire.as_bytes());
        let parsed = section(&mut cursor).unwrap();
        assert!(cursor.rest().is_empty(), "{wire}");
        let mut out = Vec::new();
        parsed.encode(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), wire);
    }

    #[test]
    fn sections_survive_both_ways() {
        for wire in [
            "[]",
            "[TEXT]",
            "[HEADER]",
            "[1]",
            "[1.2.3]",
            "[4.1.MIME]",
            "[4.2.HEADER]",
            "[HEADER.FIELDS (DATE FROM)]",
            "[3.HEADER.FIELDS.NOT (\"X Odd\")]",
        ] {
            check(wire);
        }
    }

    #[test]
    fn wrong_sections_are_refused() {
        for wire in [
            "[MIME]",
            "[0]",
            "[1.0]",
            "[HEADER.FIELDS]",
            "[HEADER.FIELDS ()]",
            "[X]",
            "[",
        ] {
            assert!(
                section(&mut Cursor::new(wire.as_bytes())).is_err(),
                "{wire}"
            );
        }
        let deep = format!("[{}1]", "1.".repeat(500));
        assert!(section(&mut Cursor::new(deep.as_bytes())).is_err());
    }

    #[test]
    fn partial_needs_some_bytes() {
        let range = partial(&mut Cursor::new(b"<0.1024>")).unwrap();
        assert_eq!(
            range,
            Some(Partial {
                offset: 0,
                bytes: 1024
            })
        );
        assert!(partial(&mut Cursor::new(b"<0.0>")).is_err());
        assert!(partial(&mut Cursor::new(b"<0>")).is_err());
    }
}
