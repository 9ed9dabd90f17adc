//! From a request to the records that answer it, or a refusal.

use std::collections::HashMap;

use super::{AccountState, ReplyDraft};
use crate::acl::Rights;
use crate::actor::Actor;
use crate::ids::{BodyId, MailboxId, Place, UidValidity};
use crate::record::Record;
use crate::request::{Operation, Refusal, UploadId};
use crate::view::By;

/// What `plan` needs besides state and request.
#[derive(Debug)]
pub struct PlanContext<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// Seconds since the Unix epoch.
    pub now_s: i64,
    /// Bodies of the uploads whose chunks are all there.
    pub uploads: &'a HashMap<UploadId, BodyId>,
}

/// A plan. Its records are one frame; no records means that nothing changes.
#[derive(Debug)]
pub struct Planned {
    /// What is going to be true.
    pub records: Vec<Record>,
    /// Who changes flags, for the watchers.
    pub by: Option<By>,
    /// The answer, complete but for what only publishing knows.
    pub draft: ReplyDraft,
}

impl Planned {
    pub(super) fn nothing(draft: ReplyDraft) -> Planned {
        Planned::new(Vec::new(), draft)
    }

    pub(super) fn new(records: Vec<Record>, draft: ReplyDraft) -> Planned {
        let by = None;
        Planned { records, by, draft }
    }

    /// The body id of the n-th message that an Append adds: what its body frame must name.
    pub fn body(&self, n: usize) -> Option<BodyId> {
        let mut added = self.records.iter().filter_map(|record| match record {
            Record::MessageAdded { entry, .. } => Some(entry.body),
            _ => None,
        });
        added.nth(n)
    }

    /// The n-th message that an Append adds lies here: known once its frames are enqueued, and
    /// filled in before the records are encoded and applied.
    pub fn set_places(&mut self, n: usize, body: Place, summary: Place) {
        let mut added = self.records.iter_mut().filter_map(|record| match record {
            Record::MessageAdded { entry, .. } => Some(entry),
            _ => None,
        });
        if let Some(entry) = added.nth(n) {
            (entry.body_place, entry.summary_place) = (body, summary);
        }
    }
}

impl AccountState {
    /// Plans one request on the planned state, whose [`AccountState::pages_needed`] are warm.
    ///
    /// Snapshots, places and uploads are the mail store's: they are not planned.
    pub fn plan(
        &self,
        operation: &Operation,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        self.permit(operation, context.actor)?;
        match operation {
            Operation::CreateAccount { mailboxes } => {
                return self.plan_create_account(mailboxes, context);
            }
            Operation::DeleteAccount => return Ok(self.plan_delete_account()),
            _ if !self.exists() => return Err(Refusal::NoSuchAccount),
            _ => {}
        }
        let actor = context.actor;
        match operation {
            Operation::Describe => {
                let actor = actor.clone();
                Ok(Planned::nothing(ReplyDraft::Account { actor }))
            }
            Operation::Usage => Ok(Planned::nothing(ReplyDraft::Usage)),
            Operation::Alerts(alerts) => self.plan_alerts(alerts, context),
            Operation::Status { name } => self.plan_status(name, actor),
            Operation::CreateMailbox { mailbox, limit } => {
                self.plan_create(mailbox, limit, context)
            }
            Operation::DeleteMailbox { name } => self.plan_delete(name),
            Operation::RenameMailbox { from, to, limit } => {
                self.plan_rename(from, to, limit, context)
            }
            Operation::SetClass { name, class } => self.plan_set_class(name, class),
            Operation::Subscribe { name } => self.plan_subscribe(name),
            Operation::Unsubscribe { name } => Ok(self.plan_unsubscribe(name)),
            Operation::Select { name, access, .. } => self.plan_select(name, *access, actor),
            Operation::Append {
                mailbox,
                messages,
                replaces,
                limit,
            } => self.plan_append(mailbox, messages, replaces.as_ref(), limit, context),
            Operation::Store(store) => self.plan_store(store, actor),
            Operation::Expunge { mailbox, uids } => self.plan_expunge(*mailbox, uids.as_deref()),
            Operation::Transfer(transfer) => self.plan_transfer(transfer, context),
            Operation::ChangeAcl { name, changes } => self.plan_change_acl(name, changes),
            Operation::Acl { name } => self.plan_acl(name),
            Operation::MyRights { name } => self.plan_my_rights(name, actor),
            Operation::TakeOut(take) => self.plan_take_out(take),
            Operation::Receive(receive) => self.plan_receive(receive, context),
            Operation::EndMove { number, taken } => Ok(self.plan_end_move(*number, *taken)),
            Operation::AskMove { from, number } => Ok(self.plan_ask_move(*from, *number)),
            Operation::ForgetMove { from, number } => Ok(self.plan_forget_move(*from, *number)),
            Operation::IsMoveOpen { number } => Ok(self.plan_is_move_open(*number)),
            Operation::SetCertificate { certificate } => {
                self.plan_set_certificate(certificate.as_ref())
            }
            Operation::Certificate => Ok(Planned::nothing(ReplyDraft::Certificate)),
            Operation::Deselect { .. } => Ok(Planned::nothing(ReplyDraft::Done)),
            Operation::CreateAccount { .. }
            | Operation::DeleteAccount
            | Operation::Snapshot { .. }
            | Operation::UploadChunk { .. }
            | Operation::AbandonUpload { .. }
            | Operation::Locate { .. } => unreachable!("not planned"),
        }
    }

