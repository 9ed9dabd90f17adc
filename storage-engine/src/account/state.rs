//! The state of an account and of its mailboxes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::ExpungeHistory;
use super::alerts::AlertState;
use super::keywords::{MEDIA, keyword_bit};
use super::moves::Moves;
use crate::acl::Acl;
use crate::ids::{BodyId, ChangeNumber, Lsn, MailboxId, ModSeq, Uid, UidValidity};
use crate::index::{Entry, MailboxIndex, MailboxSnapshot};
use crate::request::{Flags, Refusal, UidRange};

/// All of one account; lives on the shard that owns it. A clone shares index pages.
#[derive(Debug, Clone, Default)]
pub struct AccountState {
    pub(super) lsn: Lsn,
    pub(super) life: Life,
    pub(super) mailboxes: BTreeMap<MailboxId, Mailbox>,
    /// Every mailbox and every `noselect` name; all parents of a name are in here too.
    pub(super) names: BTreeMap<String, MailboxId>,
    pub(super) subscriptions: BTreeSet<String>,
    /// The highest mailbox id that was ever given.
    pub(super) last_mailbox: MailboxId,
    /// The highest body id that was ever given.
    pub(super) last_body: BodyId,
    pub(super) last_uid_validity: UidValidity,
    /// Bodies that more than one message uses, and how many do.
    pub(super) shared: HashMap<BodyId, u32>,
    /// The account's own S/MIME certificate.
    pub(super) certificate: Option<Arc<[u8]>>,
    /// RFC822.SIZE of all messages.
    pub(super) bytes: u64,
    pub(super) messages: u64,
    pub(super) alerts: AlertState,
    pub(super) moves: Moves,
    /// Parts of a restatement that have come so far (recovery only).
    pub(super) restating: Vec<u8>,
    pub(super) restating_parts: u32,
    pub(super) damaged: bool,
}

/// Whether the account was made and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Life {
    #[default]
    Unborn,
    Alive,
    Deleted,
}

/// One mailbox, or a name only.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// Identity.
    pub id: MailboxId,
    /// Full name.
    pub name: String,
    /// Only a name.
    pub noselect: bool,
    /// RFC 6154 attributes as bits.
    pub special_use: u8,
    /// What it is for; empty is mail.
    pub class: String,
    /// UIDVALIDITY.
    pub uid_validity: UidValidity,
    /// UIDNEXT.
    pub uid_next: Uid,
    /// HIGHESTMODSEQ; the next change takes the next one.
    pub mod_seq: ModSeq,
    /// First UID that no session has taken as `\Recent`.
    pub first_recent: Uid,
    /// Keywords in bit order.
    pub keywords: Arc<Vec<String>>,
    /// The messages.
    pub index: MailboxIndex,
    /// Messages without `\Seen`.
    pub unseen: u32,
    /// Messages with `\Deleted`.
    pub deleted: u32,
    /// The bit of `$Media`; none while no message ever had it.
    pub(super) media: Flags,
    /// Messages with `$Media` and without `\Seen`; `None` where an older version did not count.
    pub(super) unseen_media: Option<u32>,
    /// Messages from `first_recent` on.
    pub recent: u32,
    /// RFC822.SIZE of all messages.
    pub bytes: u64,
    /// RFC822.SIZE of messages with `\Deleted`.
    pub deleted_bytes: u64,
    /// What was expunged.
    pub history: ExpungeHistory,
    /// Who else may do what.
    pub acl: Acl,
    /// Messages on their way to other accounts, ascending: gone to every plan.
    pub(super) moving: Vec<UidRange>,
}

impl AccountState {
    /// LSN of the newest frame that was applied.
    pub fn lsn(&self) -> Lsn {
        self.lsn
    }

    /// A frame was applied (all its records).
    pub fn set_lsn(&mut self, lsn: Lsn) {
        self.lsn = lsn;
    }

    /// Whether the account was created and not deleted.
    pub fn exists(&self) -> bool {
        self.life == Life::Alive
    }

    /// Whether it was deleted.
    pub fn deleted(&self) -> bool {
        self.life == Life::Deleted
    }

    /// Whether a restatement could not be read: the account must not be written to.
    pub fn damaged(&self) -> bool {
        self.damaged
    }

    /// One mailbox.
    pub fn mailbox(&self, mailbox: MailboxId) -> Option<&Mailbox> {
        self.mailboxes.get(&mailbox)
    }

