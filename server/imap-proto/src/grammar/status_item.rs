//! The items of STATUS (RFC 3501 6.3.10, 7162, 7889, 8438, 9051, 9208), and three of our own.

/// One item that STATUS can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    /// MESSAGES
    Messages,
    /// RECENT
    Recent,
    /// UIDNEXT
    UidNext,
    /// UIDVALIDITY
    UidValidity,
    /// UNSEEN: a count here, unlike in SELECT.
    Unseen,
    /// SIZE (RFC 8438)
    Size,
    /// HIGHESTMODSEQ (RFC 7162)
    HighestModSeq,
    /// DELETED (RFC 9051): messages with `\Deleted`.
    Deleted,
    /// DELETED-STORAGE (RFC 9208): octets of the messages with `\Deleted`.
    DeletedStorage,
    /// APPENDLIMIT (RFC 7889)
    AppendLimit,
    /// INTERNALSIZE: bytes that the mailbox takes here.
    InternalSize,
    /// OLDEST: INTERNALDATE of the oldest message; left out where there is none.
    Oldest,
    /// UNSEENMEDIA: messages with `$Media` and without `\Seen`.
    UnseenMedia,
}

impl StatusItem {
    /// Every item, for the parser and for tests.
    pub const ALL: [Self; 13] = [
        Self::Messages,
        Self::Recent,
        Self::UidNext,
        Self::UidValidity,
        Self::Unseen,
        Self::Size,
        Self::HighestModSeq,
        Self::Deleted,
        Self::DeletedStorage,
        Self::AppendLimit,
        Self::InternalSize,
        Self::Oldest,
        Self::UnseenMedia,
    ];

    /// The item as on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Messages => "MESSAGES",
            Self::Recent => "RECENT",
            Self::UidNext => "UIDNEXT",
            Self::UidValidity => "UIDVALIDITY",
            Self::Unseen => "UNSEEN",
            Self::Size => "SIZE",
            Self::HighestModSeq => "HIGHESTMODSEQ",
            Self::Deleted => "DELETED",
            Self::DeletedStorage => "DELETED-STORAGE",
            Self::AppendLimit => "APPENDLIMIT",
            Self::InternalSize => "INTERNALSIZE",
            Self::Oldest => "OLDEST",
            Self::UnseenMedia => "UNSEENMEDIA",
        }
    }

    /// The item called `name`, in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|item| name.eq_ignore_ascii_case(item.name().as_bytes()))
    }
}
