//! What the server asks of the owner of an account, and what the owner answers.
//!
//! Every answer about a mailbox carries the change number it rests on; a session goes on once
//! the view on its core has reached it. No answer leaves before the log is durable up to it.

mod refusal;
mod reply;

use std::sync::Arc;

use crate::acl::AclChange;
use crate::ids::{AccountId, MailboxId, ModSeq, SessionKey, Uid};

pub use crate::actor::{Actor, Principal};
pub use crate::alert::{Alert, AlertOperation, Alerts, Usage};
pub use refusal::Refusal;
pub use reply::{AccountDescription, MailboxStatus, Reply, Selected};

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
    /// What it uses of its quota -> `Reply::Usage`.
    Usage,
    /// Something about its alerts -> `Reply::Alerts`, or `Reply::Done` where nothing is asked for.
    Alerts(AlertOperation),
    /// One mailbox's counters -> `Reply::Status`.
    Status { name: String },
    /// CREATE of one mailbox; missing parents are created by the caller's plan in the same frame.
    CreateMailbox { mailbox: NewMailbox, limit: Limit },
    /// DELETE. A mailbox with children keeps its name as a `noselect` one (RFC 3501 6.3.4).
    DeleteMailbox { name: String },
    /// RENAME with all children in one frame; INBOX moves its messages (RFC 3501 6.3.5).
    RenameMailbox {
        from: String,
        to: String,
        limit: Limit,
    },
    /// What a mailbox is for; empty is mail.
    SetClass { name: String, class: String },
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
        replaces: Option<Replaces>,
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
    /// The messages of a COPY or MOVE to another account -> `Reply::TakenOut`. From a MOVE on they
    /// are gone to every plan, until it ends.
    TakeOut(TakeOut),
    /// Messages from another account, their chunks uploaded, all or nothing -> `Reply::Appended`.
    Receive(Receive),
    /// A MOVE to another account ends: the messages go, or stay -> `Reply::Expunged`, or `Done`
    /// where there is nothing to tell.
    EndMove { number: u64, taken: bool },
    /// Whether this account has taken the messages of a MOVE; if not it never will
    /// -> `Reply::MoveState`.
    AskMove { from: AccountId, number: u64 },
    /// A MOVE into this account is over at its source.
    ForgetMove { from: AccountId, number: u64 },
    /// Whether a MOVE out of this account is not over -> `Reply::MoveState`.
    IsMoveOpen { number: u64 },
    /// SETACL, DELETEACL: changes of a list of rights, all in one step.
    ChangeAcl {
        name: String,
        changes: Vec<AclChange>,
    },
    /// GETACL; LISTRIGHTS asks too, whether it may -> `Reply::Acl`.
    Acl { name: String },
    /// MYRIGHTS: the rights of the actor -> `Reply::Rights`.
    MyRights { name: String },
    /// Sets or takes away the account's own S/MIME certificate (DER).
    SetCertificate { certificate: Option<Arc<[u8]>> },
    /// The account's own S/MIME certificate -> `Reply::Certificate`.
    Certificate,
    /// Newest place of a message's body and summary, after a miss -> `Reply::Located`.
    Locate { mailbox: MailboxId, uid: Uid },
}

impl Operation {
    /// The messages that it brings.
    pub fn messages(&self) -> &[NewMessage] {
        match self {
            Operation::Append { messages, .. } => messages,
            Operation::Receive(receive) => &receive.messages,
            _ => &[],
        }
    }
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
#[derive(Debug, Clone, Default)]
pub struct NewMailbox {
    /// Full UTF-8 name, `/` between levels, no trailing `/`.
    pub name: String,
    /// Whether it can hold messages.
    pub holds: Holds,
    /// What it is for; empty is mail.
    pub class: String,
    /// RFC 6154 attributes.
    pub special_use: Vec<SpecialUse>,
    /// Whether to subscribe it too.
    pub subscribe: bool,
}

/// What a new name holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Holds {
    /// Messages, and names below it.
    #[default]
    Messages,
    /// Names below it and nothing else: `noselect`.
    Names,
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

/// A message of the same mailbox that goes in the frame in which new ones come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Replaces {
    /// The old message.
    pub uid: Uid,
    /// What to do when it is gone already.
    pub gone: GoneMessages,
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
    /// Percent of either at which the owner gets an alert, if at all.
    pub alert_percent: Option<u8>,
    /// Most mailboxes that hold messages, if any; with 1 there is INBOX and nothing can be made.
    pub mailboxes_max: Option<u32>,
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

/// Messages for another account.
#[derive(Debug, Clone)]
pub struct TakeOut {
    /// Source mailbox.
    pub mailbox: MailboxId,
    /// The messages, ascending.
    pub uids: Vec<UidRange>,
    /// What to do when a named message is gone.
    pub gone: GoneMessages,
    /// The account that they move to; without one they are copied.
    pub moves_to: Option<AccountId>,
}

/// Messages from another account.
#[derive(Debug, Clone)]
pub struct Receive {
    /// Destination.
    pub mailbox: String,
    /// The messages. Keywords without room are dropped.
    pub messages: Vec<NewMessage>,
    /// Bounds of the account.
    pub limit: Limit,
    /// The MOVE that brings them: its source, and its number there.
    pub move_of: Option<(AccountId, u64)>,
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
