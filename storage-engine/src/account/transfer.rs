//! Plans of COPY and MOVE inside an account: bodies are shared.

use super::keywords::KeywordPlan;
use super::normalize_name;
use super::{AccountState, Mailbox, PlanContext, Planned, RangeBuilder, ReplyDraft};
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
        let (mut going, mut pairs) = (RangeBuilder::default(), Vec::new());
        let (mut used, mut bytes, mut uid) = (Flags(0), 0, to.uid_next.0);
        let gone = from.for_each(&transfer.uids, |entry| {
            going.push(entry.uid);
            pairs.push((entry.uid, Uid(uid)));
            used = used.union(entry.flags);
            bytes += u64::from(entry.size);
            uid = uid.saturating_add(1);
        });
        if !gone.is_empty() && transfer.gone == GoneMessages::Refuse {
            return Err(Refusal::MessageGone);
        }
        to.free_uids(pairs.len())?;
        if transfer.kind == TransferKind::Copy {
            self.check_growth(&transfer.limit, bytes, pairs.len())?;
        }
        let uids = going.finish();
        let (mut records, mut mod_seq) = (Vec::new(), from.mod_seq);
        if !uids.is_empty() {
            let mut keywords = KeywordPlan::new(to);
            let map = keywords.map_from(from, used);
            records = keywords.into_records();
            records.push(plan_copies(from, to, &uids, map, context.now_s)?);
            if from.id == to.id {
                mod_seq = ModSeq(mod_seq.0 + 1);
            }
            if transfer.kind == TransferKind::Move {
                mod_seq = ModSeq(mod_seq.0 + 1);
                records.push(Record::Expunged {
                    mailbox: from.id,
                    uids,
                    mod_seq,
                });
            }
        }
        let draft = ReplyDraft::Transferred {
            from: from.id,
            to: to.id,
            uid_validity: to.uid_validity,
            uids: pairs,
            mod_seq,
        };
        Ok(Planned::new(records, draft))
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
