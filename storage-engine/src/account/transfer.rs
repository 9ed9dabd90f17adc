//! Plans of COPY and MOVE inside an account: bodies are shared.

use super::alerts::Growth;
use super::keywords::{KeywordPlan, SYSTEM_FLAGS};
use super::normalize_name;
use super::permission::changeable_flags;
use super::{AccountState, Mailbox, PlanContext, Planned, RangeBuilder, ReplyDraft};
use crate::actor::Actor;
use crate::ids::{ModSeq, Uid};
use crate::record::Record;
use crate::request::{Flags, GoneMessages, Refusal, Transfer, TransferKind, UidRange};

impl AccountState {
    pub(super) fn plan_transfer(
        &self,
        transfer: &Transfer,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        let from = self.selectable_id(transfer.from)?;
        let to = self.selectable(&normalize_name(&transfer.to))?;
        let named = Named::new(from, to, &transfer.uids, context.actor);
        if !named.gone.is_empty() && transfer.gone == GoneMessages::Refuse {
            return Err(Refusal::MessageGone);
        }
        to.free_uids(named.pairs.len())?;
        if transfer.kind == TransferKind::Copy {
            self.check_growth(&transfer.limit, named.bytes, named.pairs.len())?;
        }
        let (mut records, mut mod_seq) = (Vec::new(), from.mod_seq);
        if !named.uids.is_empty() {
            let mut keywords = KeywordPlan::new(to);
            let map = keywords.map_from(from, named.flags);
            records = keywords.into_records();
            records.push(plan_copies(from, to, &named.uids, map, context.now_s)?);
            let mut changes = 1;
            if let Some(record) = named.strip(to, ModSeq(to.mod_seq.0 + 2)) {
                records.push(record);
                changes += 1;
            }
            if from.id == to.id {
                mod_seq = ModSeq(mod_seq.0 + changes);
            }
            if transfer.kind == TransferKind::Move {
                mod_seq = ModSeq(mod_seq.0 + 1);
                records.push(Record::Expunged {
                    mailbox: from.id,
                    uids: named.uids,
                    mod_seq,
                });
            } else {
                let more = Growth::of(named.bytes, named.pairs.len());
                records.extend(self.quota_alert(&transfer.limit, more, context.now_s));
            }
        }
        let draft = ReplyDraft::Transferred {
            from: from.id,
            to: to.id,
            uid_validity: to.uid_validity,
            uids: named.pairs,
            mod_seq,
        };
        Ok(Planned::new(records, draft))
    }
}

/// The messages that a transfer names.
struct Named {
    gone: Vec<Uid>,
    uids: Vec<UidRange>,
    /// Source and destination.
    pairs: Vec<(Uid, Uid)>,
    /// Flags that may be set in the destination and that some of them have.
    flags: Flags,
    /// System flags that may not be set there.
    denied: Flags,
    /// Copies that would have such a flag.
    stripped: Vec<UidRange>,
    bytes: u64,
}

impl Named {
    fn new(from: &Mailbox, to: &Mailbox, uids: &[UidRange], actor: &Actor) -> Named {
        let changeable = changeable_flags(to.acl.rights_of(actor));
        let denied = Flags(!changeable.0 & SYSTEM_FLAGS);
        let (mut going, mut stripped) = (RangeBuilder::default(), RangeBuilder::default());
        let (mut pairs, mut used, mut bytes) = (Vec::new(), Flags(0), 0);
        let mut uid = to.uid_next.0;
        let gone = from.for_each(uids, |entry| {
            going.push(entry.uid);
            pairs.push((entry.uid, Uid(uid)));
            used = used.union(entry.flags);
            if entry.flags.0 & denied.0 != 0 {
                stripped.push(Uid(uid));
            }
            bytes += u64::from(entry.size);
            uid = uid.saturating_add(1);
        });
        Named {
            gone,
            uids: going.finish(),
            pairs,
            flags: Flags(used.0 & changeable.0),
            denied,
            stripped: stripped.finish(),
            bytes,
        }
    }

    /// RFC 4314 4: a copy has no flag that may not be set where it goes.
    fn strip(&self, to: &Mailbox, mod_seq: ModSeq) -> Option<Record> {
        let record = |uids| Record::FlagsChanged {
            mailbox: to.id,
            uids,
            set: Flags(0),
            clear: self.denied,
            mod_seq,
        };
        (!self.stripped.is_empty()).then(|| record(self.stripped.clone()))
    }
}

/// The record of a copy. One MODSEQ for all: they came at once.
pub(super) fn plan_copies(
    from: &Mailbox,
    to: &Mailbox,
    uids: &[UidRange],
    keywords: Vec<(u8, u8)>,
    now_s: i64,
) -> Result<Record, Refusal> {
    Ok(Record::Copied {
        from: from.id,
        uids: uids.to_vec(),
        to: to.id,
        first_uid: to.free_uids(0)?,
        mod_seq: to.next_mod_seq(),
        saved_s: now_s,
        keywords,
    })
}
