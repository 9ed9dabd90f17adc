//! Flags (RFC 3501 2.3.2): the system flags, and keywords.

use super::{Cursor, Parsed, SyntaxError};
use crate::limits::KEYWORD_BYTES_MAX;

/// A flag of a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flag {
    /// `\Seen`
    Seen,
    /// `\Answered`
    Answered,
    /// `\Flagged`
    Flagged,
    /// `\Deleted`
    Deleted,
    /// `\Draft`
    Draft,
    /// `\Recent`. A client may name it only where clients are forgiven for it; it cannot be set.
    Recent,
    /// A keyword, as the client spelled it. Keywords compare without regard to case.
    Keyword(String),
    /// A `\` flag that this server does not know, with its backslash. It cannot be set.
    Extension(String),
}

impl Flag {
    /// The flag as it is written on the wire, with the backslash of a system flag.
    pub fn name(&self) -> &str {
        match self {
            Self::Seen => "\\Seen",
            Self::Answered => "\\Answered",
            Self::Flagged => "\\Flagged",
            Self::Deleted => "\\Deleted",
            Self::Draft => "\\Draft",
            Self::Recent => "\\Recent",
            Self::Keyword(name) | Self::Extension(name) => name,
        }
    }
}

/// RFC 3501 `flag`, and `\Recent`.
pub fn flag(cursor: &mut Cursor<'_>) -> Parsed<Flag> {
    let system = cursor.take_byte(b'\\');
    let atom = cursor.atom()?;
    if atom.len() > KEYWORD_BYTES_MAX {
        return Err(SyntaxError::TooMany("bytes in a keyword"));
    }
    if system {
        return Ok(system_flag(atom));
    }
    keyword(atom).map(Flag::Keyword)
}

/// RFC 3501 `flag-keyword`: an atom.
pub(super) fn keyword(atom: &[u8]) -> Parsed<String> {
    match std::str::from_utf8(atom) {
        Ok(name) if atom.len() <= KEYWORD_BYTES_MAX => Ok(name.to_owned()),
        _ => Err(SyntaxError::Expected("keyword")),
    }
}

/// RFC 3501 `flag-list`, perhaps empty.
pub fn flag_list(cursor: &mut Cursor<'_>) -> Parsed<Vec<Flag>> {
    cursor.list_or_empty(flag)
}

fn system_flag(name: &[u8]) -> Flag {
    const KNOWN: [(&[u8], Flag); 6] = [
        (b"Seen", Flag::Seen),
        (b"Deleted", Flag::Deleted),
        (b"Answered", Flag::Answered),
        (b"Flagged", Flag::Flagged),
        (b"Draft", Flag::Draft),
        (b"Recent", Flag::Recent),
    ];
    for (known, flag) in KNOWN {
        if name.eq_ignore_ascii_case(known) {
            return flag;
        }
    }
    Flag::Extension(format!("\\{}", String::from_utf8_lossy(name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_keep_their_spelling_and_system_flags_have_one() {
        let mut cursor = Cursor::new(b"(\\seen \\DELETED $Forwarded \\Odd)");
        let flags = flag_list(&mut cursor).unwrap();
        let names: Vec<&str> = flags.iter().map(Flag::name).collect();
        assert_eq!(names, ["\\Seen", "\\Deleted", "$Forwarded", "\\Odd"]);
        assert_eq!(flags[0], Flag::Seen);
    }

    #[test]
    fn a_wildcard_is_no_flag() {
        assert!(flag(&mut Cursor::new(b"\\*")).is_err());
        assert!(flag(&mut Cursor::new(&[b'k'; 300])).is_err());
    }
}
