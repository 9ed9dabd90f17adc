//! Identifiers and counters of the store, each its own type so that none is taken for another.

use std::fmt;

/// Number of slices: a constant of the format (see FORMAT.md).
pub const SLICES: u16 = 4096;

/// 128 random bits that name an account for ever; never used again after deletion.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub [u8; 16]);

impl AccountId {
    /// The slice that owns this account: CRC-32 of the id, modulo [`SLICES`] (golden test).
    pub fn slice(&self) -> Slice {
        let folded = crc32fast::hash(&self.0) % u32::from(SLICES);
        Slice(u16::try_from(folded).unwrap_or(0))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

/// Unit of ownership and recovery: `0 <= slice < SLICES`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Slice(pub u16);

impl Slice {
    /// The shard that owns this slice when `shards` of them run (`shards >= 1`).
    pub fn shard(self, shards: usize) -> usize {
        usize::from(self.0) % shards.max(1)
    }
}

/// Names a mailbox inside its account; counted up from 1, never used again, kept over RENAME.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct MailboxId(pub u32);

/// A mailbox anywhere: the key of views and watchers.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct MailboxKey {
    /// Owning account.
    pub account: AccountId,
    /// Mailbox inside it.
    pub mailbox: MailboxId,
}

/// RFC 3501 2.3.1.1 unique identifier, never 0.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Uid(pub u32);

/// RFC 3501 2.3.1.1 unique identifier validity value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct UidValidity(pub u32);

/// RFC 7162 mod-sequence (63 bits). One counter per mailbox.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ModSeq(pub u64);

/// Names a body inside its account; messages that were copied share it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct BodyId(pub u64);

/// Order of an account's metadata frames, contiguous from 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Lsn(pub u64);

/// Number of a process start, counted in the data directory.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Epoch(pub u32);

/// End of a batch in this shard's log, in this process; used only for waiting.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct Position(pub u64);

/// Order of a mailbox's published changes, in this process (from 1; a snapshot names the newest).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Default)]
pub struct ChangeNumber(pub u64);

/// Names one life of a segment file; never used again. Every checksum in the file includes it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SegmentId(pub u64);

/// Where a frame lies: a hint that the reader checks against the frame itself.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Place {
    /// The segment.
    pub segment: SegmentId,
    /// Byte offset of the frame's header in the file.
    pub offset: u32,
    /// Bytes of the frame's payload (header excluded).
    pub len: u32,
}

impl Place {
    /// Not placed yet: what `plan` writes where the log fills the real place in at enqueue.
    /// Segment ids are never 0, so no reader takes it for a place.
    pub const NONE: Place = Place {
        segment: SegmentId(0),
        offset: 0,
        len: 0,
    };
}

/// A session anywhere in the process, for "who changed it" and `\Recent`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct SessionKey {
    /// Shard that holds the connection.
    pub shard: u32,
    /// Session number on that shard, never used again in this process.
    pub session: u64,
}
