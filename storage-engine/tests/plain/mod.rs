//! A plain model of one account, written apart from the engine: ordered maps and nothing clever.
//! The engine must agree with it after every operation, and after every crash with one of its
//! states that is no older than what was acknowledged.
#![allow(dead_code)]

mod alerts;
mod dump;
pub mod operation;

use std::collections::{BTreeMap, BTreeSet};

use storage_engine::index::{Entry, MailboxSnapshot};
use storage_engine::request::{AccountDescription, Flags, Refusal, StoreAction, TransferKind};
use storage_engine::request::{GoneMessages, Holds, UidRange};

use alerts::PlainAlerts;
pub use dump::dump;
use operation::PlainNew;
pub use operation::PlainOperation;

/// An account that exists.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlainAccount {
    /// None = only a name.
    pub mailboxes: BTreeMap<String, Option<PlainMailbox>>,
    /// What anyone may do, of those that are only a name: not seen from outside.
    pub name_rights: BTreeMap<String, u16>,
    pub subscriptions: BTreeSet<String>,
    pub last_uid_validity: u32,
    pub alerts: PlainAlerts,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainMailbox {
    pub class: String,
    pub uid_validity: u32,
    pub uid_next: u32,
    pub mod_seq: u64,
    pub first_recent: u32,
    pub keywords: Vec<String>,
    /// What anyone may do, as bits.
    pub rights: u16,
    pub messages: BTreeMap<u32, PlainMessage>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlainMessage {
    /// `\Seen` and the like, keywords in lower case.
    pub flags: BTreeSet<String>,
    pub mod_seq: u64,
    /// Names the content; it is the INTERNALDATE too.
    pub tag: i64,
    pub size: u32,
    pub saved_s: i64,
}

const SYSTEM: [(&str, Flags); 5] = [
    ("\\Answered", Flags::ANSWERED),
    ("\\Flagged", Flags::FLAGGED),
    ("\\Deleted", Flags::DELETED),
    ("\\Seen", Flags::SEEN),
    ("\\Draft", Flags::DRAFT),
];

impl PlainAccount {
    /// What `CreateAccount` with no mailboxes makes.
    pub fn new(now_s: i64) -> PlainAccount {
        let mut account = PlainAccount::default();
        account.create("INBOX", now_s);
        account.subscriptions.insert("INBOX".to_owned());
        account
    }

    /// Carries an operation out, or refuses it and changes nothing.
    pub fn apply(&mut self, operation: &PlainOperation, now_s: i64) -> Result<(), Refusal> {
        match operation {
            PlainOperation::Create { name, holds, class } => {
                self.create_as(name, *holds, class, now_s)
            }
            PlainOperation::Classify { name, class } => {
                self.mailbox(name)?.class.clone_from(class);
                Ok(())
            }
            PlainOperation::Delete { name } => self.delete(name),
            PlainOperation::Rename { from, to } => self.rename(from, to, now_s),
            PlainOperation::Subscribe { name } => {
                self.subscriptions.insert(name.clone());
                Ok(())
            }
            PlainOperation::Unsubscribe { name } => {
                self.subscriptions.remove(name);
                Ok(())
            }
            PlainOperation::Select { name } => {
                let mailbox = self.mailbox(name)?;
                mailbox.first_recent = mailbox.uid_next;
                Ok(())
            }
            PlainOperation::Append {
                name,
                messages,
                replaces,
            } => {
                let mailbox = self.mailbox(name)?;
                let old = mailbox.replaced(*replaces)?;
                let freed = old.map_or(0, |uid| u64::from(mailbox.messages[&uid].size));
                let bytes: u64 = messages.iter().map(|message| u64::from(message.size)).sum();
                let count = messages.len() - usize::from(old.is_some());
                self.grow(bytes.saturating_sub(freed), count as u64)?;
                self.mailbox(name)?.append(messages, old, now_s);
                Ok(())
            }
            PlainOperation::Store { name, .. } => {
                self.mailbox(name)?.store(operation);
                Ok(())
            }
            PlainOperation::Expunge { name, uids } => {
                let mailbox = self.mailbox(name)?;
                let before = mailbox.messages.len();
                mailbox.messages.retain(|uid, message| {
                    let named = uids.as_ref().is_none_or(|uids| contains(uids, *uid));
                    !(named && message.flags.contains("\\Deleted"))
                });
                mailbox.mod_seq += u64::from(mailbox.messages.len() < before);
                Ok(())
            }
            PlainOperation::Transfer { .. } => self.transfer(operation, now_s),
            PlainOperation::Give { name, rights } => self.give(name, *rights),
            PlainOperation::PostAlert { text } => self.alerts.post(text),
            PlainOperation::TakeAlerts { seen } => {
                self.look_at_quota(0, 0);
                self.alerts.take(*seen);
                Ok(())
            }
            PlainOperation::RemoveAlert { number } => self.alerts.remove(*number),
        }
    }

    fn create_as(
        &mut self,
        name: &str,
        holds: Holds,
        class: &str,
        now_s: i64,
    ) -> Result<(), Refusal> {
        match (self.mailboxes.get(name), holds) {
            (Some(Some(_)), _) | (Some(None), Holds::Names) => {
                return Err(Refusal::MailboxExists);
            }
            (None, Holds::Names) => self.create_parents(&format!("{name}/")),
            (_, Holds::Messages) => {
                self.create(name, now_s);
                class.clone_into(&mut self.mailbox(name)?.class);
            }
        }
        Ok(())
    }

    /// A mailbox that can be selected.
    pub fn mailbox(&mut self, name: &str) -> Result<&mut PlainMailbox, Refusal> {
        match self.mailboxes.get_mut(name) {
            None => Err(Refusal::NoSuchMailbox),
            Some(None) => Err(Refusal::NoSelect),
            Some(Some(mailbox)) => Ok(mailbox),
        }
    }

    fn create(&mut self, name: &str, now_s: i64) {
        self.create_parents(name);
        let rights = self.inherited(name);
        self.name_rights.remove(name);
        self.last_uid_validity = (now_s as u32).max(self.last_uid_validity + 1);
        let made = PlainMailbox {
            class: String::new(),
            uid_validity: self.last_uid_validity,
            uid_next: 1,
            mod_seq: 1,
            first_recent: 1,
            keywords: Vec::new(),
            rights,
            messages: BTreeMap::new(),
        };
        self.mailboxes.insert(name.to_owned(), Some(made));
    }

    fn create_parents(&mut self, name: &str) {
        for (at, _) in name.match_indices('/') {
            let parent = &name[..at];
            if !self.mailboxes.contains_key(parent) {
                let rights = self.inherited(parent);
                self.mailboxes.insert(parent.to_owned(), None);
                self.name_rights.insert(parent.to_owned(), rights);
            }
        }
    }

    fn give(&mut self, name: &str, rights: u16) -> Result<(), Refusal> {
        match self.mailboxes.get_mut(name) {
            None => return Err(Refusal::NoSuchMailbox),
            Some(None) => drop(self.name_rights.insert(name.to_owned(), rights)),
            Some(Some(mailbox)) => mailbox.rights = rights,
        }
        Ok(())
    }

    /// The rights of the nearest mailbox or name above, as they are now.
    fn inherited(&self, name: &str) -> u16 {
        let mut above = name.match_indices('/').map(|(at, _)| &name[..at]).rev();
        let outer = above.find(|parent| self.mailboxes.contains_key(*parent));
        outer.map_or(0, |outer| match &self.mailboxes[outer] {
            Some(mailbox) => mailbox.rights,
            None => self.name_rights.get(outer).copied().unwrap_or(0),
        })
    }

    fn has_children(&self, name: &str) -> bool {
        let prefix = format!("{name}/");
        self.mailboxes.keys().any(|held| held.starts_with(&prefix))
    }

    fn delete(&mut self, name: &str) -> Result<(), Refusal> {
        if name == "INBOX" {
            return Err(Refusal::NotAllowed("INBOX can't be deleted"));
        }
        match (self.mailboxes.get(name), self.has_children(name)) {
            (None, _) => return Err(Refusal::NoSuchMailbox),
            (Some(None), true) => return Err(Refusal::HasChildren),
            (Some(Some(_)), true) => self.mailboxes.insert(name.to_owned(), None),
            (Some(_), false) => self.mailboxes.remove(name),
        };
        self.name_rights.remove(name);
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str, now_s: i64) -> Result<(), Refusal> {
        if !self.mailboxes.contains_key(from) {
            return Err(Refusal::NoSuchMailbox);
        }
        if self.mailboxes.contains_key(to) {
            return Err(Refusal::MailboxExists);
        }
        if from == "INBOX" {
            self.create(to, now_s);
            let inbox = self.mailbox("INBOX")?;
            let moved = std::mem::take(&mut inbox.messages);
            let keywords = inbox.keywords.clone();
            inbox.mod_seq += u64::from(!moved.is_empty());
            let target = self.mailbox(to)?;
            target.take(moved.into_values().collect(), &keywords, now_s);
            return Ok(());
        }
        if to.starts_with(&format!("{from}/")) {
            return Err(Refusal::NotAllowed("a mailbox can't go below itself"));
        }
        self.create_parents(to);
        let below = format!("{from}/");
        let names: Vec<String> = self.mailboxes.keys().cloned().collect();
        for name in names {
            if name == from || name.starts_with(&below) {
                let newer = format!("{to}{}", &name[from.len()..]);
                let mailbox = self.mailboxes.remove(&name).unwrap();
                self.mailboxes.insert(newer.clone(), mailbox);
                if let Some(rights) = self.name_rights.remove(&name) {
                    self.name_rights.insert(newer, rights);
                }
            }
        }
        Ok(())
    }

    fn transfer(&mut self, operation: &PlainOperation, now_s: i64) -> Result<(), Refusal> {
        let PlainOperation::Transfer {
            from,
            to,
            uids,
            kind,
            gone,
        } = operation
        else {
            unreachable!()
        };
        let source = self.mailbox(from)?.clone();
        self.mailbox(to)?;
        let named = uids.iter().flat_map(|range| range.first.0..=range.last.0);
        let missing = named
            .filter(|uid| *uid < source.uid_next && !source.messages.contains_key(uid))
            .count();
        if missing > 0 && *gone == GoneMessages::Refuse {
            return Err(Refusal::MessageGone);
        }
        let taken = source
            .messages
            .iter()
            .filter(|(uid, _)| contains(uids, **uid));
        let taken: Vec<(u32, PlainMessage)> = taken
            .map(|(uid, message)| (*uid, message.clone()))
            .collect();
        if taken.is_empty() {
            return Ok(());
        }
        let copies: Vec<PlainMessage> = taken.iter().map(|(_, message)| message.clone()).collect();
        if *kind == TransferKind::Copy {
            let bytes = copies.iter().map(|message| u64::from(message.size)).sum();
            self.grow(bytes, copies.len() as u64)?;
        }
        self.mailbox(to)?.take(copies, &source.keywords, now_s);
        if *kind == TransferKind::Move {
            let source = self.mailbox(from)?;
            source.mod_seq += 1;
            for (uid, _) in &taken {
                source.messages.remove(uid);
            }
        }
        Ok(())
    }
}

impl PlainMailbox {
    /// The message that goes when another comes in its place.
    fn replaced(&self, replaces: Option<(u32, GoneMessages)>) -> Result<Option<u32>, Refusal> {
        let old = replaces.map(|(uid, _)| uid);
        let old = old.filter(|uid| self.messages.contains_key(uid));
        match replaces {
            Some((_, GoneMessages::Refuse)) if old.is_none() => Err(Refusal::MessageGone),
            _ => Ok(old),
        }
    }

    fn append(&mut self, messages: &[PlainNew], old: Option<u32>, now_s: i64) {
        for message in messages {
            let flags = self.names(message.system, &message.keywords);
            self.mod_seq += 1;
            let added = PlainMessage {
                flags,
                mod_seq: self.mod_seq,
                tag: message.tag,
                size: message.size,
                saved_s: now_s,
            };
            self.add(added);
        }
        if let Some(old) = old {
            self.messages.remove(&old);
            self.mod_seq += 1;
        }
    }

    fn add(&mut self, message: PlainMessage) {
        self.messages.insert(self.uid_next, message);
        self.uid_next += 1;
    }

    /// Copies come with the keywords that they use, in the order of the source's table.
    fn take(&mut self, copies: Vec<PlainMessage>, table: &[String], now_s: i64) {
        if copies.is_empty() {
            return;
        }
        for keyword in table {
            let used = |copy: &PlainMessage| copy.flags.contains(&keyword.to_lowercase());
            if copies.iter().any(used) {
                self.learn(keyword);
            }
        }
        self.mod_seq += 1;
        for copy in copies {
            self.add(PlainMessage {
                mod_seq: self.mod_seq,
                saved_s: now_s,
                ..copy
            });
        }
    }

    fn learn(&mut self, keyword: &str) {
        if !self
            .keywords
            .iter()
            .any(|held| held.eq_ignore_ascii_case(keyword))
        {
            self.keywords.push(keyword.to_owned());
        }
    }

    fn names(&mut self, system: Flags, keywords: &[String]) -> BTreeSet<String> {
        keywords.iter().for_each(|keyword| self.learn(keyword));
        flag_names(system, keywords)
    }

    fn store(&mut self, operation: &PlainOperation) {
        let PlainOperation::Store {
            uids,
            action,
            system,
            keywords,
            unchanged_since,
            ..
        } = operation
        else {
            unreachable!()
        };
        let flags = flag_names(*system, keywords);
        let next = self.mod_seq + 1;
        let mut changed = false;
        for (uid, message) in &mut self.messages {
            if !contains(uids, *uid) || unchanged_since.is_some_and(|at| message.mod_seq > at) {
                continue;
            }
            let newer: BTreeSet<String> = match action {
                StoreAction::Replace => flags.clone(),
                StoreAction::Add => message.flags.union(&flags).cloned().collect(),
                StoreAction::Remove => message.flags.difference(&flags).cloned().collect(),
            };
            if newer != message.flags {
                (message.flags, message.mod_seq, changed) = (newer, next, true);
            }
        }
        if changed {
            self.mod_seq = next;
            if *action != StoreAction::Remove {
                keywords.iter().for_each(|keyword| self.learn(keyword));
            }
        }
    }
}

/// Whether a UID is in one of these ranges.
pub fn contains(uids: &[UidRange], uid: u32) -> bool {
    uids.iter()
        .any(|range| range.first.0 <= uid && uid <= range.last.0)
}

fn flag_names(system: Flags, keywords: &[String]) -> BTreeSet<String> {
    let system = SYSTEM.iter().filter(|(_, flag)| system.contains(*flag));
    let names = system.map(|(name, _)| (*name).to_owned());
    names
        .chain(keywords.iter().map(|keyword| keyword.to_lowercase()))
        .collect()
}

impl PlainAccount {
    /// With `first_recent` as an index tells it: at a message or at UIDNEXT.
    pub fn seen_from_outside(mut self) -> PlainAccount {
        self.name_rights.clear();
        for mailbox in self.mailboxes.values_mut().flatten() {
            let mut recent = mailbox.messages.range(mailbox.first_recent..);
            mailbox.first_recent = recent.next().map_or(mailbox.uid_next, |(uid, _)| *uid);
        }
        self
    }

    /// Without what is logged but not waited for (`\Recent`).
    pub fn without_recent(mut self) -> PlainAccount {
        self.name_rights.clear();
        for mailbox in self.mailboxes.values_mut().flatten() {
            mailbox.first_recent = 0;
        }
        self
    }
}

/// The model gives rights to anyone alone.
fn dump_rights(snapshot: &MailboxSnapshot) -> u16 {
    let mut entries = snapshot.acl.entries();
    let rights = entries.next().map_or(0, |entry| entry.rights.bits());
    assert_eq!(entries.len(), 0);
    rights
}