    /// One mailbox's index, to fold, warm, cool or place its pages; never to change a message.
    pub fn index_mut(&mut self, mailbox: MailboxId) -> Option<&mut MailboxIndex> {
        let mailbox = self.mailboxes.get_mut(&mailbox);
        mailbox.map(|mailbox| &mut mailbox.index)
    }

    /// All mailboxes, `noselect` names included.
    pub fn mailbox_ids(&self) -> Vec<MailboxId> {
        self.mailboxes.keys().copied().collect()
    }

    /// Subscribed names, sorted.
    pub fn subscriptions(&self) -> impl Iterator<Item = &str> {
        self.subscriptions.iter().map(String::as_str)
    }

    /// What a view starts from. `change` is the mailbox's newest published change.
    pub fn snapshot(&self, mailbox: MailboxId, change: ChangeNumber) -> Option<MailboxSnapshot> {
        let held = self.mailboxes.get(&mailbox).filter(|held| !held.noselect)?;
        Some(MailboxSnapshot {
            mailbox,
            index: held.index.clone(),
            keywords: held.keywords.clone(),
            change,
            uid_validity: held.uid_validity,
            uid_next: held.uid_next,
            highest_mod_seq: held.mod_seq,
            acl: held.acl.clone(),
        })
    }

    /// Gives an id to a body whose chunks are on their way. On the planned state; not logged: an
    /// upload that a crash ended leaves chunks that nothing names.
    pub fn reserve_body(&mut self) -> BodyId {
        self.last_body = BodyId(self.last_body.0 + 1);
        self.last_body
    }

    /// A mailbox that can be selected, by normalized name.
    pub(super) fn selectable(&self, name: &str) -> Result<&Mailbox, Refusal> {
        let id = self.names.get(name).ok_or(Refusal::NoSuchMailbox)?;
        self.selectable_id(*id)
    }

    /// A mailbox that can be selected, by id.
    pub(super) fn selectable_id(&self, id: MailboxId) -> Result<&Mailbox, Refusal> {
        let mailbox = self.mailboxes.get(&id).ok_or(Refusal::NoSuchMailbox)?;
        match mailbox.noselect {
            false => Ok(mailbox),
            true => Err(Refusal::NoSelect),
        }
    }

    /// The names below this one, in order.
    pub(super) fn children<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = (&'a str, MailboxId)> + use<'a> {
        let prefix = format!("{name}/");
        let from = self.names.range(prefix.clone()..);
        from.take_while(move |(held, _)| held.starts_with(&prefix))
            .map(|(held, id)| (held.as_str(), *id))
    }
}

impl Mailbox {
    /// MODSEQ that the next change takes.
    pub(super) fn next_mod_seq(&self) -> ModSeq {
        ModSeq(self.mod_seq.0 + 1)
    }

    pub(super) fn count_in(&mut self, entry: &Entry) {
        self.unseen += u32::from(!entry.flags.contains(Flags::SEEN));
        self.deleted += u32::from(entry.flags.contains(Flags::DELETED));
        self.recent += u32::from(entry.uid >= self.first_recent);
        self.bytes += u64::from(entry.size);
        if entry.flags.contains(Flags::DELETED) {
            self.deleted_bytes = self.deleted_bytes.saturating_add(u64::from(entry.size));
        }
        let media = u32::from(self.is_unseen_media(entry.flags));
        self.unseen_media = self.unseen_media.map(|count| count + media);
    }

    pub(super) fn count_out(&mut self, entry: &Entry) {
        self.unseen -= u32::from(!entry.flags.contains(Flags::SEEN));
        self.deleted -= u32::from(entry.flags.contains(Flags::DELETED));
        self.recent -= u32::from(entry.uid >= self.first_recent);
        self.bytes -= u64::from(entry.size);
        if entry.flags.contains(Flags::DELETED) {
            // Not by subtraction alone: states of version 1 knew this number by estimate.
            let rest = self.deleted_bytes.saturating_sub(u64::from(entry.size));
            self.deleted_bytes = if self.deleted == 0 { 0 } else { rest };
        }
        let media = u32::from(self.is_unseen_media(entry.flags));
        self.unseen_media = self.unseen_media.map(|count| count - media);
    }

    pub(super) fn is_unseen_media(&self, flags: Flags) -> bool {
        flags.0 & self.media.0 != 0 && !flags.contains(Flags::SEEN)
    }

    /// The keyword table has this one under this number.
    pub(super) fn note_keyword(&mut self, number: usize, name: &str) {
        if name.eq_ignore_ascii_case(MEDIA) {
            self.media = keyword_bit(number);
        }
    }
}
