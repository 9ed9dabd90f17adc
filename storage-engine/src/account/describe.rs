//! What LIST, LSUB and STATUS are told.

use super::names::INBOX;
use super::{AccountState, Mailbox, special_uses};
use crate::acl::Rights;
use crate::actor::Actor;
use crate::ids::Uid;
use crate::index::{InternalDate, Oldest};
use crate::request::{AccountDescription, MailboxStatus};

/// What a message takes beside its octets: the headers of its three frames (40 each), its record
/// (91), its row in an index page (90). The summary is not counted, its size is in no index.
const OVERHEAD_BYTES: u64 = 3 * 40 + 91 + 90;

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
                class: self.class.clone(),
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
            class: self.class.clone(),
            uid_validity: self.uid_validity,
            uid_next: self.uid_next,
            messages: self.index.len(),
            unseen: self.unseen,
            recent: self.recent,
            deleted: self.deleted,
            bytes: self.bytes,
            deleted_bytes: self.deleted_bytes,
            internal_bytes: self.bytes + u64::from(self.index.len()) * OVERHEAD_BYTES,
            oldest: self.oldest(),
            unseen_media: self.unseen_media(),
            highest_mod_seq: self.mod_seq,
            rights,
        }
    }

    /// INTERNALDATE of the oldest message.
    fn oldest(&self) -> Option<InternalDate> {
        match self.index.oldest() {
            Oldest::Known(date) => date,
            // `pages_needed` has what is told by this; SELECT, which needs no pages, tells it not.
            Oldest::Unread => None,
        }
    }

    fn unseen_media(&self) -> u32 {
        self.unseen_media.unwrap_or_else(|| {
            // As above.
            if self.index.cold() {
                return 0;
            }
            let flags = self.index.refs(Uid(1), Uid(u32::MAX));
            let media = flags.filter(|entry| self.is_unseen_media(entry.flags()));
            u32::try_from(media.count()).unwrap_or(u32::MAX)
        })
    }

    /// Whether counters are known without the pages; not so where an older version wrote them.
    pub(super) fn is_counted(&self) -> bool {
        self.unseen_media.is_some() && self.index.oldest() != Oldest::Unread
    }
}
