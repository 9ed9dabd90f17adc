//! From a request to records in the log: plan, enqueue and apply in one step without a wait.

use std::rc::Rc;

use bytes::Bytes;

use crate::account::{PlanContext, Planned, ReplyDraft};
use crate::actor::Actor;
use crate::disk::Disk;
use crate::ids::{AccountId, BodyId, Lsn, MailboxId, Place, Position, SessionKey, Uid};
use crate::limits::BODY_INLINE_BYTES_MAX;
use crate::log::wake::{Promise, promise};
use crate::log::{FrameHeader, FrameKind, Purpose, Room};
use crate::mail_store::commit::{InFlight, Outcome};
use crate::mail_store::held::{Held, States};
use crate::mail_store::{MailStore, Slot};
use crate::reader::{BodyMap, CachedFrame};
use crate::record::{Record, encode_frame};
use crate::recovery::Sabotage;
use crate::request::{NewBody, NewMessage, Operation, Refusal, Reply, Request, TransferKind};

/// What came of a request at this moment.
enum Step {
    /// It is in the log, or waits for what it rests on.
    Pending(Promise<Outcome>),
    /// There is no room yet.
    Wait,
}

impl<D: Disk> MailStore<D> {
    pub(crate) async fn plan_and_commit(&self, request: &Request) -> Result<Reply, Refusal> {
        let outcome = self.plan_until_done(request).await;
        if outcome.is_err() {
            self.forget_unborn(request.account);
        }
        match (&outcome, &request.actor) {
            // Whether there is such an account is not a guest's business.
            (Err(Refusal::NoSuchAccount), Actor::Guest(_)) => Err(Refusal::NoSuchMailbox),
            _ => outcome,
        }
    }

    async fn plan_until_done(&self, request: &Request) -> Result<Reply, Refusal> {
        let account = request.account;
        let log = &self.inner.log;
        loop {
            let held = match self.load(account).await? {
                Some(held) => held,
                None => match request.operation {
                    Operation::CreateAccount { .. } => self.unborn(account),
                    _ => return Err(Refusal::NoSuchAccount),
                },
            };
            let needed = held
                .states
                .borrow()
                .planned
                .pages_needed(&request.operation, &request.actor);
            self.warm(account, &held, &needed).await?;
            // From here to the end of `submit` nothing waits, so what was checked stays true. The
            // pages needed may have changed while others were read: look once more.
            let seen = log.changed().generation();
            if held
                .states
                .borrow()
                .planned
                .pages_needed(&request.operation, &request.actor)
                != needed
            {
                continue;
            }
            match self.submit(&held, request)? {
                Step::Pending(promise) => {
                    if self.inner.options.sabotage == Some(Sabotage::ReplyBeforeSync) {
                        self.publish_to(log.end());
                    }
                    return promise.await;
                }
                Step::Wait => log.changed().changed_since(seen).await,
            }
        }
    }

    fn unborn(&self, account: AccountId) -> Rc<Held> {
        let floor = self.inner.changes_floor.get();
        let state = crate::account::AccountState::default();
        let held = Rc::new(Held::new(state, None, floor));
        self.inner
            .accounts
            .borrow_mut()
            .insert(account, Slot::Held(held.clone()));
        held
    }

    fn submit(&self, held: &Rc<Held>, request: &Request) -> Result<Step, Refusal> {
        let account = request.account;
        let mut states = held.states.borrow_mut();
        let planned = {
            let uploads = self.inner.uploads.borrow();
            let context = PlanContext {
                actor: &request.actor,
                now_s: request.now_s,
                uploads: uploads.bodies(),
            };
            states.planned.plan(&request.operation, &context)
        };
        let mut planned = match planned {
            Ok(planned) => planned,
            Err(refusal) => return Ok(self.wait(account, held, &states, Err(refusal))),
        };
        let optional = matches!(request.operation, Operation::Select { .. });
        if !planned.records.is_empty() {
            match self.room_for(&states, &planned, request) {
                Ok(Room::Now) => {}
                Ok(Room::Later) => return Ok(Step::Wait),
                // Taking `\Recent` is a courtesy; SELECT works on a full or fenced disk as well.
                Ok(_) | Err(_) if optional => planned.records.clear(),
                Ok(Room::Never) => return Err(Refusal::Limit("too much at once")),
                Ok(Room::Fenced) => return Err(Refusal::ReadOnly),
                Ok(Room::Full) => return Err(self.refuse_full()),
                Err(refusal) => return Err(refusal),
            }
        }
        if planned.records.is_empty() {
            self.note_session(&mut states, request, &planned);
            return Ok(self.wait(account, held, &states, Ok(planned)));
        }
        let recent = take_recent(&states, &mut planned);
        self.enqueue_bodies(account, request.operation.messages(), &mut planned)?;
        self.note_session(&mut states, request, &planned);
        Ok(Step::Pending(self.commit_records(
            account,
            held,
            &mut states,
            planned,
            recent,
        )?))
    }

