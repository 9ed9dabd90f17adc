//! An account in memory: its two states, what is between them, and who has its mailboxes open.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::account::AccountState;
use crate::ids::{ChangeNumber, Lsn, MailboxId, Place, SessionKey};
use crate::log::wake::Signal;
use crate::record::Record;
use crate::request::Access;

/// What is known of an account that the newest durable table of its slice does not say all of.
pub(crate) enum Slot {
    /// Its state is damaged and records lie behind it: every request is refused until the next
    /// start.
    Closed(Stored),
    /// Somebody looks; the signal says when that has ended, well or not.
    Loading(Rc<Signal>),
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

impl Stored {
    /// A deleted account has no frame: the table alone says so.
    pub(crate) fn of_deleted(lsn: Lsn) -> Stored {
        let (place, gap) = (Place::NONE, false);
        Stored { lsn, place, gap }
    }
}

/// An account in memory. Whoever works on it holds the `Rc`, and it stays.
pub(crate) struct Held {
    pub states: RefCell<States>,
    /// Whether moves that were open when it came into memory were looked at.
    pub settled: Cell<bool>,
    /// When it was used last, by the store's count of uses.
    pub used: Cell<u64>,
    /// Newest change of each mailbox that changed while the account was in memory.
    changes: RefCell<HashMap<MailboxId, ChangeNumber>>,
    /// No number was given to its mailboxes above this one before that.
    floor: ChangeNumber,
}

/// `published.lsn() <= planned.lsn()`; `in_flight` are the records between them, in order.
pub(crate) struct States {
    pub planned: AccountState,
    pub published: AccountState,
    pub in_flight: Vec<Rc<Vec<Record>>>,
    /// What the newest checkpoint wrote of it; of a deleted account, that it is.
    pub stored: Option<Stored>,
    /// The newest restatement holds everything before it.
    pub restated: Lsn,
    /// Records are lost: nothing may be written.
    pub gap: bool,
    /// The newest records are in the log but not in here: an index page that they change is
    /// damaged. Nothing may be written, not by a checkpoint either.
    pub incomplete: bool,
    /// The last checkpoint could not read all of it, so the next start has to replay its records.
    pub unread: bool,
    /// Sessions that have a mailbox selected, in the order they came.
    pub selected: HashMap<MailboxId, Vec<(SessionKey, Access)>>,
}

impl Held {
    pub(crate) fn new(state: AccountState, stored: Option<Stored>, floor: ChangeNumber) -> Held {
        let states = States {
            planned: state.clone(),
            published: state,
            in_flight: Vec::new(),
            stored,
            restated: Lsn(0),
            gap: stored.is_some_and(|stored| stored.gap),
            incomplete: false,
            unread: false,
            selected: HashMap::new(),
        };
        Held {
            states: RefCell::new(states),
            settled: Cell::new(false),
            used: Cell::new(0),
            changes: RefCell::default(),
            floor,
        }
    }

    /// A mailbox's newest published change in this process.
    pub(crate) fn change(&self, mailbox: MailboxId) -> ChangeNumber {
        let changes = self.changes.borrow();
        changes.get(&mailbox).copied().unwrap_or(self.floor)
    }

    /// The number of a mailbox's next change.
    pub(crate) fn next_change(&self, mailbox: MailboxId) -> ChangeNumber {
        let mut changes = self.changes.borrow_mut();
        let number = changes.entry(mailbox).or_insert(self.floor);
        *number = ChangeNumber(number.0 + 1);
        *number
    }

    /// The highest number given to any of its mailboxes.
    pub(crate) fn newest_change(&self) -> ChangeNumber {
        let changes = self.changes.borrow();
        changes.values().copied().max().unwrap_or(self.floor)
    }

    /// Nobody works on it, waits for it or has a mailbox of it selected.
    pub(crate) fn is_idle(self: &Rc<Held>) -> bool {
        if Rc::strong_count(self) > 1 {
            return false;
        }
        let states = self.states.borrow();
        states.in_flight.is_empty() && states.selected.is_empty()
    }
}

impl States {
    /// Whether the newest checkpoint lacks something of it.
    pub(crate) fn is_dirty(&self) -> bool {
        let stored = self
            .stored
            .map_or((Lsn(0), false), |one| (one.lsn, one.gap));
        self.published.lsn() > stored.0 || self.gap != stored.1
    }

    /// Whether no record of it was ever enqueued.
    pub(crate) fn is_unborn(&self) -> bool {
        self.planned.lsn() == Lsn(0)
    }

    /// Whether records may be added.
    pub(crate) fn is_writable(&self) -> bool {
        !self.gap && !self.incomplete && !self.unread
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
