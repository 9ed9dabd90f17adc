//! From records to state: the one place that changes an account. Live writes and recovery both
//! come here. It cannot fail: what a record names and is not there is passed over.

use std::sync::Arc;

use super::keywords::translate;
use super::state::Life;
use super::{AccountState, Mailbox};
use crate::acl::Acl;
use crate::ids::{BodyId, MailboxId, ModSeq, Place, Uid};
use crate::index::Entry;
use crate::record::{AlertRecord, Record};
use crate::request::{Flags, UidRange};
use crate::view::{By, ChangeKind};

/// What a record means to others: watchers, and the accounts of live bytes.
#[derive(Debug, Default)]
pub struct Effects {
    /// Changes of mailboxes, in order.
    pub changes: Vec<(MailboxId, ChangeKind)>,
    /// Bodies that no message uses any more.
    pub dead: Vec<Dead>,
    /// Whether an alert waits to be delivered that did not before.
    pub alerted: bool,
}

/// A body that no message uses any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dead {
    /// The body.
    pub body: BodyId,
    /// Where it lies.
    pub body_place: Place,
    /// Where its summary lies.
    pub summary_place: Place,
    /// RFC822.SIZE: says whether the place is a body map's.
    pub size: u32,
}

impl AccountState {
    /// Applies one record (planned state, recovery). What it reads is warm, see
    /// [`Record::reads_pages`].
    pub fn apply(&mut self, record: &Record) {
        self.apply_to(record, None, None);
    }

    /// Applies one record to the published state and says what it means to others.
    pub fn apply_published(&mut self, record: &Record, by: Option<By>) -> Effects {
        let mut effects = Effects::default();
        self.apply_to(record, by, Some(&mut effects));
        effects
    }

    fn apply_to(&mut self, record: &Record, by: Option<By>, effects: Option<&mut Effects>) {
        match record {
            Record::AccountCreated => self.life = Life::Alive,
            Record::AccountDeleted => self.delete_account(effects),
            Record::MailboxCreated { mailbox, name, .. } => {
                let made = Mailbox::from_record(record, *mailbox, name);
                self.insert_mailbox(made);
            }
            Record::MailboxRenamed { mailbox, name } => self.rename(*mailbox, name),
            Record::MailboxClassed { mailbox, class } => {
                if let Some(held) = self.mailboxes.get_mut(mailbox) {
                    held.class.clone_from(class);
                }
            }
            Record::MailboxDeleted { mailbox } => self.delete_mailbox(*mailbox, effects),
            Record::MailboxNoselect { mailbox } => self.empty_mailbox(*mailbox, effects),
            Record::Subscribed { name } => {
                self.subscriptions.insert(name.clone());
            }
            Record::Unsubscribed { name } => {
                self.subscriptions.remove(name);
            }
            Record::MessageAdded { mailbox, entry } => {
                self.last_body = self.last_body.max(entry.body);
                self.add(*mailbox, vec![*entry], effects);
            }
            Record::Copied {
                from,
                uids,
                to,
                keywords,
                ..
            } => {
                let copies = self.copies(*from, uids, record, keywords);
                for copy in &copies {
                    *self.shared.entry(copy.body).or_insert(1) += 1;
                }
                self.add(*to, copies, effects);
            }
            Record::KeywordAdded { mailbox, name } => self.add_keyword(*mailbox, name, effects),
            Record::FlagsChanged {
                mailbox,
                uids,
                set,
                clear,
                mod_seq,
            } => self.change_flags(*mailbox, uids, (*set, *clear), *mod_seq, by, effects),
            Record::Expunged {
                mailbox,
                uids,
                mod_seq,
            } => self.expunge(*mailbox, uids, *mod_seq, effects),
            Record::RecentTaken {
                mailbox,
                first_recent,
            } => self.take_recent(*mailbox, *first_recent),
            Record::Alert(alert) => self.apply_alert(alert, effects),
            Record::Moved { mailbox, places } => self.move_places(*mailbox, places, effects),
            Record::CertificateSet { certificate } => self.set_certificate(certificate),
            Record::Restated { part, parts, bytes } => self.restate(*part, *parts, bytes),
            Record::MoveBegun { .. }
            | Record::MoveEnded { .. }
            | Record::MoveKnown { .. }
            | Record::MoveForgotten { .. } => self.apply_move(record),
            Record::AclSet { mailbox, acl } => self.set_acl(*mailbox, acl, effects),
        }
    }

