//! Values that LIST can tell inside the attributes of a mailbox, as `\UNSEEN(14)`.

use super::SyntaxError;
use super::cursor::{Cursor, Parsed};

/// One value that LIST can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListValue {
    /// UIDVALIDITY
    UidValidity,
    /// CLASS: what the mailbox is for, where that is not mail.
    Class,
    /// MESSAGES
    Messages,
    /// UIDNEXT
    UidNext,
    /// UNSEEN
    Unseen,
    /// INTERNALSIZE
    InternalSize,
    /// OLDEST
    Oldest,
    /// UNSEENMEDIA
    UnseenMedia,
}

impl ListValue {
    /// Every value, for the parser and for tests.
    pub const ALL: [Self; 8] = [
        Self::UidValidity,
        Self::Class,
        Self::Messages,
        Self::UidNext,
        Self::Unseen,
        Self::InternalSize,
        Self::Oldest,
        Self::UnseenMedia,
    ];

    /// The name as on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UidValidity => "UIDVALIDITY",
            Self::Class => "CLASS",
            Self::Messages => "MESSAGES",
            Self::UidNext => "UIDNEXT",
            Self::Unseen => "UNSEEN",
            Self::InternalSize => "INTERNALSIZE",
            Self::Oldest => "OLDEST",
            Self::UnseenMedia => "UNSEENMEDIA",
        }
    }

    /// Reads a name into `values`, which keeps the client's order and each name once.
    pub(crate) fn gather(cursor: &mut Cursor<'_>, values: &mut Vec<Self>) -> Parsed<()> {
        let named = Self::ALL
            .into_iter()
            .find(|value| cursor.take_word(value.name()));
        let value = named.ok_or(SyntaxError::Unknown("LIST option"))?;
        if !values.contains(&value) {
            values.push(value);
        }
        Ok(())
    }
}
