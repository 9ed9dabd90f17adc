//! Plans of messages: APPEND, STORE, EXPUNGE.

use super::alerts::Growth;
use super::keywords::KeywordPlan;
use super::names::INBOX;
use super::normalize_name;
use super::permission::{changeable_flags, permitted_flags};
use super::{AccountState, Mailbox, PlanContext, Planned, RangeBuilder, ReplyDraft};
use crate::actor::Actor;
use crate::ids::{BodyId, MailboxId, ModSeq, Place, Uid};
use crate::index::Entry;
use crate::record::Record;
use crate::request::{
    FlagNames, Flags, GoneMessages, Limit, NewBody, NewMessage, Refusal, Replaces,
};
use crate::request::{Store, StoreAction, Target, UidRange};
use crate::state_limits::APPEND_MESSAGES_MAX;
use crate::view::By;

impl AccountState {
    pub(super) fn plan_append(
        &self,
        target: &Target,
        messages: &[NewMessage],
        replaces: Option<&Replaces>,
        limit: &Limit,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        let mailbox = self.target(target)?;
        if messages.len() > APPEND_MESSAGES_MAX {
            return Err(Refusal::Limit("too many messages in one append"));
        }
        let old = match replaces {
            None => None,
            Some(Replaces { uid, gone }) => {
                let held = mailbox.index.get(*uid);
                let old = held.filter(|_| !mailbox.is_moving(*uid));
                if old.is_none() && *gone == GoneMessages::Refuse {
                    return Err(Refusal::MessageGone);
                }
                old
            }
        };
        let bytes: u64 = messages.iter().map(|message| u64::from(message.size)).sum();
        // What goes in the same frame makes room.
        let freed = old.map_or(0, |old| u64::from(old.size));
        let grows = messages.len().saturating_sub(usize::from(old.is_some()));
        self.check_growth(limit, bytes.saturating_sub(freed), grows)?;
        let mut keywords = KeywordPlan::new(mailbox);
        let added = self.plan_entries(mailbox, messages, &mut keywords, context)?;
        let id = mailbox.id;
        let uids = added.iter().map(|entry| entry.uid).collect();
        let last = added.last().map_or(mailbox.mod_seq, |entry| entry.mod_seq);
        let mut records = keywords.into_records();
        let added = added.into_iter();
        records.extend(added.map(|entry| Record::MessageAdded { mailbox: id, entry }));
        records.extend(old.map(|old| Record::Expunged {
            mailbox: id,
            uids: vec![UidRange {
                first: old.uid,
                last: old.uid,
            }],
            mod_seq: ModSeq(last.0 + 1),
        }));
        let more = Growth::of(bytes.saturating_sub(freed), grows);
        records.extend(self.quota_alert(limit, more, context.now_s));
        let draft = ReplyDraft::Appended {
            mailbox: id,
            uid_validity: mailbox.uid_validity,
            uids,
        };
        Ok(Planned::new(records, draft))
    }

    /// The messages as they will stand in the mailbox, their places still open.
    pub(super) fn plan_entries(
        &self,
        mailbox: &Mailbox,
        messages: &[NewMessage],
        keywords: &mut KeywordPlan<'_>,
        context: &PlanContext<'_>,
    ) -> Result<Vec<Entry>, Refusal> {
        let first = mailbox.free_uids(messages.len())?;
        let changeable = changeable_flags(mailbox.acl.rights_of(context.actor));
        let mut added = Vec::with_capacity(messages.len());
        let mut last_body = self.last_body;
        for ((message, uid), step) in messages.iter().zip(first.0..).zip(1..) {
            let body = match &message.body {
                NewBody::Inline(_) => {
                    last_body = BodyId(last_body.0 + 1);
                    last_body
                }
                NewBody::Uploaded(upload) => {
                    let body = context.uploads.get(upload);
                    *body.ok_or(Refusal::NoSuchUpload)?
                }
            };
            added.push(Entry {
                uid: Uid(uid),
                mod_seq: ModSeq(mailbox.mod_seq.0 + step),
                // RFC 4314 4: flags that may not be set are left out, the message is taken.
                flags: keywords.bits(&permitted_flags(&message.flags, changeable))?,
                internal_date_s: message.internal_date_s,
                zone_min: message.internal_date_zone_min,
                saved_s: context.now_s,
                size: message.size,
                body,
                body_place: Place::NONE,
                summary_place: Place::NONE,
            });
        }
        Ok(added)
    }

