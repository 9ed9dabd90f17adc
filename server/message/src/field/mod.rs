//! Header fields: where they begin and end, and the structured ones that MIME and ENVELOPE need.
//!
//! Everything here takes raw octets and never fails: mail is what it is.

pub mod address;
pub mod content;
pub mod parameter;
pub mod token;

/// One field of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// The name, without white space before the colon. Empty for a line that is no field.
    pub name: &'a [u8],
    /// Behind the colon, folded as in the mail, with the final line break.
    pub value: &'a [u8],
    /// The whole lines.
    pub raw: &'a [u8],
}

impl Field<'_> {
    /// Whether this is the field `name`, without regard to case.
    pub fn is(&self, name: &[u8]) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Iterates over the fields of a header up to its empty line or its end.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

/// The fields of `header`.
pub fn fields(header: &[u8]) -> Fields<'_> {
    Fields { rest: header }
}

/// The value of the first field `name`, folded as in the mail.
pub fn first<'a>(header: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    fields(header)
        .find(|field| field.is(name))
        .map(|field| field.value)
}

impl<'a> Fields<'a> {
    /// What has not been read: at the end, the empty line and what is behind it.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        if self.rest.is_empty() || matches!(self.rest, [b'\n', ..] | [b'\r', b'\n', ..]) {
            return None;
        }
        let (raw, rest) = self.rest.split_at_checked(field_len(self.rest))?;
        self.rest = rest;
        let first_line = match memchr::memchr(b'\n', raw) {
            Some(end) => raw.get(..end).unwrap_or_default(),
            None => raw,
        };
        let Some(colon) = memchr::memchr(b':', first_line) else {
            return Some(Field {
                name: b"",
                value: raw,
                raw,
            });
        };
        let name = raw.get(..colon).unwrap_or_default().trim_ascii_end();
        let value = raw.get(colon.saturating_add(1)..).unwrap_or_default();
        Some(Field { name, value, raw })
    }
}

/// Length of the first field: its line and the continuation lines behind it.
fn field_len(bytes: &[u8]) -> usize {
    let mut end = 0_usize;
    loop {
        let rest = bytes.get(end..).unwrap_or_default();
        match memchr::memchr(b'\n', rest) {
            None => return bytes.len(),
            Some(at) => end = end.saturating_add(at).saturating_add(1),
        }
        if !matches!(bytes.get(end), Some(b' ' | b'\t')) {
            return end;
        }
    }
}

/// RFC 5322 2.2.3: takes the line breaks out of a folded value, and the white space around it.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for line in value.split(|byte| *byte == b'\n') {
        out.extend_from_slice(line.strip_suffix(b"\r").unwrap_or(line));
    }
    let end = out.trim_ascii_end().len();
    out.truncate(end);
    let start = out.len().saturating_sub(out.trim_ascii_start().len());
    out.drain(..start);
    out
}

/// The unfolded value of the first field `name`; `None` also for an empty one.
pub fn unfolded(header: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    first(header, name)
        .map(unfold)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests;
