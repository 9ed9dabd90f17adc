//! An account in memory: its two states, what is between them, and who has its mailboxes open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::account::AccountState;
use crate::ids::{Lsn, MailboxId, Place, SessionKey};
use crate::log::wake::Signal;
use crate::record::Record;
use crate::request::Access;

/// What is known of an account id.
pub(crate) enum Slot {
    /// On the disk only: this state frame has everything.
    Cold(Stored),
    /// Deleted; the id is refused for ever.
    Deleted { lsn: Lsn },
    /// Being read; the signal says when that has ended, well or not.
    Loading { stored: Stored, done: Rc<Signal> },
    /// In memory.
    Held(Rc<Held>),
}

/// A state frame on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stored {
    /// It holds everything up to here.
    pub lsn: Lsn,
    pub place: Place,
    /// Records behind it are lost.
    pub gap: bool,
}

/// An account in memory. Whoever works on it holds the `Rc`, and it stays.
pub(crate) struct Held {
    pub states: RefCell<States>,
    /// When it was used last, by the store's count of uses.
    pub used: Cell<u64>,
}

/// `published.lsn() <= planned.lsn()`; `in_flight` are the records between them, in order.
pub(crate) struct States {
    pub planned: AccountState,
    pub published: AccountState,
    pub in_flight: Vec<Rc<Vec<Record>>>,
    /// What the newest checkpoint wrote of it.
    pub stored: Option<Stored>,
    /// The newest restatement holds everything before it.
    pub restated: Lsn,
    /// Records are lost: nothing may be written.
    pub gap: bool,
    /// The newest records are in the log but not in here: an index page that they change is
    /// damaged. Nothing may be written, not by a checkpoint either.
    pub incomplete: bool,
    /// Sessions that have a mailbox selected, in the order they came.
    pub selected: HashMap<MailboxId, Vec<(SessionKey, Access)>>,
}

impl Held {
    pub(crate) fn new(state: AccountState, stored: Option<Stored>) -> Held {
        let states = States {
            planned: state.clone(),
            published: state,
            in_flight: Vec::new(),
            stored,
            restated: Lsn(0),
            gap: stored.is_some_and(|stored| stored.gap),
            incomplete: false,
            selected: HashMap::new(),
        };
        Held {
            states: RefCell::new(states),
            used: Cell::new(0),
        }
    }
}

impl States {
    /// Whether a checkpoint has something to write.
    pub(crate) fn is_dirty(&self) -> bool {
        self.published.lsn() > self.stored.map_or(Lsn(0), |stored| stored.lsn)
    }

    /// Whether records may be added.
    pub(crate) fn is_writable(&self) -> bool {
        !self.gap && !self.incomplete
    }

    /// Makes the planned state share what was folded or read into the published one.
    pub(crate) fn replan(&mut self) {
        let between: Vec<Rc<Vec<Record>>> = self.in_flight.clone();
        let records = between.iter().flat_map(|records| records.iter());
        self.planned.replan_from(&self.published, records);
    }

    /// The session that has the mailbox selected read-write and came first: its is what arrives.
    pub(crate) fn recent_session(&self, mailbox: MailboxId) -> Option<SessionKey> {
        let sessions = self.selected.get(&mailbox)?;
        let writer = sessions
            .iter()
            .find(|(_, access)| *access == Access::ReadWrite);
        writer.map(|(session, _)| *session)
    }

    pub(crate) fn select(&mut self, mailbox: MailboxId, session: SessionKey, access: Access) {
        self.deselect(mailbox, session);
        self.selected
            .entry(mailbox)
            .or_default()
            .push((session, access));
    }

    pub(crate) fn deselect(&mut self, mailbox: MailboxId, session: SessionKey) {
        if let Some(sessions) = self.selected.get_mut(&mailbox) {
            sessions.retain(|(held, _)| *held != session);
            if sessions.is_empty() {
                self.selected.remove(&mailbox);
            }
        }
    }
}