    pub(super) fn plan_store(&self, store: &Store, actor: &Actor) -> Result<Planned, Refusal> {
        let mailbox = self.selectable_id(store.mailbox)?;
        let changeable = changeable_flags(mailbox.acl.rights_of(actor));
        let flags = permitted_flags(&store.flags, changeable);
        // RFC 4314 4: a STORE fails if nothing of it may be done, and leaves out what may not.
        let nothing_left = flags == FlagNames::default() && store.flags != flags;
        if changeable == Flags(0) || nothing_left {
            return Err(Refusal::NoPermission);
        }
        let mut keywords = KeywordPlan::new(mailbox);
        let (set, clear) = match store.action {
            StoreAction::Replace => {
                let set = keywords.bits(&flags)?;
                (set, Flags(!set.0 & changeable.0))
            }
            StoreAction::Add => (keywords.bits(&flags)?, Flags(0)),
            StoreAction::Remove => (Flags(0), keywords.known_bits(&flags)),
        };
        let (mut changed, mut modified) = (RangeBuilder::default(), Vec::new());
        let gone = mailbox.for_each(&store.uids, |entry| {
            // RFC 7162 3.1.3: a message that changed since is left alone and listed.
            if store
                .unchanged_since
                .is_some_and(|since| entry.mod_seq > since)
            {
                modified.push(entry.uid);
            } else if entry.flags.changed(set, clear) != entry.flags {
                changed.push(entry.uid);
            }
        });
        let changed = changed.finish();
        let mod_seq = (!changed.is_empty()).then(|| mailbox.next_mod_seq());
        let mut records = Vec::new();
        if let Some(mod_seq) = mod_seq {
            records = keywords.into_records();
            records.push(Record::FlagsChanged {
                mailbox: mailbox.id,
                uids: changed,
                set,
                clear,
                mod_seq,
            });
        }
        Ok(Planned {
            records,
            by: Some(By {
                session: store.session,
                silent: store.silent,
            }),
            draft: ReplyDraft::Stored {
                mailbox: mailbox.id,
                gone,
                modified,
                mod_seq,
            },
        })
    }

    pub(super) fn plan_expunge(
        &self,
        mailbox: MailboxId,
        uids: Option<&[UidRange]>,
    ) -> Result<Planned, Refusal> {
        let mailbox = self.selectable_id(mailbox)?;
        let mut going = RangeBuilder::default();
        if mailbox.deleted > 0 {
            let every = [UidRange {
                first: Uid(1),
                last: Uid(u32::MAX),
            }];
            for range in uids.unwrap_or(&every) {
                let entries = mailbox.index.range(range.first, range.last);
                let deleted = entries.filter(|entry| {
                    entry.flags.contains(Flags::DELETED) && !mailbox.is_moving(entry.uid)
                });
                deleted.for_each(|entry| going.push(entry.uid));
            }
        }
        let (id, uids) = (mailbox.id, going.finish());
        let (records, mod_seq) = match uids.is_empty() {
            true => (Vec::new(), mailbox.mod_seq),
            false => {
                let mod_seq = mailbox.next_mod_seq();
                let mailbox = id;
                (
                    vec![Record::Expunged {
                        mailbox,
                        uids,
                        mod_seq,
                    }],
                    mod_seq,
                )
            }
        };
        let draft = ReplyDraft::Expunged {
            mailbox: id,
            mod_seq,
        };
        Ok(Planned::new(records, draft))
    }

    /// Whether the account may grow by this much.
    pub(super) fn check_growth(
        &self,
        limit: &Limit,
        bytes: u64,
        messages: usize,
    ) -> Result<(), Refusal> {
        let messages = u64::try_from(messages).unwrap_or(u64::MAX);
        let over = |now: u64, more: u64, most: Option<u64>| {
            more > 0 && most.is_some_and(|most| now.saturating_add(more) > most)
        };
        match over(self.bytes, bytes, limit.bytes_max)
            || over(self.messages, messages, limit.messages_max)
        {
            true => Err(Refusal::OverQuota),
            false => Ok(()),
        }
    }

    pub(super) fn target(&self, target: &Target) -> Result<&Mailbox, Refusal> {
        match target {
            Target::Name(name) => self.selectable(&normalize_name(name)),
            Target::NameOrInbox(name) => {
                let named = self.selectable(&normalize_name(name));
                named.or_else(|_| self.selectable(INBOX))
            }
        }
    }
}

impl Mailbox {
    /// UIDNEXT, if there are UIDs for this many messages.
    pub(super) fn free_uids(&self, messages: usize) -> Result<Uid, Refusal> {
        let end = u32::try_from(messages).ok();
        match end.and_then(|messages| self.uid_next.0.checked_add(messages)) {
            Some(_) => Ok(self.uid_next),
            None => Err(Refusal::Limit("mailbox has no UIDs left")),
        }
    }

    /// Visits the messages of these ranges, ascending, and gives the UIDs that are none.
    pub(super) fn for_each(&self, uids: &[UidRange], mut visit: impl FnMut(Entry)) -> Vec<Uid> {
        let mut gone = Vec::new();
        for range in uids {
            // UIDs that no message ever had are not gone.
            let end = range.last.0.min(self.uid_next.0 - 1);
            let mut expected = range.first.0;
            let entries = self.index.range(range.first, range.last);
            for entry in entries.filter(|entry| !self.is_moving(entry.uid)) {
                gone.extend((expected..entry.uid.0).map(Uid));
                expected = entry.uid.0.saturating_add(1);
                visit(entry);
            }
            gone.extend((expected..=end).map(Uid));
        }
        gone
    }
}

impl Flags {
    /// `(self - clear) + set`
    pub(super) fn changed(self, set: Flags, clear: Flags) -> Flags {
        Flags(self.0 & !clear.0 | set.0)
    }
}
