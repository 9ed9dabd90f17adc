//! A published change of a mailbox: what the owner sends to every core that watches it.

use crate::acl::Acl;
use crate::ids::{ChangeNumber, ModSeq, Place, SessionKey, Uid};
use crate::index::{Entry, MailboxIndex};
use crate::request::{Flags, UidRange};

/// One published change. Numbers of a mailbox are contiguous within this process.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its place in the mailbox's order.
    pub number: ChangeNumber,
    /// What happened.
    pub kind: ChangeKind,
}

/// What happened to a mailbox.
#[derive(Debug, Clone)]
pub enum ChangeKind {
    /// Messages came, UIDs ascending and above all that came before.
    Came {
        /// The messages.
        entries: Vec<Entry>,
        /// The one session for which they are `\Recent`, if one has the mailbox selected.
        recent_for: Option<SessionKey>,
    },
    /// Messages went.
    Went {
        /// Their UIDs, ascending ranges (every UID named was a message).
        uids: Vec<UidRange>,
        /// MODSEQ of the expunge.
        mod_seq: ModSeq,
    },
    /// Flags changed: the whole new flags of each message, UIDs ascending.
    FlagsChanged {
        /// The messages and their new flags.
        flags: Vec<(Uid, Flags)>,
        /// MODSEQ that all of them have now.
        mod_seq: ModSeq,
        /// Who did it; None when nobody in this process did (a view that caught up).
        by: Option<By>,
    },
    /// The mailbox's keyword table got this one at its end.
    Keyword {
        /// As first spelt.
        name: String,
    },
    /// The owner folded its overlay: same messages, other pages.
    Rebased {
        /// The whole index.
        index: MailboxIndex,
    },
    /// Compaction moved frames.
    Moved {
        /// Message, new body place, new summary place.
        places: Vec<(Uid, Place, Place)>,
    },
    /// Its list of rights is another one: guests who may not read it any more end by BYE.
    Acl {
        /// The whole list.
        acl: Acl,
    },
    /// The mailbox or its account was deleted: sessions end by BYE.
    Ended,
}

/// The session that changed flags, and whether it asked not to be told (`.SILENT`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct By {
    /// The session.
    pub session: SessionKey,
    /// `.SILENT`
    pub silent: bool,
}
