//! The sessions whose connections this shard holds: who they are, and how to end them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;
use std::time::Duration;

use smallvec::SmallVec;
use storage_engine::ids::AccountId;

use crate::runtime::{Kick, Peer};
use crate::tally::Counted;

use super::bell::Bell;
use super::signal::Signal;

#[cfg(test)]
mod tests;

/// Why a session is ended from outside; it says BYE with this if it still can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// No command for the whole of the idle time-out (RFC 3501 5.4).
    Autologout,
    /// No login in time.
    LoginTimeout,
    /// The client does not read what it asked for.
    OutputStalled,
    /// The server stops.
    ServerStops,
    /// The account was deleted or disabled.
    AccountEnded,
    /// It has not been told of too many messages that went.
    FarBehind,
}

/// One session; shared by its task and the table. Lives on one shard.
pub struct SessionEntry {
    /// Number on this shard, never used again in this process.
    pub session: u64,
    /// The other end.
    pub peer: Peer,
    kick: Kick,
    account: Cell<Option<AccountId>>,
    deadline: Cell<Option<(Duration, EndReason)>>,
    first: Cell<Option<Duration>>,
    /// While it writes: until when the client must have taken it.
    writing: Cell<Option<Duration>>,
    why: Cell<Option<EndReason>>,
    /// What it selected last: the number that the engine knows it by; 0 is nothing.
    selection: Cell<u64>,
    /// Rung when alerts may wait for the account.
    pub bell: Bell,
    /// Its place among the sessions of its account, where they are bounded.
    place: RefCell<Option<Counted<AccountId>>>,
}

impl SessionEntry {
    /// Ends the session: its read returns, or its write fails if it sits in one.
    pub fn end(&self, why: EndReason) {
        if self.why.get().is_none() {
            self.why.set(Some(why));
        }
        if self.writing.get().is_some() {
            self.kick.both()
        } else {
            self.kick.reader()
        }
    }

    /// Why it is to end, if it is.
    pub fn why(&self) -> Option<EndReason> {
        self.why.get()
    }

    /// The sweeper ends the session with `why` after this moment of the runtime's clock.
    pub fn set_deadline(&self, at: Duration, why: EndReason) {
        self.deadline.set(Some((at, why)));
    }

    /// As [`SessionEntry::set_deadline`], unless such a deadline stands already.
    pub fn set_first_deadline(&self, at: Duration, why: EndReason) {
        if self.first.get().is_none() {
            self.first.set(Some(at));
        }
        self.deadline
            .set(Some((self.first.get().unwrap_or(at), why)));
    }

    /// Brackets a write, which must end by a moment; a kick meanwhile closes both directions.
    pub fn set_writing(&self, until: Option<Duration>) {
        self.writing.set(until);
    }

    /// The engine's number of what it selects; never used again, so it may stay when that is left.
    pub fn set_selection(&self, selection: u64) {
        self.selection.set(selection);
    }

    /// Holds a place until the session is gone.
    pub fn set_place(&self, place: Option<Counted<AccountId>>) {
        *self.place.borrow_mut() = place;
    }

    /// The account that has logged in, if one has.
    pub fn account(&self) -> Option<AccountId> {
        self.account.get()
    }
}

/// The table.
#[derive(Default)]
pub struct Sessions {
    next: Cell<u64>,
    live: RefCell<BTreeMap<u64, Rc<SessionEntry>>>,
    /// The sessions of each account that has logged in here.
    by_account: RefCell<HashMap<AccountId, SmallVec<[u64; 2]>>>,
    entered: Signal,
    left: Signal,
}

impl Sessions {
    /// Adds a session for a connection.
    pub fn enter(&self, peer: Peer, kick: Kick) -> Rc<SessionEntry> {
        let session = self.next_number();
        let entry = Rc::new(SessionEntry {
            session,
            peer,
            kick,
            account: Cell::new(None),
            deadline: Cell::new(None),
            first: Cell::new(None),
            writing: Cell::new(None),
            why: Cell::new(None),
            selection: Cell::new(0),
            bell: Bell::default(),
            place: RefCell::default(),
        });
        self.live.borrow_mut().insert(session, entry.clone());
        if self.len() == 1 {
            self.entered.raise();
        }
        entry
    }

    /// A number that nothing on this shard has had in this process.
    pub fn next_number(&self) -> u64 {
        let number = self.next.get() + 1;
        self.next.set(number);
        number
    }

    /// The session's task ends.
    pub fn leave(&self, session: u64) {
        let left = self.live.borrow_mut().remove(&session);
        if let Some(entry) = left {
            self.set_account(&entry, None);
            // Others may hold the entry for a while.
            entry.set_place(None);
        }
        self.left.raise();
    }

    /// Who has logged in. Must be set before the account's owner is asked to admit it.
    pub fn set_account(&self, entry: &SessionEntry, account: Option<AccountId>) {
        let mut by_account = self.by_account.borrow_mut();
        if let Some(before) = entry.account.replace(account)
            && let Some(theirs) = by_account.get_mut(&before)
        {
            theirs.retain(|session| *session != entry.session);
            if theirs.is_empty() {
                by_account.remove(&before);
            }
        }
        if let Some(account) = account {
            by_account.entry(account).or_default().push(entry.session);
        }
    }

    /// The sessions of an account.
    fn of_account(&self, account: AccountId) -> Vec<Rc<SessionEntry>> {
        let by_account = self.by_account.borrow();
        let live = self.live.borrow();
        let theirs = by_account.get(&account).into_iter().flatten();
        theirs
            .filter_map(|session| live.get(session).cloned())
            .collect()
    }

    /// Alerts may wait for an account.
    pub fn ring_account(&self, account: AccountId) {
        for entry in self.of_account(account) {
            entry.bell.ring();
        }
    }

    /// Waits until there is a session.
    pub async fn occupied(&self) {
        while self.is_empty() {
            let since = self.entered.version();
            self.entered.changed(since).await;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.live.borrow().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The next sessions after `after` in number order, for visits in bounded steps.
    pub fn after(&self, after: u64, most: usize) -> Vec<Rc<SessionEntry>> {
        let live = self.live.borrow();
        live.range(after.saturating_add(1)..)
            .take(most)
            .map(|(_, entry)| entry.clone())
            .collect()
    }

    /// Ends those past their deadline among `entries`.
    pub fn sweep(&self, entries: &[Rc<SessionEntry>], now: Duration) {
        for entry in entries {
            let write = entry.writing.get().map(|at| (at, EndReason::OutputStalled));
            if let Some((at, why)) = write.or(entry.deadline.get())
                && now >= at
            {
                entry.end(why);
            }
        }
    }

    /// Ends the session with this selection.
    pub fn end_selection(&self, selection: u64) {
        let live = self.live.borrow();
        let theirs = live.values();
        if let Some(entry) = theirs.into_iter().find(|e| e.selection.get() == selection) {
            entry.end(EndReason::FarBehind);
        }
    }

    /// Ends the sessions of an account, and returns when they are gone.
    pub async fn end_account(&self, account: AccountId) {
        loop {
            let since = self.left.version();
            let theirs = self.of_account(account);
            if theirs.is_empty() {
                return;
            }
            theirs
                .iter()
                .for_each(|entry| entry.end(EndReason::AccountEnded));
            self.left.changed(since).await;
        }
    }
}
