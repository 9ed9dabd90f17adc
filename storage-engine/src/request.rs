//! What the server asks of the owner of an account, and what the owner answers.
//!
//! Every answer about a mailbox carries the change number it rests on; a session goes on once
//! the view on its core has reached it. No answer leaves before the log is durable up to it.

use std::sync::Arc;

use crate::ids::UidValidity;
use crate::ids::{AccountId, BodyId, ChangeNumber, MailboxId, ModSeq, Place, SessionKey, Uid};
use crate::index::MailboxSnapshot;

pub use crate::actor::{Actor, Principal};

/// A request about one account, executed by the shard that owns it.
#[derive(Debug, Clone)]
pub struct Request {
    /// The account.
    pub account: AccountId,
    /// Who asks.
    pub actor: Actor,
    /// Seconds since the Unix epoch when the request was made.
    pub now_s: i64,
    /// What to do.
    pub operation: Operation,
}

/// What to do with the account. Fields have the meaning of their types.
#[derive(Debug, Clone)]
#[allow(missing_docs)]
pub enum Operation {
    /// Makes the account, with INBOX and these mailboxes. Refused: `AccountExists`.
    CreateAccount { mailboxes: Vec<NewMailbox> },
    /// Deletes the account and all it holds; the id stays refused for ever. Idempotent.
    DeleteAccount,
    /// All mailboxes and subscriptions -> `Reply::Account`.
    Describe,
    /// One mailbox's counters -> `Reply::Status`.
    Status { name: String },
    /// CREATE of one mailbox; missing parents are created by the caller's plan in the same frame.
    CreateMailbox { mailbox: NewMailbox },
    /// DELETE. A mailbox with children keeps its name as a `noselect` one (RFC 3501 6.3.4).
    DeleteMailbox { name: String },
    /// RENAME with all children in one frame; INBOX moves its messages (RFC 3501 6.3.5).
    RenameMailbox { from: String, to: String },
    /// SUBSCRIBE; the name need not exist.
    Subscribe { name: String },
    /// UNSUBSCRIBE.
    Unsubscribe { name: String },
    /// SELECT or EXAMINE -> `Reply::Selected`. A read-write one takes the recent range.
    Select {
        name: String,
        access: Access,
        session: SessionKey,
    },
    /// The session left the mailbox: it gets no later arrival as `\Recent` any more.
    Deselect {
        mailbox: MailboxId,
        session: SessionKey,
    },
    /// Snapshot of the published state for a view -> `Reply::Snapshot`. Loads the index.
    Snapshot { mailbox: MailboxId },
    /// One chunk of a body above `limits::BODY_INLINE_BYTES_MAX`, not yet durable when it answers
    /// `Reply::Chunk`.
    UploadChunk {
        body: UploadId,
        index: u32,
        bytes: Arc<[u8]>,
    },
    /// Gives the chunks of an upload up; they become dead space.
    AbandonUpload { body: UploadId },
    /// APPEND or delivery of one message or (MULTIAPPEND) several, all or nothing.
    Append {
        mailbox: Target,
        messages: Vec<NewMessage>,
        limit: Limit,
    },
    /// STORE.
    Store(Store),
    /// EXPUNGE (`uids: None` = all) or UID EXPUNGE of messages flagged `\Deleted`.
    Expunge {
        mailbox: MailboxId,
        uids: Option<Vec<UidRange>>,
    },
    /// COPY or MOVE inside the account.
    Transfer(Transfer),
    /// Newest place of a message's body and summary, after a miss -> `Reply::Located`.
    Locate { mailbox: MailboxId, uid: Uid },
}

/// Inclusive range of UIDs, `first <= last`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UidRange {
    /// First UID.
    pub first: Uid,
    /// Last UID.
    pub last: Uid,
}

/// A mailbox to make.
#[derive(Debug, Clone)]
pub struct NewMailbox {
    /// Full UTF-8 name, `/` between levels, no trailing `/`.
    pub name: String,
    /// RFC 6154 attributes.
    pub special_use: Vec<SpecialUse>,
    /// Whether to subscribe it too.
    pub subscribe: bool,
}

