//! What LIST, LSUB and STATUS are told.

use super::names::INBOX;
use super::{AccountState, Mailbox, special_uses};
use crate::ids::MailboxId;
use crate::request::{AccountDescription, MailboxStatus};

impl AccountState {
    /// All mailboxes and subscriptions; INBOX first.
    pub fn describe(&self) -> AccountDescription {
        let inbox = self.names.get_key_value(INBOX).into_iter();
        let others = self.names.iter().filter(|(name, _)| *name != INBOX);
        let statuses = inbox.chain(others);
        AccountDescription {
            mailboxes: statuses.filter_map(|(_, id)| self.status(*id)).collect(),
            subscriptions: self.subscriptions.iter().cloned().collect(),
            bytes: self.bytes,
            messages: self.messages,
        }
    }

    /// One mailbox's counters.
    pub fn status(&self, mailbox: MailboxId) -> Option<MailboxStatus> {
        self.mailboxes.get(&mailbox).map(Mailbox::status)
    }
}

impl Mailbox {
    /// The counters.
    pub fn status(&self) -> MailboxStatus {
        MailboxStatus {
            mailbox: self.id,
            name: self.name.clone(),
            noselect: self.noselect,
            special_use: special_uses(self.special_use),
            uid_validity: self.uid_validity,
            uid_next: self.uid_next,
            messages: self.index.len(),
            unseen: self.unseen,
            recent: self.recent,
            deleted: self.deleted,
            bytes: self.bytes,
            highest_mod_seq: self.mod_seq,
        }
    }
}