    /// The mailboxes whose pages must be warm (in both states) to plan and apply this. None for
    /// what will be refused: a guest learns nothing from the time that reading them takes.
    pub fn pages_needed(&self, operation: &Operation, actor: &Actor) -> Vec<MailboxId> {
        if self.permit(operation, actor).is_err() {
            return Vec::new();
        }
        let named = |name: &str| {
            let id = self.names.get(&super::normalize_name(name));
            id.copied().into_iter().collect()
        };
        match operation {
            Operation::DeleteAccount => self.mailbox_ids(),
            Operation::DeleteMailbox { name } => named(name),
            Operation::RenameMailbox { from, .. } if from.eq_ignore_ascii_case("INBOX") => {
                named(from)
            }
            Operation::Append {
                mailbox,
                replaces: Some(_),
                ..
            } => self
                .target(mailbox)
                .map(|held| held.id)
                .into_iter()
                .collect(),
            // What a guest may not read is not counted for it, and takes no time.
            Operation::Describe => {
                self.uncounted(|held| held.acl.rights_of(actor).contains(Rights::READ))
            }
            Operation::Status { name } => {
                let name = super::normalize_name(name);
                self.uncounted(|held| held.name == name)
            }
            Operation::Store(store) => vec![store.mailbox],
            Operation::Transfer(transfer) => vec![transfer.from],
            Operation::TakeOut(take) => vec![take.mailbox],
            Operation::EndMove { number, .. } => self.moving_from(*number).into_iter().collect(),
            Operation::Expunge { mailbox, .. }
            | Operation::Snapshot { mailbox }
            | Operation::Locate { mailbox, .. } => vec![*mailbox],
            Operation::CreateAccount { .. }
            | Operation::Usage
            | Operation::Alerts(_)
            | Operation::CreateMailbox { .. }
            | Operation::RenameMailbox { .. }
            | Operation::SetClass { .. }
            | Operation::Subscribe { .. }
            | Operation::Unsubscribe { .. }
            | Operation::Select { .. }
            | Operation::Receive(_)
            | Operation::AskMove { .. }
            | Operation::ForgetMove { .. }
            | Operation::IsMoveOpen { .. }
            | Operation::ChangeAcl { .. }
            | Operation::Acl { .. }
            | Operation::MyRights { .. }
            | Operation::SetCertificate { .. }
            | Operation::Certificate
            | Operation::Deselect { .. }
            | Operation::UploadChunk { .. }
            | Operation::AbandonUpload { .. }
            | Operation::Append { .. } => Vec::new(),
        }
    }

    /// Mailboxes whose pages an older version wrote, without what is told of them.
    fn uncounted(&self, wanted: impl Fn(&super::Mailbox) -> bool) -> Vec<MailboxId> {
        let held = self.mailboxes.values();
        let uncounted = held.filter(|held| !held.is_counted() && wanted(held));
        uncounted.map(|held| held.id).collect()
    }

    /// After the published state was folded or warmed: makes this, the planned state, share its
    /// pages again. `in_flight` are the records that are planned but not published, in order.
    pub fn replan_from<'r>(
        &mut self,
        published: &AccountState,
        in_flight: impl IntoIterator<Item = &'r Record>,
    ) {
        let (lsn, last_body) = (self.lsn, self.last_body);
        *self = published.clone();
        for record in in_flight {
            self.apply(record);
        }
        self.lsn = lsn;
        // Ids that were given to uploads are not in any record yet.
        self.last_body = last_body.max(self.last_body);
    }
}

/// UIDVALIDITY = max(now, the account's last + 1), so that it never comes twice (RFC 3501 2.3.1.1).
pub(super) fn next_uid_validity(last: UidValidity, now_s: i64) -> UidValidity {
    let now = u32::try_from(now_s.max(1)).unwrap_or(u32::MAX - 1);
    UidValidity(now.max(last.0.saturating_add(1)))
}