/// RFC 6154 special-use attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// `\All`
    All,
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Flagged`
    Flagged,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
}

/// How a mailbox is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// SELECT.
    ReadWrite,
    /// EXAMINE.
    ReadOnly,
}

/// A destination by name (checked when planned).
#[derive(Debug, Clone)]
pub enum Target {
    /// This name; refused with `NoSuchMailbox` when missing.
    Name(String),
    /// This name, or INBOX when it is missing (LMTP plus-addressing).
    NameOrInbox(String),
}

/// Names an upload on the uploading core: unique in the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct UploadId(pub u64);

/// A message to append.
#[derive(Debug, Clone)]
pub struct NewMessage {
    /// Flags and keywords.
    pub flags: FlagNames,
    /// INTERNALDATE, seconds since the Unix epoch.
    pub internal_date_s: i64,
    /// Its zone, minutes east of UTC.
    pub internal_date_zone_min: i16,
    /// RFC822.SIZE.
    pub size: u32,
    /// The octets.
    pub body: NewBody,
    /// Summary made by the message crate; opaque here.
    pub summary: Arc<[u8]>,
}

/// The octets of a message to append.
#[derive(Debug, Clone)]
pub enum NewBody {
    /// Whole, at most `limits::BODY_INLINE_BYTES_MAX`.
    Inline(Arc<[u8]>),
    /// Chunks 0.. of this upload, all acknowledged.
    Uploaded(UploadId),
}

/// Bounds of the account, from the directory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Limit {
    /// Most bytes of mail, if any.
    pub bytes_max: Option<u64>,
    /// Most messages, if any.
    pub messages_max: Option<u64>,
}

/// System flags and keywords by name. `\Recent` never appears here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FlagNames {
    /// System flags as bits of [`Flags`].
    pub system: Flags,
    /// Keywords as the client spelt them; compared without case.
    pub keywords: Vec<String>,
}

/// Flags of a message as bits: 0..=4 are system flags, the rest the mailbox's keywords in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u64);

impl Flags {
    /// `\Answered`
    pub const ANSWERED: Flags = Flags(1);
    /// `\Flagged`
    pub const FLAGGED: Flags = Flags(1 << 1);
    /// `\Deleted`
    pub const DELETED: Flags = Flags(1 << 2);
    /// `\Seen`
    pub const SEEN: Flags = Flags(1 << 3);
    /// `\Draft`
    pub const DRAFT: Flags = Flags(1 << 4);
    /// Bits below this one are system flags; keyword `k` of the mailbox is bit `KEYWORD_SHIFT + k`.
    pub const KEYWORD_SHIFT: u32 = 5;
    /// Most keywords a mailbox can have.
    pub const KEYWORDS_MAX: usize = 59;

    /// Whether all bits of `other` are set.
    pub fn contains(self, other: Flags) -> bool {
        self.0 & other.0 == other.0
    }

    /// The union.
    pub fn union(self, other: Flags) -> Flags {
        Flags(self.0 | other.0)
    }
}

/// STORE: planned against the newest flags.
#[derive(Debug, Clone)]
pub struct Store {
    /// The mailbox.
    pub mailbox: MailboxId,
    /// The messages, ascending.
    pub uids: Vec<UidRange>,
    /// FLAGS, +FLAGS, -FLAGS.
    pub action: StoreAction,
    /// What to set, add or remove.
    pub flags: FlagNames,
    /// RFC 7162 3.1.3.
    pub unchanged_since: Option<ModSeq>,
    /// Who asks.
    pub session: SessionKey,
    /// `.SILENT`: the asking session is not told of the flags.
    pub silent: bool,
}

/// How STORE treats the named flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreAction {
    /// FLAGS
    Replace,
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
}

/// COPY or MOVE inside one account.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Source mailbox.
    pub from: MailboxId,
    /// The messages, ascending.
    pub uids: Vec<UidRange>,
    /// Destination.
    pub to: String,
    /// COPY keeps the source, MOVE expunges it in the same frame.
    pub kind: TransferKind,
    /// What to do when a named message is gone.
    pub gone: GoneMessages,
    /// Bounds of the account (COPY only grows it).
    pub limit: Limit,
}

/// COPY or MOVE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferKind {
    /// COPY
    Copy,
    /// MOVE (RFC 6851)
    Move,
}

/// What a command does about messages that are gone when it is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GoneMessages {
    /// By sequence number: refuse the whole (`Refusal::MessageGone`).
    Refuse,
    /// By UID: pass over them.
    PassOver,
}

/// A good answer.
#[derive(Debug, Clone)]
pub enum Reply {
    /// Done, nothing to tell.
    Done,
    /// Of `Describe`.
    Account(Arc<AccountDescription>),
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
    /// HIGHESTMODSEQ.
    pub highest_mod_seq: ModSeq,
}

/// Answer of `Select`.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Counters at the change below.
    pub status: MailboxStatus,
    /// Keywords of the mailbox, in bit order.
    pub keywords: Vec<String>,
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

/// Why a request was refused. The session maps it to NO, BAD or BYE and a response code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No `account_created` for this id, or it was deleted.
    #[error("no such account")]
    NoSuchAccount,
    /// The id was used already.
    #[error("account exists")]
    AccountExists,
    /// `NO [NONEXISTENT]` / `[TRYCREATE]`.
    #[error("no such mailbox")]
    NoSuchMailbox,
    /// `NO [ALREADYEXISTS]`.
    #[error("mailbox exists")]
    MailboxExists,
    /// The name can't be selected or appended to.
    #[error("not a mailbox, only a name")]
    NoSelect,
    /// INBOX can't be deleted; a mailbox can't be renamed into itself; bad name.
    #[error("not allowed on this mailbox: {0}")]
    NotAllowed(&'static str),
    /// DELETE of a `noselect` name with children (RFC 3501 6.3.4).
    #[error("mailbox has children")]
    HasChildren,
    /// `NO [OVERQUOTA]`.
    #[error("over quota")]
    OverQuota,
    /// `NO [LIMIT]`: mailboxes, keywords, messages in one command, name length.
    #[error("limit reached: {0}")]
    Limit(&'static str),
    /// A message named by number is gone: NO, nothing done.
    #[error("message is gone")]
    MessageGone,
    /// `NO [UNAVAILABLE]`: the disk is full for new mail; expunging works.
    #[error("storage is full")]
    Full,
    /// `NO [UNAVAILABLE]`: a sync failed earlier, or this account's log has a gap; reads go on.
    #[error("storage is read-only")]
    ReadOnly,
    /// The outcome is unknown: BYE without a tagged reply, LMTP 451.
    #[error("outcome unknown")]
    Unknown,
    /// Damage on the disk, or a read error; this request alone is refused.
    #[error("stored data cannot be read")]
    Unreadable,
    /// The upload is unknown or incomplete.
    #[error("no such upload")]
    NoSuchUpload,
}
