//! What LIST, LSUB and STATUS are told.

use super::names::INBOX;
use super::{AccountState, Mailbox, special_uses};
use crate::acl::Rights;
use crate::actor::Actor;
use crate::request::{AccountDescription, MailboxStatus};

impl AccountState {
    /// All mailboxes and subscriptions; INBOX first. A guest sees the mailboxes that it has `l`
    /// on, and nothing else of the account.
    pub fn describe(&self, actor: &Actor) -> AccountDescription {
        let inbox = self.names.get_key_value(INBOX).into_iter();
        let others = self.names.iter().filter(|(name, _)| *name != INBOX);
        let held = inbox.chain(others);
        let held = held.filter_map(|(_, id)| self.mailboxes.get(id));
        let statuses = held.map(|mailbox| mailbox.status(actor));
        let mailboxes = statuses.filter(|status| status.rights.contains(Rights::LOOKUP));
        let mailboxes = mailboxes.collect();
        match actor {
            Actor::Guest(_) => AccountDescription {
                mailboxes,
                ..AccountDescription::default()
            },
            Actor::Owner | Actor::System => AccountDescription {
                mailboxes,
                subscriptions: self.subscriptions.iter().cloned().collect(),
                bytes: self.bytes,
                messages: self.messages,
            },
        }
    }
}

impl Mailbox {
    /// The counters. Without `r` they are not the guest's business (RFC 4314 4, STATUS).
    pub fn status(&self, actor: &Actor) -> MailboxStatus {
        let rights = self.acl.rights_of(actor);
        let mut status = self.full_status(rights);
        if !rights.contains(Rights::READ) {
            let none = Mailbox::new(self.id, String::new(), self.uid_validity, 0);
            let name = std::mem::take(&mut status.name);
            status = MailboxStatus {
                name,
                noselect: self.noselect,
                special_use: special_uses(self.special_use),
                ..none.full_status(rights)
            };
        }
        status
    }

    fn full_status(&self, rights: Rights) -> MailboxStatus {
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
            deleted_bytes: self.deleted_bytes,
            highest_mod_seq: self.mod_seq,
            rights,
        }
    }
}