    /// Mailboxes that must be warm before the record is applied here: those of
    /// [`Record::reads_pages`], and all of an account that is deleted.
    pub fn reads_pages(&self, record: &Record) -> Vec<MailboxId> {
        match record {
            Record::AccountDeleted => self.mailbox_ids(),
            other => other.reads_pages(),
        }
    }

    fn apply_alert(&mut self, alert: &AlertRecord, effects: Option<&mut Effects>) {
        self.alerts.apply(alert);
        if let (AlertRecord::Posted(_), Some(effects)) = (alert, effects) {
            effects.alerted = true;
        }
    }

    fn take_recent(&mut self, mailbox: MailboxId, first_recent: Uid) {
        if let Some(mailbox) = self.mailboxes.get_mut(&mailbox) {
            // It is always UIDNEXT of its time that is taken: nothing above it yet.
            mailbox.first_recent = first_recent;
            mailbox.recent = 0;
        }
    }

    fn insert_mailbox(&mut self, made: Mailbox) {
        self.last_mailbox = self.last_mailbox.max(made.id);
        self.last_uid_validity = self.last_uid_validity.max(made.uid_validity);
        self.names.insert(made.name.clone(), made.id);
        self.mailboxes.insert(made.id, made);
    }

    fn rename(&mut self, mailbox: MailboxId, name: &str) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        let old = std::mem::replace(&mut held.name, name.to_owned());
        // Another record of this frame may have given the old name away already.
        if self.names.get(&old) == Some(&mailbox) {
            self.names.remove(&old);
        }
        self.names.insert(name.to_owned(), mailbox);
    }

    fn delete_account(&mut self, mut effects: Option<&mut Effects>) {
        for mailbox in self.mailbox_ids() {
            self.delete_mailbox(mailbox, effects.as_deref_mut());
        }
        *self = AccountState {
            lsn: self.lsn,
            life: Life::Deleted,
            last_mailbox: self.last_mailbox,
            last_body: self.last_body,
            last_uid_validity: self.last_uid_validity,
            ..AccountState::default()
        };
    }

    fn delete_mailbox(&mut self, mailbox: MailboxId, effects: Option<&mut Effects>) {
        self.empty_mailbox(mailbox, effects);
        if let Some(held) = self.mailboxes.remove(&mailbox)
            && self.names.get(&held.name) == Some(&mailbox)
        {
            self.names.remove(&held.name);
        }
    }

    /// All messages go at once with the mailbox: the name alone is left.
    fn empty_mailbox(&mut self, mailbox: MailboxId, mut effects: Option<&mut Effects>) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        let bare = Mailbox {
            noselect: true,
            ..Mailbox::new(mailbox, held.name.clone(), held.uid_validity, 0)
        };
        let held = std::mem::replace(held, bare);
        // Cold only when an account is deleted during recovery: nothing is left that could tell.
        let entries = (!held.index.cold()).then(|| held.index.iter());
        for entry in entries.into_iter().flatten() {
            self.forget(&entry, effects.as_deref_mut());
        }
        if let Some(effects) = effects
            && !held.noselect
        {
            effects.changes.push((mailbox, ChangeKind::Ended));
        }
    }

    fn add(&mut self, mailbox: MailboxId, entries: Vec<Entry>, effects: Option<&mut Effects>) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        for entry in &entries {
            held.index.add(*entry);
            held.count_in(entry);
            held.uid_next = Uid(entry.uid.0.saturating_add(1));
            held.mod_seq = held.mod_seq.max(entry.mod_seq);
            self.bytes += u64::from(entry.size);
            self.messages += 1;
        }
        if let Some(effects) = effects
            && !entries.is_empty()
        {
            let recent_for = None;
            let came = ChangeKind::Came {
                entries,
                recent_for,
            };
            effects.changes.push((mailbox, came));
        }
    }

    fn copies(
        &self,
        from: MailboxId,
        uids: &[UidRange],
        record: &Record,
        keywords: &[(u8, u8)],
    ) -> Vec<Entry> {
        let Record::Copied {
            first_uid,
            mod_seq,
            saved_s,
            ..
        } = record
        else {
            return Vec::new();
        };
        let Some(from) = self.mailboxes.get(&from) else {
            return Vec::new();
        };
        let sources = uids.iter();
        let sources = sources.flat_map(|range| from.index.range(range.first, range.last));
        let copies = sources.zip(first_uid.0..).map(|(source, uid)| Entry {
            uid: Uid(uid),
            mod_seq: *mod_seq,
            saved_s: *saved_s,
            flags: translate(source.flags, keywords),
            ..source
        });
        copies.collect()
    }

    fn add_keyword(&mut self, mailbox: MailboxId, name: &str, effects: Option<&mut Effects>) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        if held.keywords.len() < Flags::KEYWORDS_MAX {
            held.note_keyword(held.keywords.len(), name);
            Arc::make_mut(&mut held.keywords).push(name.to_owned());
            if let Some(effects) = effects {
                let name = name.to_owned();
                effects
                    .changes
                    .push((mailbox, ChangeKind::Keyword { name }));
            }
        }
    }

    fn change_flags(
        &mut self,
        mailbox: MailboxId,
        uids: &[UidRange],
        (set, clear): (Flags, Flags),
        mod_seq: ModSeq,
        by: Option<By>,
        effects: Option<&mut Effects>,
    ) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        let mut told = Vec::new();
        for range in uids {
            let entries: Vec<Entry> = held.index.range(range.first, range.last).collect();
            for entry in entries {
                let flags = entry.flags.changed(set, clear);
                let newer = Entry {
                    flags,
                    mod_seq,
                    ..entry
                };
                held.count_out(&entry);
                held.count_in(&newer);
                held.index.replace(newer);
                if effects.is_some() {
                    told.push((entry.uid, flags));
                }
            }
        }
        held.mod_seq = held.mod_seq.max(mod_seq);
        if let Some(effects) = effects {
            let changed = ChangeKind::FlagsChanged {
                flags: told,
                mod_seq,
                by,
            };
            effects.changes.push((mailbox, changed));
        }
    }

    fn expunge(
        &mut self,
        mailbox: MailboxId,
        uids: &[UidRange],
        mod_seq: ModSeq,
        mut effects: Option<&mut Effects>,
    ) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        let ranges = uids.iter();
        let going = ranges.flat_map(|range| held.index.range(range.first, range.last));
        let going: Vec<Entry> = going.collect();
        for entry in &going {
            held.count_out(entry);
        }
        held.index.remove(uids);
        held.mod_seq = held.mod_seq.max(mod_seq);
        held.history.note(uids, mod_seq);
        for entry in &going {
            self.forget(entry, effects.as_deref_mut());
        }
        if let Some(effects) = effects {
            let uids = uids.to_vec();
            let went = ChangeKind::Went { uids, mod_seq };
            effects.changes.push((mailbox, went));
        }
    }

    /// One message less uses its body.
    fn forget(&mut self, entry: &Entry, effects: Option<&mut Effects>) {
        self.bytes -= u64::from(entry.size);
        self.messages -= 1;
        if let Some(users) = self.shared.get_mut(&entry.body) {
            *users -= 1;
            if *users < 2 {
                self.shared.remove(&entry.body);
            }
        } else if let Some(effects) = effects {
            effects.dead.push(Dead {
                body: entry.body,
                body_place: entry.body_place,
                summary_place: entry.summary_place,
                size: entry.size,
            });
        }
    }

    fn set_acl(&mut self, mailbox: MailboxId, acl: &Acl, effects: Option<&mut Effects>) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        held.acl = acl.clone();
        if let Some(effects) = effects {
            let acl = acl.clone();
            effects.changes.push((mailbox, ChangeKind::Acl { acl }));
        }
    }

    fn move_places(
        &mut self,
        mailbox: MailboxId,
        places: &[(Uid, Place, Place)],
        effects: Option<&mut Effects>,
    ) {
        let Some(held) = self.mailboxes.get_mut(&mailbox) else {
            return;
        };
        for (uid, body, summary) in places {
            held.index.set_places(*uid, *body, *summary);
        }
        if let Some(effects) = effects {
            let places = places.to_vec();
            let moved = ChangeKind::Moved { places };
            effects.changes.push((mailbox, moved));
        }
    }
}

impl Mailbox {
    fn from_record(record: &Record, id: MailboxId, name: &str) -> Mailbox {
        let mut made = Mailbox::new(id, name.to_owned(), crate::ids::UidValidity(0), 0);
        if let Record::MailboxCreated {
            uid_validity,
            special_use,
            noselect,
            ..
        } = record
        {
            made.uid_validity = *uid_validity;
            made.special_use = *special_use;
            made.noselect = *noselect;
        }
        made
    }
}
