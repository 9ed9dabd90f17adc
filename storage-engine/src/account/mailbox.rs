//! Plans of the account itself and of its mailboxes: CREATE, DELETE, RENAME, SELECT, STATUS.

use std::collections::{BTreeMap, BTreeSet};

use super::keywords::KeywordPlan;
use super::names::{INBOX, parents};
use super::plan::next_uid_validity;
use super::state::Life;
use super::transfer::plan_copies;
use super::{AccountState, Mailbox, PlanContext, Planned, ReplyDraft};
use super::{normalize_name, special_use_bits, validate_class, validate_name};
use crate::acl::Acl;
use crate::actor::Actor;
use crate::ids::{MailboxId, Uid, UidValidity};
use crate::record::Record;
use crate::request::{Access, Holds, Limit, NewMailbox, Refusal};
use crate::state_limits::MAILBOXES_MAX;

impl AccountState {
    pub(super) fn plan_create_account(
        &self,
        mailboxes: &[NewMailbox],
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        if self.life != Life::Unborn {
            return Err(Refusal::AccountExists);
        }
        let mut naming = Naming::new(self, context.now_s);
        naming.records.push(Record::AccountCreated);
        naming.create(INBOX, 0)?;
        let mut subscribed = BTreeSet::from([INBOX.to_owned()]);
        for mailbox in mailboxes {
            let name = normalize_name(&mailbox.name);
            validate_name(&name)?;
            validate_class(&mailbox.class)?;
            if !naming.has(&name) {
                naming.create_as(&name, mailbox, special_use_bits(&mailbox.special_use))?;
            }
            if mailbox.subscribe {
                subscribed.insert(name);
            }
        }
        let mut records = naming.records;
        let subscriptions = subscribed.into_iter();
        records.extend(subscriptions.map(|name| Record::Subscribed { name }));
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    pub(super) fn plan_delete_account(&self) -> Planned {
        let records = match self.life {
            Life::Alive => vec![Record::AccountDeleted],
            Life::Unborn | Life::Deleted => Vec::new(),
        };
        Planned::new(records, ReplyDraft::Done)
    }

    pub(super) fn plan_create(
        &self,
        mailbox: &NewMailbox,
        limit: &Limit,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        let name = normalize_name(&mailbox.name);
        validate_name(&name)?;
        validate_class(&mailbox.class)?;
        let mut naming = Naming::new(self, context.now_s);
        if let Some(id) = self.names.get(&name) {
            // A mere name becomes a mailbox, and as such a new one.
            if mailbox.holds == Holds::Names || self.selectable_id(*id).is_ok() {
                return Err(Refusal::MailboxExists);
            }
            naming.records.push(Record::MailboxDeleted { mailbox: *id });
        }
        self.check_mailboxes(limit, mailbox.holds)?;
        // Special uses and subscriptions are the owner's.
        let is_guest = matches!(context.actor, Actor::Guest(_));
        let special_use = match is_guest {
            true => 0,
            false => special_use_bits(&mailbox.special_use),
        };
        naming.create_as(&name, mailbox, special_use)?;
        let mut records = naming.records;
        if mailbox.subscribe && !is_guest && !self.subscriptions.contains(&name) {
            records.push(Record::Subscribed { name });
        }
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    pub(super) fn plan_delete(&self, name: &str) -> Result<Planned, Refusal> {
        let name = normalize_name(name);
        if name == INBOX {
            return Err(Refusal::NotAllowed("INBOX can't be deleted"));
        }
        let id = self.names.get(&name).ok_or(Refusal::NoSuchMailbox)?;
        let record = match self.children(&name).next() {
            None => Record::MailboxDeleted { mailbox: *id },
            // RFC 3501 6.3.4: with children the messages go and the name stays; a name that is
            // all there is can't go.
            Some(_) => match self.selectable_id(*id) {
                Ok(_) => Record::MailboxNoselect { mailbox: *id },
                Err(_) => return Err(Refusal::HasChildren),
            },
        };
        Ok(Planned::new(vec![record], ReplyDraft::Done))
    }

    pub(super) fn plan_rename(
        &self,
        from: &str,
        to: &str,
        limit: &Limit,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        let (from, to) = (normalize_name(from), normalize_name(to));
        validate_name(&to)?;
        let id = *self.names.get(&from).ok_or(Refusal::NoSuchMailbox)?;
        if self.names.contains_key(&to) {
            return Err(Refusal::MailboxExists);
        }
        if from == INBOX {
            self.check_mailboxes(limit, Holds::Messages)?;
            return self.plan_rename_inbox(&to, context);
        }
        let below = |name: &str| name.strip_prefix(&from).is_some_and(|s| s.starts_with('/'));
        if below(&to) {
            return Err(Refusal::NotAllowed("a mailbox can't go below itself"));
        }
        let mut naming = Naming::new(self, context.now_s);
        naming.create_parents(&to)?;
        let mut records = naming.records;
        let children = self.children(&from).filter_map(|(name, id)| {
            let rest = name.strip_prefix(&from)?;
            Some((format!("{to}{rest}"), id))
        });
        for (name, mailbox) in std::iter::once((to.clone(), id)).chain(children) {
            validate_name(&name)?;
            records.push(Record::MailboxRenamed { mailbox, name });
        }
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    /// RFC 3501 6.3.5: the messages move to a new mailbox, INBOX stays and is empty, and so do
    /// its children.
    fn plan_rename_inbox(&self, to: &str, context: &PlanContext<'_>) -> Result<Planned, Refusal> {
        let inbox = self.selectable(INBOX)?;
        let mut naming = Naming::new(self, context.now_s);
        let id = naming.create(to, 0)?;
        let mut records = naming.records;
        let fresh = Mailbox::new(id, to.to_owned(), UidValidity(0), 0);
        let every = super::RangeBuilder::from_iter(
            inbox
                .index
                .iter()
                .map(|entry| entry.uid)
                .filter(|uid| !inbox.is_moving(*uid)),
        );
        let uids = every.finish();
        if !uids.is_empty() {
            let used = inbox
                .index
                .iter()
                .fold(crate::request::Flags(0), |used, entry| {
                    used.union(entry.flags)
                });
            let mut keywords = KeywordPlan::new(&fresh);
            let map = keywords.map_from(inbox, used);
            records.extend(keywords.into_records());
            records.push(plan_copies(inbox, &fresh, &uids, map, context.now_s)?);
            records.push(Record::Expunged {
                mailbox: inbox.id,
                uids,
                mod_seq: inbox.next_mod_seq(),
            });
        }
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    /// Whether the account may have one more name of this kind. What is there already stays, also
    /// where there are more than the limit allows.
    fn check_mailboxes(&self, limit: &Limit, holds: Holds) -> Result<(), Refusal> {
        let Some(most) = limit.mailboxes_max else {
            return Ok(());
        };
        if most <= 1 {
            return Err(Refusal::NotAllowed("the account has INBOX only"));
        }
        let held = self.mailboxes.values().filter(|held| !held.noselect);
        let held = u32::try_from(held.count()).unwrap_or(u32::MAX);
        match holds == Holds::Messages && held >= most {
            true => Err(Refusal::Limit("the account may have no more mailboxes")),
            false => Ok(()),
        }
    }

    pub(super) fn plan_set_class(&self, name: &str, class: &str) -> Result<Planned, Refusal> {
        validate_class(class)?;
        let held = self.selectable(&normalize_name(name))?;
        let classed = Record::MailboxClassed {
            mailbox: held.id,
            class: class.to_owned(),
        };
        let records = (held.class != class).then_some(classed);
        Ok(Planned::new(
            records.into_iter().collect(),
            ReplyDraft::Done,
        ))
    }

    pub(super) fn plan_select(
        &self,
        name: &str,
        access: Access,
        actor: &Actor,
    ) -> Result<Planned, Refusal> {
        let mailbox = self.selectable(&normalize_name(name))?;
        // RFC 4314 5.2: who can change nothing has it READ-ONLY, and takes no `\Recent`.
        let access = match mailbox.acl.rights_of(actor).changes_messages() {
            true => access,
            false => Access::ReadOnly,
        };
        let takes = access == Access::ReadWrite && mailbox.first_recent < mailbox.uid_next;
        let taken = Record::RecentTaken {
            mailbox: mailbox.id,
            first_recent: mailbox.uid_next,
        };
        let records = takes.then_some(taken).into_iter().collect();
        let draft = ReplyDraft::Selected {
            mailbox: mailbox.id,
            actor: actor.clone(),
            access,
            first_recent: mailbox.first_recent,
        };
        Ok(Planned::new(records, draft))
    }

    pub(super) fn plan_status(&self, name: &str, actor: &Actor) -> Result<Planned, Refusal> {
        let mailbox = self.selectable(&normalize_name(name))?.id;
        let actor = actor.clone();
        Ok(Planned::nothing(ReplyDraft::Status { mailbox, actor }))
    }
}

impl Mailbox {
    /// A mailbox without messages. HIGHESTMODSEQ starts at 1: 0 has another meaning in RFC 7162.
    pub(super) fn new(
        id: MailboxId,
        name: String,
        uid_validity: UidValidity,
        special_use: u8,
    ) -> Mailbox {
        Mailbox {
            id,
            name,
            noselect: false,
            special_use,
            class: String::new(),
            uid_validity,
            uid_next: Uid(1),
            mod_seq: crate::ids::ModSeq(1),
            first_recent: Uid(1),
            keywords: Default::default(),
            index: Default::default(),
            unseen: 0,
            deleted: 0,
            media: Default::default(),
            unseen_media: Some(0),
            recent: 0,
            bytes: 0,
            deleted_bytes: 0,
            history: Default::default(),
            acl: Default::default(),
            moving: Vec::new(),
        }
    }
}

/// Names, ids and UIDVALIDITYs while several mailboxes are planned in one frame.
struct Naming<'a> {
    state: &'a AccountState,
    now_s: i64,
    /// What this frame makes, and the rights that it inherits.
    made: BTreeMap<String, Acl>,
    last_mailbox: MailboxId,
    last_uid_validity: UidValidity,
    records: Vec<Record>,
}

impl<'a> Naming<'a> {
    fn new(state: &'a AccountState, now_s: i64) -> Naming<'a> {
        Naming {
            state,
            now_s,
            made: BTreeMap::new(),
            last_mailbox: state.last_mailbox,
            last_uid_validity: state.last_uid_validity,
            records: Vec::new(),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.made.contains_key(name) || self.state.names.contains_key(name)
    }

    fn create_as(
        &mut self,
        name: &str,
        mailbox: &NewMailbox,
        special_use: u8,
    ) -> Result<(), Refusal> {
        if mailbox.holds == Holds::Names {
            self.create_parents(name)?;
            self.push(name, UidValidity(0), 0, true)?;
            return Ok(());
        }
        let id = self.create(name, special_use)?;
        if !mailbox.class.is_empty() {
            self.records.push(Record::MailboxClassed {
                mailbox: id,
                class: mailbox.class.clone(),
            });
        }
        Ok(())
    }

    fn create(&mut self, name: &str, special_use: u8) -> Result<MailboxId, Refusal> {
        self.create_parents(name)?;
        self.last_uid_validity = next_uid_validity(self.last_uid_validity, self.now_s);
        self.push(name, self.last_uid_validity, special_use, false)
    }

    /// RFC 3501 6.3.3: superior names come to be, as names.
    fn create_parents(&mut self, name: &str) -> Result<(), Refusal> {
        for parent in parents(name) {
            if !self.has(parent) {
                self.push(parent, UidValidity(0), 0, true)?;
            }
        }
        Ok(())
    }

    fn push(
        &mut self,
        name: &str,
        uid_validity: UidValidity,
        special_use: u8,
        noselect: bool,
    ) -> Result<MailboxId, Refusal> {
        if self.state.names.len() + self.made.len() >= MAILBOXES_MAX {
            return Err(Refusal::Limit("too many mailboxes"));
        }
        let acl = self.inherited(name);
        self.made.insert(name.to_owned(), acl.clone());
        self.last_mailbox = MailboxId(self.last_mailbox.0 + 1);
        self.records.push(Record::MailboxCreated {
            mailbox: self.last_mailbox,
            name: name.to_owned(),
            uid_validity,
            special_use,
            noselect,
        });
        if !acl.is_empty() {
            let mailbox = self.last_mailbox;
            self.records.push(Record::AclSet { mailbox, acl });
        }
        Ok(self.last_mailbox)
    }

    /// The list of the mailbox above, as it is now: later changes of it are its own.
    fn inherited(&self, name: &str) -> Acl {
        let made = parents(name).rev().find_map(|parent| self.made.get(parent));
        let held = || self.state.outer(name).map(|outer| &outer.acl);
        made.or_else(held).cloned().unwrap_or_default()
    }
}
