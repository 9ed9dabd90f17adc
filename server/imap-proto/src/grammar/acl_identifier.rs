//! The identifier of an access control list (RFC 4314 2).

use super::{Cursor, Parsed, SyntaxError};

/// Whose entry of a list: a name, or a name with `-` before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AclIdentifier {
    /// `-`: the entry takes rights away.
    pub negative: bool,
    /// The name, never empty.
    pub name: String,
}

impl AclIdentifier {
    /// As it stands on the wire.
    pub fn to_wire(&self) -> String {
        match self.negative {
            true => format!("-{}", self.name),
            false => self.name.clone(),
        }
    }
}

/// RFC 4314 7, `identifier`. RFC 4314 3: an empty one is BAD.
pub fn acl_identifier(cursor: &mut Cursor<'_>) -> Parsed<AclIdentifier> {
    let wire = cursor.astring()?;
    let text = std::str::from_utf8(&wire).map_err(|_| SyntaxError::Expected("identifier"))?;
    let (negative, name) = match text.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, text),
    };
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(SyntaxError::Expected("identifier"));
    }
    let name = name.to_owned();
    Ok(AclIdentifier { negative, name })
}
