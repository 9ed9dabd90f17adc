//! What happened to an account: the meaning of a metadata frame, in explicit bytes (FORMAT.md).
//!
//! One frame is one transaction: all its records hold or none. `account` plans and applies them.

#![cfg_attr(not(test), deny(clippy::as_conversions))]

mod acl;
mod alert;
mod bytes;
mod decode;
mod encode;
pub(crate) mod kind;
mod moves;
#[cfg(test)]
mod tests;

use crate::acl::Acl;
use crate::ids::{AccountId, MailboxId, ModSeq, Place, Uid, UidValidity};
use crate::index::Entry;
use crate::request::{Flags, UidRange};

pub(crate) use acl::{decode_acl, encode_acl};
pub use alert::AlertRecord;
pub(crate) use alert::{decode_alert, encode_alert};
pub use bytes::{Reader, Writer};
pub(crate) use decode::{ENTRY_BYTES, decode_bool, decode_entry, decode_place, decode_ranges};
pub use decode::{RecordError, decode_frame};
pub use encode::encode_frame;
pub(crate) use encode::{encode_entry, encode_place, encode_ranges};

/// One thing that happened. Applying it cannot fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// The account exists from here on.
    AccountCreated,
    /// The account and all it held are gone for ever.
    AccountDeleted,
    /// A mailbox, or a name only, came to be.
    MailboxCreated {
        /// Identity, above all earlier ones of the account.
        mailbox: MailboxId,
        /// Full name.
        name: String,
        /// UIDVALIDITY.
        uid_validity: UidValidity,
        /// RFC 6154 attributes as bits (see [`crate::account::special_use_bits`]).
        special_use: u8,
        /// Only a name.
        noselect: bool,
    },
    /// One mailbox has another name (each child has its own record).
    MailboxRenamed {
        /// The mailbox.
        mailbox: MailboxId,
        /// New full name.
        name: String,
    },
    /// What the mailbox is for.
    MailboxClassed {
        /// The mailbox.
        mailbox: MailboxId,
        /// Empty is mail.
        class: String,
    },
    /// The mailbox, its messages and its name are gone.
    MailboxDeleted {
        /// The mailbox.
        mailbox: MailboxId,
    },
    /// The messages are gone, the name stays for its children.
    MailboxNoselect {
        /// The mailbox.
        mailbox: MailboxId,
    },
    /// SUBSCRIBE.
    Subscribed {
        /// The name.
        name: String,
    },
    /// UNSUBSCRIBE.
    Unsubscribed {
        /// The name.
        name: String,
    },
    /// One message came (APPEND, delivery).
    MessageAdded {
        /// Where.
        mailbox: MailboxId,
        /// The message; its places are [`Place::NONE`] until the log knows them.
        entry: Entry,
    },
    /// Messages of one mailbox were copied to another (or the same one) with ascending new UIDs.
    /// Says only what can't be derived, so a copy of 100,000 messages is a few bytes.
    Copied {
        /// Source.
        from: MailboxId,
        /// Source UIDs, ascending, every one a message.
        uids: Vec<UidRange>,
        /// Destination.
        to: MailboxId,
        /// The first copy's UID; the others follow without holes.
        first_uid: Uid,
        /// MODSEQ of all copies, in the destination's counter.
        mod_seq: ModSeq,
        /// SAVEDATE of all copies.
        saved_s: i64,
        /// Keyword number in the source -> in the destination; others are dropped.
        keywords: Vec<(u8, u8)>,
    },
    /// The mailbox's keyword table got this one at its end.
    KeywordAdded {
        /// The mailbox.
        mailbox: MailboxId,
        /// As spelt.
        name: String,
    },
    /// Flags became `(flags - clear) + set`.
    FlagsChanged {
        /// The mailbox.
        mailbox: MailboxId,
        /// The messages that did change, ascending.
        uids: Vec<UidRange>,
        /// Set these.
        set: Flags,
        /// Clear these first.
        clear: Flags,
        /// MODSEQ of all of them.
        mod_seq: ModSeq,
    },
    /// Messages were expunged.
    Expunged {
        /// The mailbox.
        mailbox: MailboxId,
        /// The messages, ascending, every one a message.
        uids: Vec<UidRange>,
        /// MODSEQ of the expunge.
        mod_seq: ModSeq,
    },
    /// Messages below this UID are `\Recent` for no session to come.
    RecentTaken {
        /// The mailbox.
        mailbox: MailboxId,
        /// First UID that is still recent.
        first_recent: Uid,
    },
    /// Compaction moved the frames of these messages. A message that is gone is passed over.
    Moved {
        /// The mailbox.
        mailbox: MailboxId,
        /// Message, new body place, new summary place; ascending.
        places: Vec<(Uid, Place, Place)>,
    },
    /// Something about the account's alerts.
    Alert(AlertRecord),
    /// The account's own S/MIME certificate.
    CertificateSet {
        /// DER; empty is none.
        certificate: Vec<u8>,
    },
    /// The whole account as of the frame before this one's, cut in parts of consecutive LSNs.
    Restated {
        /// 0..parts
        part: u32,
        /// How many.
        parts: u32,
        /// This part of `AccountState::encode(Form::Whole)`.
        bytes: Vec<u8>,
    },
    /// Messages are on their way to another account.
    MoveBegun {
        /// Of the move, above all earlier ones of the account.
        number: u64,
        /// Where they are.
        mailbox: MailboxId,
        /// The messages, ascending.
        uids: Vec<UidRange>,
        /// Where they go.
        to: AccountId,
    },
    /// The move is over: the messages were expunged before, or they stay.
    MoveEnded {
        /// Of the move.
        number: u64,
    },
    /// What this account knows of a move into it.
    MoveKnown {
        /// Its source.
        from: AccountId,
        /// Its number there.
        number: u64,
        /// The messages were taken, in this frame; else they never will be.
        taken: bool,
    },
    /// A move into this account is over at its source.
    MoveForgotten {
        /// Its source.
        from: AccountId,
        /// Its number there.
        number: u64,
    },
    /// The mailbox's list of rights is this one.
    AclSet {
        /// The mailbox, or the name.
        mailbox: MailboxId,
        /// The whole list.
        acl: Acl,
    },
}

impl Record {
    /// Mailboxes whose index must be warm before the record is applied. (`AccountDeleted` reads
    /// all of them.)
    pub fn reads_pages(&self) -> Vec<MailboxId> {
        match self {
            Record::MailboxDeleted { mailbox }
            | Record::MailboxNoselect { mailbox }
            | Record::FlagsChanged { mailbox, .. }
            | Record::Expunged { mailbox, .. }
            | Record::Moved { mailbox, .. } => vec![*mailbox],
            Record::Copied { from, .. } => vec![*from],
            Record::AccountCreated
            | Record::AccountDeleted
            | Record::MailboxCreated { .. }
            | Record::MailboxRenamed { .. }
            | Record::MailboxClassed { .. }
            | Record::Subscribed { .. }
            | Record::Unsubscribed { .. }
            | Record::MessageAdded { .. }
            | Record::KeywordAdded { .. }
            | Record::RecentTaken { .. }
            | Record::Alert(_)
            | Record::CertificateSet { .. }
            | Record::Restated { .. }
            | Record::MoveBegun { .. }
            | Record::MoveEnded { .. }
            | Record::MoveKnown { .. }
            | Record::MoveForgotten { .. }
            | Record::AclSet { .. } => Vec::new(),
        }
    }
}
