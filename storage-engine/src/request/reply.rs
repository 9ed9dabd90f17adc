//! What the owner answers.

use std::sync::Arc;

use super::{Alerts, SpecialUse, UidRange, Usage};
use crate::acl::{Acl, Rights};
use crate::ids::{BodyId, ChangeNumber, MailboxId, ModSeq, Place, Uid, UidValidity};
use crate::index::{Entry, InternalDate, MailboxSnapshot};

/// A good answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Done, nothing to tell.
    Done,
    /// Of `Describe`.
    Account(Arc<AccountDescription>),
    /// Of `Usage`.
    Usage(Usage),
    /// Of `Alerts`.
    Alerts(Alerts),
    /// Of `Status`.
    Status(MailboxStatus),
    /// Of `Select`.
    Selected(Selected),
    /// Of `Snapshot`.
    Snapshot(MailboxSnapshot),
    /// Of `UploadChunk`.
    Chunk,
    /// Of `Append`.
    Appended {
        /// Where they landed.
        mailbox: MailboxId,
        /// Its UIDVALIDITY.
        uid_validity: UidValidity,
        /// One UID a message, ascending.
        uids: Vec<Uid>,
        /// Rests on this change.
        change: ChangeNumber,
    },
    /// Of `Store`.
    Stored {
        /// Messages that are gone.
        gone: Vec<Uid>,
        /// Messages that UNCHANGEDSINCE passed over.
        modified: Vec<Uid>,
        /// MODSEQ of this command's change, if it changed anything.
        mod_seq: Option<ModSeq>,
        /// Rests on this change.
        change: ChangeNumber,
    },
    /// Of `Expunge`.
    Expunged {
        /// Rests on this change.
        change: ChangeNumber,
        /// HIGHESTMODSEQ after it (RFC 7162 3.2.7).
        mod_seq: ModSeq,
    },
    /// Of `Transfer`.
    Transferred {
        /// UIDVALIDITY of the destination.
        uid_validity: UidValidity,
        /// Pairs (source, destination), ascending.
        uids: Vec<(Uid, Uid)>,
        /// The destination.
        to: MailboxId,
        /// Change in the source (MOVE), or its newest one (COPY).
        change: ChangeNumber,
        /// HIGHESTMODSEQ of the source after it.
        mod_seq: ModSeq,
    },
    /// Of `Acl`.
    Acl(Acl),
    /// Of `MyRights`.
    Rights(Rights),
    /// Of `TakeOut`.
    TakenOut {
        /// The messages, as they are now, ascending.
        messages: Vec<Entry>,
        /// Keywords of the mailbox, in bit order.
        keywords: Arc<Vec<String>>,
        /// The number of the MOVE, if it is one and there is a message.
        number: Option<u64>,
        /// Rests on this change.
        change: ChangeNumber,
    },
    /// Of `AskMove` and `IsMoveOpen`.
    MoveState(bool),
    /// Of `Certificate`.
    Certificate(Option<Arc<[u8]>>),
    /// Of `Locate`.
    Located {
        /// The body's identity.
        body: BodyId,
        /// Place of the body frame or body map.
        body_place: Place,
        /// Place of the summary frame.
        summary_place: Place,
    },
}

/// All of an account, for LIST, LSUB and STATUS.
#[derive(Debug, Clone, Default)]
pub struct AccountDescription {
    /// Sorted by name; INBOX first. Includes `noselect` names.
    pub mailboxes: Vec<MailboxStatus>,
    /// Sorted.
    pub subscriptions: Vec<String>,
    /// Bytes of all messages (RFC822.SIZE, each copy counted).
    pub bytes: u64,
    /// Messages in all mailboxes.
    pub messages: u64,
}

/// One mailbox's published counters.
#[derive(Debug, Clone)]
pub struct MailboxStatus {
    /// Identity.
    pub mailbox: MailboxId,
    /// Full UTF-8 name.
    pub name: String,
    /// Only a name: cannot be selected.
    pub noselect: bool,
    /// RFC 6154 attributes.
    pub special_use: Vec<SpecialUse>,
    /// What it is for; empty is mail.
    pub class: String,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDNEXT.
    pub uid_next: Uid,
    /// MESSAGES.
    pub messages: u32,
    /// UNSEEN (count, as of STATUS).
    pub unseen: u32,
    /// RECENT.
    pub recent: u32,
    /// `\Deleted` count.
    pub deleted: u32,
    /// Bytes of all messages (RFC 8438 SIZE).
    pub bytes: u64,
    /// Bytes of those with `\Deleted` (RFC 9208 DELETED-STORAGE).
    pub deleted_bytes: u64,
    /// What it takes on the disk, nearly: its messages and what is kept of each.
    pub internal_bytes: u64,
    /// INTERNALDATE of the oldest message.
    pub oldest: Option<InternalDate>,
    /// Messages with `$Media` and without `\Seen`.
    pub unseen_media: u32,
    /// HIGHESTMODSEQ.
    pub highest_mod_seq: ModSeq,
    /// What who asks may do there. Without `r` the counters above are those of an empty mailbox.
    pub rights: Rights,
}

/// Answer of `Select`.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Counters at the change below.
    pub status: MailboxStatus,
    /// Keywords of the mailbox, in bit order.
    pub keywords: Vec<String>,
    /// What who asks may do there.
    pub rights: Rights,
    /// UIDs that are recent for this session: `first <= uid < uid_next`.
    pub first_recent: Uid,
    /// Rests on this change.
    pub change: ChangeNumber,
}

impl Selected {
    /// The UIDs that are recent for the session, as a view takes them.
    pub fn recent(&self) -> Option<UidRange> {
        let last = Uid(self.status.uid_next.0.saturating_sub(1));
        let first = self.first_recent;
        (first <= last).then_some(UidRange { first, last })
    }
}