    /// Enqueues the records as one frame and applies them to the planned state.
    pub(crate) fn commit_records(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        states: &mut States,
        planned: Planned,
        recent: Vec<(MailboxId, SessionKey)>,
    ) -> Result<Promise<Outcome>, Refusal> {
        let mut payload = Vec::with_capacity(256);
        encode_frame(&planned.records, &mut payload);
        let lsn = Lsn(states.planned.lsn().0 + 1);
        let header = FrameHeader::of(FrameKind::Metadata, account, self.inner.epoch, lsn.0);
        let enqueued = self.inner.log.enqueue(&header, &[&payload]);
        self.inner.live.add(enqueued.map_err(|_| Refusal::Full)?, 1);
        for record in &planned.records {
            states.planned.apply(record);
        }
        states.planned.set_lsn(lsn);
        let records = Rc::new(planned.records);
        states.in_flight.push(records.clone());
        let (resolver, promise) = promise();
        let (by, draft) = (planned.by, Ok(planned.draft));
        let position = self.inner.log.end();
        let held = held.clone();
        let in_flight = InFlight {
            position,
            account,
            held,
            lsn,
            records,
            by,
            draft,
            recent,
            resolver,
        };
        self.push_in_flight(in_flight);
        Ok(promise)
    }

    /// An answer without records: it waits for what its account has in flight.
    fn wait(
        &self,
        account: AccountId,
        held: &Rc<Held>,
        states: &States,
        planned: Result<Planned, Refusal>,
    ) -> Step {
        let position = match states.in_flight.is_empty() {
            true => Position(0),
            false => self.inner.log.end(),
        };
        let (by, draft) = match planned {
            Ok(planned) => (planned.by, Ok(planned.draft)),
            Err(refusal) => (None, Err(refusal)),
        };
        let (resolver, promise) = promise();
        let in_flight = InFlight {
            position,
            account,
            held: held.clone(),
            lsn: Lsn(0),
            records: Rc::default(),
            by,
            draft,
            recent: Vec::new(),
            resolver,
        };
        match position {
            Position(0) => self.answer(in_flight, states),
            _ => self.push_in_flight(in_flight),
        }
        Step::Pending(promise)
    }

    fn room_for(
        &self,
        states: &States,
        planned: &Planned,
        request: &Request,
    ) -> Result<Room, Refusal> {
        if !states.is_writable() {
            return Err(Refusal::ReadOnly);
        }
        // Places have a fixed width, so the size is known before the places are.
        let mut payload = Vec::with_capacity(256);
        encode_frame(&planned.records, &mut payload);
        // A taken `\Recent` may join each record.
        let mut bytes = payload.len() + 16 * planned.records.len();
        let mut frames = 1;
        for message in request.operation.messages() {
            bytes += message.summary.len() + self.body_bytes(request.account, message)?;
            frames += 2;
        }
        Ok(self
            .inner
            .log
            .room(bytes, frames, purpose(&request.operation)))
    }

    fn body_bytes(&self, account: AccountId, message: &NewMessage) -> Result<usize, Refusal> {
        match &message.body {
            NewBody::Inline(body) if body.len() > BODY_INLINE_BYTES_MAX => {
                Err(Refusal::Limit("message too large for one piece"))
            }
            NewBody::Inline(body) => Ok(body.len()),
            NewBody::Uploaded(upload) => {
                let uploads = self.inner.uploads.borrow();
                let map = uploads.map(account, *upload).ok_or(Refusal::NoSuchUpload)?;
                match map.octets == u64::from(message.size) {
                    true => Ok(16 + 16 * map.chunks.len()),
                    false => Err(Refusal::NoSuchUpload),
                }
            }
        }
    }

    fn enqueue_bodies(
        &self,
        account: AccountId,
        messages: &[NewMessage],
        planned: &mut Planned,
    ) -> Result<(), Refusal> {
        for (n, message) in messages.iter().enumerate() {
            let Some(body) = planned.body(n) else {
                continue;
            };
            let body_place = match &message.body {
                NewBody::Inline(octets) => {
                    let payload = Bytes::from_owner(octets.clone());
                    self.enqueue_body(account, body, FrameKind::Body, payload)?
                }
                NewBody::Uploaded(upload) => {
                    let mut uploads = self.inner.uploads.borrow_mut();
                    let map = uploads.map(account, *upload).cloned();
                    uploads.abandon(*upload);
                    drop(uploads);
                    self.enqueue_map(account, body, &map.ok_or(Refusal::NoSuchUpload)?)?
                }
            };
            let summary = Bytes::from_owner(message.summary.clone());
            let summary_place = self.enqueue_body(account, body, FrameKind::Summary, summary)?;
            planned.set_places(n, body_place, summary_place);
        }
        Ok(())
    }

