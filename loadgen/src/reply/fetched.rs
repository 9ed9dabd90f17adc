//! FETCH responses (RFC 3501 7.4.2).

use imap_proto::grammar::Cursor;

use super::literal_length;

/// The system flags of a message; keywords are not looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

impl Flags {
    /// `\Seen`
    pub const SEEN: Self = Self(1);
    /// `\Flagged`
    pub const FLAGGED: Self = Self(2);
    /// `\Deleted`
    pub const DELETED: Self = Self(4);
    /// `\Answered`
    pub const ANSWERED: Self = Self(8);

    /// Whether these flags hold all of `other`.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These flags with `other` set, or cleared.
    pub fn with(self, other: Self, is_set: bool) -> Self {
        if is_set {
            Self(self.0 | other.0)
        } else {
            Self(self.0 & !other.0)
        }
    }

    fn named(name: &[u8]) -> Self {
        [
            ("\\Seen", Self::SEEN),
            ("\\Flagged", Self::FLAGGED),
            ("\\Deleted", Self::DELETED),
            ("\\Answered", Self::ANSWERED),
        ]
        .into_iter()
        .find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()))
        .map_or(Self(0), |(_, flag)| flag)
    }
}

/// What a FETCH response says of its message, as far as it is checked here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fetched {
    /// The message's sequence number.
    pub sequence: u32,
    /// `UID`
    pub uid: Option<u32>,
    /// `RFC822.SIZE`, in octets.
    pub size_bytes: Option<u64>,
    /// `FLAGS`
    pub flags: Option<Flags>,
    /// `MODSEQ` (RFC 7162 3.1.4.2)
    pub mod_seq: Option<u64>,
    /// How many octets `BODY[]` carries.
    pub body_bytes: Option<u64>,
    /// How many octets a part of the header carries, whichever was asked for.
    pub header_bytes: Option<u64>,
    /// Whether there is an `ENVELOPE`.
    pub has_envelope: bool,
}

/// `msg-att`: names and values in parentheses, to the end of the response.
pub fn parse(sequence: u32, mut cursor: Cursor<'_>) -> Option<Fetched> {
    let mut found = Fetched {
        sequence,
        ..Fetched::default()
    };
    cursor.expect_byte(b'(', "(").ok()?;
    loop {
        let name = name(&mut cursor)?;
        cursor.sp().ok()?;
        if name.eq_ignore_ascii_case(b"UID") {
            found.uid = Some(cursor.nz_number().ok()?);
        } else if name.eq_ignore_ascii_case(b"FLAGS") {
            found.flags = Some(flags(&mut cursor)?);
        } else if name.eq_ignore_ascii_case(b"RFC822.SIZE") {
            found.size_bytes = Some(cursor.number64().ok()?);
        } else if name.eq_ignore_ascii_case(b"MODSEQ") {
            cursor.expect_byte(b'(', "(").ok()?;
            found.mod_seq = Some(cursor.number64().ok()?);
            cursor.expect_byte(b')', ")").ok()?;
        } else if name.eq_ignore_ascii_case(b"BODY[]") {
            found.body_bytes = Some(string_length(&mut cursor)?);
        } else if name
            .get(..11)
            .is_some_and(|start| start.eq_ignore_ascii_case(b"BODY[HEADER"))
        {
            found.header_bytes = Some(string_length(&mut cursor)?);
        } else {
            found.has_envelope |= name.eq_ignore_ascii_case(b"ENVELOPE");
            skip_value(&mut cursor)?;
        }
        if cursor.take_byte(b')') {
            cursor.end().ok()?;
            return Some(found);
        }
        cursor.sp().ok()?;
    }
}

/// The name of an item. A section may hold spaces and parentheses: `BODY[HEADER.FIELDS (DATE)]`.
fn name<'r>(cursor: &mut Cursor<'r>) -> Option<&'r [u8]> {
    let line = cursor.rest();
    let plain = line
        .iter()
        .position(|byte| matches!(byte, b' ' | b'(' | b')' | b'['))?;
    let length = if line.get(plain) == Some(&b'[') {
        memchr::memchr(b']', line)? + 1
    } else {
        plain
    };
    cursor.take(length)
}

fn flags(cursor: &mut Cursor<'_>) -> Option<Flags> {
    cursor.expect_byte(b'(', "(").ok()?;
    let names = cursor.take_while(|byte| byte != b')');
    cursor.expect_byte(b')', ")").ok()?;
    let flags = names.split(|byte| *byte == b' ').map(Flags::named);
    Some(flags.fold(Flags::default(), |all, flag| all.with(flag, true)))
}

/// The octets of a string whose literal, if it is one, has been taken out by the reader.
fn string_length(cursor: &mut Cursor<'_>) -> Option<u64> {
    if cursor.peek()? == b'"' {
        return u64::try_from(cursor.quoted().ok()?.len()).ok();
    }
    literal_length(cursor)
}

/// Skips a value of any shape: an atom, a string, or a list of these.
fn skip_value(cursor: &mut Cursor<'_>) -> Option<()> {
    // Depth is counted, not descended, so nesting costs the server's bytes and none of our stack.
    let mut depth = 0_u32;
    loop {
        match cursor.peek()? {
            b'(' => {
                cursor.take_byte(b'(');
                depth += 1;
            }
            b')' => {
                depth = depth.checked_sub(1)?;
                cursor.take_byte(b')');
            }
            b'"' => {
                cursor.quoted().ok()?;
            }
            b' ' => cursor.skip_spaces(),
            _ => {
                cursor.take_while(|byte| !matches!(byte, b' ' | b'(' | b')' | b'"'));
            }
        }
        if depth == 0 {
            return Some(());
        }
    }
}
