//! The rights themselves (RFC 4314 2.1), as bits and as letters.

use std::fmt;

/// A set of rights. The bits are those of the format (FORMAT.md, "rights").
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Rights(u16);

/// Why letters are no rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RightsError {
    /// RFC 4314 3.1: an unknown letter is never passed over.
    #[error("there is no right {0:?}")]
    Unknown(char),
}

/// Every right and its letter, in the order in which they are written.
const LETTERS: [(Rights, char); 11] = [
    (Rights::LOOKUP, 'l'),
    (Rights::READ, 'r'),
    (Rights::SEEN, 's'),
    (Rights::WRITE, 'w'),
    (Rights::INSERT, 'i'),
    (Rights::POST, 'p'),
    (Rights::CREATE, 'k'),
    (Rights::DELETE_MAILBOX, 'x'),
    (Rights::DELETE_MESSAGES, 't'),
    (Rights::EXPUNGE, 'e'),
    (Rights::ADMINISTER, 'a'),
];

/// RFC 4314 2.1.1: the letters of RFC 2086 that are unions now. Deleting a mailbox was part of `d`.
const UNIONS: [(Rights, char); 2] = [
    (Rights::CREATE, 'c'),
    (
        Rights(Rights::DELETE_MAILBOX.0 | Rights::DELETE_MESSAGES.0 | Rights::EXPUNGE.0),
        'd',
    ),
];

impl Rights {
    /// No right.
    pub const NONE: Rights = Rights(0);
    /// `l`: the mailbox is listed.
    pub const LOOKUP: Rights = Rights(1);
    /// `r`: SELECT, STATUS, COPY from it.
    pub const READ: Rights = Rights(1 << 1);
    /// `s`: `\Seen`.
    pub const SEEN: Rights = Rights(1 << 2);
    /// `w`: flags other than `\Seen` and `\Deleted`.
    pub const WRITE: Rights = Rights(1 << 3);
    /// `i`: APPEND, COPY into it.
    pub const INSERT: Rights = Rights(1 << 4);
    /// `p`: kept, means nothing here.
    pub const POST: Rights = Rights(1 << 5);
    /// `k`: mailboxes below it.
    pub const CREATE: Rights = Rights(1 << 6);
    /// `x`: DELETE, RENAME.
    pub const DELETE_MAILBOX: Rights = Rights(1 << 7);
    /// `t`: `\Deleted`.
    pub const DELETE_MESSAGES: Rights = Rights(1 << 8);
    /// `e`: EXPUNGE.
    pub const EXPUNGE: Rights = Rights(1 << 9);
    /// `a`: the list itself, and hidden messages.
    pub const ADMINISTER: Rights = Rights(1 << 10);
    /// All of them.
    pub const ALL: Rights = Rights((1 << 11) - 1);
    /// With any of these a selected mailbox can be changed (RFC 4314 5.2).
    const CHANGING: Rights = Rights(
        Rights::SEEN.0
            | Rights::WRITE.0
            | Rights::INSERT.0
            | Rights::DELETE_MESSAGES.0
            | Rights::EXPUNGE.0,
    );

    /// The bits, if they are rights.
    pub fn from_bits(bits: u16) -> Option<Rights> {
        (bits & !Rights::ALL.0 == 0).then_some(Rights(bits))
    }

    /// The bits.
    pub fn bits(self) -> u16 {
        self.0
    }

    /// Reads letters; `c` and `d` are their unions (RFC 4314 2.1.1).
    pub fn from_letters(letters: &str) -> Result<Rights, RightsError> {
        let mut rights = Rights::NONE;
        for letter in letters.chars() {
            let mut known = LETTERS.iter().chain(&UNIONS);
            let found = known.find(|(_, known)| *known == letter);
            let (right, _) = found.ok_or(RightsError::Unknown(letter))?;
            rights = rights.union(*right);
        }
        Ok(rights)
    }

    /// The letters. RFC 4314 2.1.1: `c` and `d` stand there with any of their members.
    pub fn letters(self) -> String {
        let singles = LETTERS.iter().filter(|(right, _)| self.contains(*right));
        let unions = UNIONS.iter().filter(|(union, _)| self.intersects(*union));
        singles.chain(unions).map(|(_, letter)| letter).collect()
    }

    /// Every letter that can be given alone, for LISTRIGHTS.
    pub fn every_letter() -> impl Iterator<Item = char> {
        LETTERS.iter().chain(&UNIONS).map(|(_, letter)| *letter)
    }

    /// Whether all of `other` are in it.
    pub fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether any of `other` is in it.
    pub fn intersects(self, other: Rights) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether there is no right in it.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// Both.
    #[must_use]
    pub const fn union(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }

    /// These without those.
    #[must_use]
    pub fn without(self, other: Rights) -> Rights {
        Rights(self.0 & !other.0)
    }

    /// Whether the mailbox is there at all: without `l` and `r` it is as a missing one.
    pub fn shows_mailbox(self) -> bool {
        self.intersects(Rights::LOOKUP.union(Rights::READ))
    }

    /// Whether anything in a selected mailbox may be changed; else it is READ-ONLY.
    pub fn changes_messages(self) -> bool {
        self.intersects(Rights::CHANGING)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({})", self.letters())
    }
}