    /// A body of one chunk needs no map.
    fn enqueue_map(
        &self,
        account: AccountId,
        body: BodyId,
        map: &BodyMap,
    ) -> Result<Place, Refusal> {
        match map.chunks.as_slice() {
            [] => Err(Refusal::NoSuchUpload),
            [only] => Ok(*only),
            _ => {
                let payload = Bytes::from(map.encode());
                self.enqueue_body(account, body, FrameKind::BodyMap, payload)
            }
        }
    }

    pub(crate) fn enqueue_body(
        &self,
        account: AccountId,
        body: BodyId,
        kind: FrameKind,
        payload: Bytes,
    ) -> Result<Place, Refusal> {
        let header = FrameHeader::of(kind, account, self.inner.epoch, body.0);
        let place = self
            .inner
            .log
            .enqueue(&header, &[&payload])
            .map_err(|_| Refusal::Full)?;
        self.inner.reader.remember(
            place,
            CachedFrame {
                account,
                body,
                kind,
                payload,
            },
        );
        Ok(place)
    }

    /// Keeps the book of who has which mailbox selected.
    fn note_session(&self, states: &mut States, request: &Request, planned: &Planned) {
        match &request.operation {
            Operation::Select { session, .. } => {
                if let ReplyDraft::Selected {
                    mailbox, access, ..
                } = &planned.draft
                {
                    states.select(*mailbox, *session, *access);
                }
            }
            Operation::Deselect { mailbox, session } => states.deselect(*mailbox, *session),
            Operation::DeleteAccount => self.inner.uploads.borrow_mut().forget(request.account),
            _ => {}
        }
    }
}

/// What arrives in a mailbox that a session has selected is recent for that session alone: the
/// same frame takes it, so it can't be given twice.
fn take_recent(states: &States, planned: &mut Planned) -> Vec<(MailboxId, SessionKey)> {
    let mut taken: Vec<(MailboxId, SessionKey, Uid)> = Vec::new();
    for record in &planned.records {
        let (mailbox, count) = match record {
            Record::MessageAdded { mailbox, entry } => (*mailbox, (entry.uid.0, 1)),
            Record::Copied {
                to,
                first_uid,
                uids,
                ..
            } => {
                let copies = uids
                    .iter()
                    .map(|range| range.last.0 - range.first.0 + 1)
                    .sum();
                (*to, (first_uid.0, copies))
            }
            _ => continue,
        };
        let Some(session) = states.recent_session(mailbox) else {
            continue;
        };
        let next = Uid(count.0.saturating_add(count.1));
        match taken.iter_mut().find(|(held, _, _)| *held == mailbox) {
            Some((_, _, held)) => *held = next,
            None => taken.push((mailbox, session, next)),
        }
    }
    let records = taken
        .iter()
        .map(|(mailbox, _, first_recent)| Record::RecentTaken {
            mailbox: *mailbox,
            first_recent: *first_recent,
        });
    planned.records.extend(records);
    taken
        .into_iter()
        .map(|(mailbox, session, _)| (mailbox, session))
        .collect()
}

fn purpose(operation: &Operation) -> Purpose {
    match operation {
        Operation::CreateAccount { .. }
        | Operation::CreateMailbox { .. }
        | Operation::RenameMailbox { .. }
        | Operation::SetClass { .. }
        | Operation::Subscribe { .. }
        | Operation::UploadChunk { .. }
        | Operation::Receive(_)
        | Operation::SetCertificate { .. }
        | Operation::Append { .. } => Purpose::Growth,
        Operation::Transfer(transfer) => match transfer.kind {
            TransferKind::Copy => Purpose::Growth,
            TransferKind::Move => Purpose::Upkeep,
        },
        Operation::DeleteAccount
        | Operation::Describe
        | Operation::Usage
        | Operation::Alerts(_)
        | Operation::Status { .. }
        | Operation::DeleteMailbox { .. }
        | Operation::Unsubscribe { .. }
        | Operation::Select { .. }
        | Operation::Deselect { .. }
        | Operation::Snapshot { .. }
        | Operation::AbandonUpload { .. }
        | Operation::TakeOut(_)
        | Operation::EndMove { .. }
        | Operation::AskMove { .. }
        | Operation::ForgetMove { .. }
        | Operation::IsMoveOpen { .. }
        | Operation::ChangeAcl { .. }
        | Operation::Acl { .. }
        | Operation::MyRights { .. }
        | Operation::Certificate
        | Operation::Store(_)
        | Operation::Expunge { .. }
        | Operation::Locate { .. } => Purpose::Upkeep,
    }
}
