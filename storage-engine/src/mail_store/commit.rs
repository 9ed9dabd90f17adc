//! What is between the log and the published state: records in flight and the answers that wait.

use std::rc::Rc;
use std::sync::Arc;

use crate::account::ReplyDraft;
use crate::disk::{Disk, DiskError};
use crate::ids::{AccountId, Lsn, MailboxId, MailboxKey, Position, SessionKey};
use crate::log::wake::Resolver;
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, Slot, States};
use crate::record::Record;
use crate::request::{Refusal, Reply};
use crate::view::{By, Change, ChangeKind};

/// What a request comes to.
pub(crate) type Outcome = Result<Reply, Refusal>;

/// One frame of records that is not published yet, or an answer that rests on such frames.
pub(crate) struct InFlight {
    /// Durable up to here, it may be published.
    pub position: Position,
    pub account: AccountId,
    pub held: Rc<Held>,
    /// Of the frame; 0 without records.
    pub lsn: Lsn,
    pub records: Rc<Vec<Record>>,
    pub by: Option<By>,
    pub draft: Result<ReplyDraft, Refusal>,
    /// Whose `\Recent` the arrivals are.
    pub recent: Vec<(MailboxId, SessionKey)>,
    pub resolver: Resolver<Outcome>,
}

impl<D: Disk> MailStore<D> {
    pub(crate) fn push_in_flight(&self, in_flight: InFlight) {
        self.inner.in_flight.borrow_mut().push_back(in_flight);
    }

    /// Everything up to `position` is durable: publishes it in order and answers.
    pub(crate) fn publish_to(&self, position: Position) {
        loop {
            let next = {
                let mut queue = self.inner.in_flight.borrow_mut();
                match queue.front() {
                    Some(front) if front.position <= position => queue.pop_front(),
                    _ => None,
                }
            };
            match next {
                Some(next) => self.publish(next),
                None => break,
            }
        }
        self.inner.upkeep.notify();
    }

    /// A write or sync failed: what waits will not be known before recovery; the planned states
    /// go back to what is published, which reads go on from.
    pub(crate) fn fence(&self, error: &DiskError) {
        tracing::error!(%error, "the log is fenced: no writes until a restart");
        let held: Vec<Rc<Held>> = {
            let accounts = self.inner.accounts.borrow();
            let held = accounts.values().filter_map(|slot| match slot {
                Slot::Held(held) => Some(held.clone()),
                Slot::Closed(_) | Slot::Loading(_) => None,
            });
            held.collect()
        };
        for held in held {
            let mut states = held.states.borrow_mut();
            states.in_flight.clear();
            states.planned = states.published.clone();
        }
        let waiting = std::mem::take(&mut *self.inner.in_flight.borrow_mut());
        for one in waiting {
            one.resolver.resolve(Err(Refusal::Unknown));
        }
        self.inner.upkeep.notify();
    }

    fn publish(&self, in_flight: InFlight) {
        let held = in_flight.held.clone();
        let mut states = held.states.borrow_mut();
        if !in_flight.records.is_empty() {
            let (changes, alerted) = self.apply(&in_flight, &mut states);
            // The watchers may ask nothing of this account while they are told, but another
            // borrow of it must not be there when they do other things.
            drop(states);
            for (key, change) in changes {
                (self.inner.publish)(key, change);
            }
            if alerted && let Some(tell) = self.inner.alerted.borrow().clone() {
                tell(in_flight.account);
            }
            states = held.states.borrow_mut();
        }
        self.answer(in_flight, &states);
    }

    /// Applies the records to the published state and numbers the changes.
    fn apply(&self, one: &InFlight, states: &mut States) -> (Vec<(MailboxKey, Arc<Change>)>, bool) {
        let (mut changes, mut alerted) = (Vec::new(), false);
        let account = one.account;
        for record in one.records.iter() {
            let effects = states.published.apply_published(record, one.by);
            self.inner.live.note(account, record, &effects);
            alerted |= effects.alerted;
            for (mailbox, mut kind) in effects.changes {
                if let ChangeKind::Came { recent_for, .. } = &mut kind {
                    let taken = one.recent.iter().find(|(held, _)| *held == mailbox);
                    *recent_for = taken.map(|(_, session)| *session);
                }
                let key = MailboxKey { account, mailbox };
                let number = one.held.next_change(mailbox);
                changes.push((key, Arc::new(Change { number, kind })));
            }
        }
        states.published.set_lsn(one.lsn);
        if !states.in_flight.is_empty() {
            states.in_flight.remove(0);
        }
        self.inner.checkpoint.borrow_mut().note_dirty(account);
        (changes, alerted)
    }

    /// Tells the watchers of a change that no record made.
    pub(crate) fn tell(&self, held: &Held, key: MailboxKey, kind: ChangeKind) {
        let number = held.next_change(key.mailbox);
        (self.inner.publish)(key, Arc::new(Change { number, kind }));
    }

    /// Completes an answer from the published state and lets it go.
    pub(crate) fn answer(&self, one: InFlight, states: &States) {
        let change = |mailbox| one.held.change(mailbox);
        let outcome = one
            .draft
            .and_then(|draft| draft.finish(&states.published, &change));
        one.resolver.resolve(outcome);
    }
}
