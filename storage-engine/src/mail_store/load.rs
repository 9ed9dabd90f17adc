//! Accounts come into memory when they are used: the table of the slice says where, and only there
//! are the accounts that nobody uses.

use std::rc::Rc;

use crate::account::AccountState;
use crate::disk::Disk;
use crate::error::ReadError;
use crate::ids::{AccountId, Lsn};
use crate::log::wake::Signal;
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, Slot, Stored};
use crate::record::Record;
use crate::recovery::slice_table::{StatePlace, TableEntry};
use crate::request::Refusal;

impl<D: Disk> MailStore<D> {
    /// The account, read from the disk if it has to be. `Ok(None)`: nothing is known of the id.
    pub(crate) async fn load(&self, account: AccountId) -> Result<Option<Rc<Held>>, Refusal> {
        loop {
            match self.look_up(account) {
                Known::Nothing => return Ok(None),
                Known::Closed => return Err(Refusal::Unreadable),
                Known::Held(held) => {
                    self.settle_moves(account, &held);
                    return Ok(Some(held));
                }
                Known::Loading(done, seen) => done.changed_since(seen).await,
                Known::Stored(mut load) => match self.read_account(account).await? {
                    Found::Nothing => return Ok(None),
                    Found::Deleted(held) => return Ok(Some(held)),
                    Found::Held(held) => load.read = Some(held),
                },
            }
        }
    }

    /// The first use of an account in memory finds the moves that were open when it came.
    fn settle_moves(&self, account: AccountId, held: &Held) {
        if held.settled.replace(true) {
            return;
        }
        let open = held.states.borrow().published.open_moves();
        if !open.is_empty() {
            self.inner.shards.settle(account, open);
        }
    }

    /// What the newest durable table says of an account that is not in memory.
    pub(crate) async fn table_entry(
        &self,
        account: AccountId,
    ) -> Result<Option<TableEntry>, Refusal> {
        let slice = account.slice();
        let newest = || self.inner.checkpoint.borrow().tables.get(&slice).copied();
        loop {
            let Some(place) = newest() else {
                return Ok(None);
            };
            match self.inner.reader.read_table(slice, place).await {
                Ok(table) => return Ok(table.get(account)),
                // A checkpoint wrote it anew, and its segment was removed meanwhile.
                Err(ReadError::Missing) if newest() != Some(place) => {}
                Err(error) => {
                    tracing::error!(?slice, %error, "slice table is unreadable");
                    self.count(|counters| counters.unreadable += 1);
                    return Err(Refusal::Unreadable);
                }
            }
        }
    }

    async fn read_account(&self, account: AccountId) -> Result<Found, Refusal> {
        let Some(entry) = self.table_entry(account).await? else {
            return Ok(Found::Nothing);
        };
        let lsn = entry.lsn;
        let floor = self.inner.changes_floor.get();
        let (place, gap) = match entry.state {
            StatePlace::At(place) => (place, false),
            StatePlace::Gap(place) => (place, true),
            StatePlace::Deleted => {
                let stored = Stored::of_deleted(lsn);
                let held = Held::new(deleted_state(lsn), Some(stored), floor);
                return Ok(Found::Deleted(Rc::new(held)));
            }
        };
        match self.read_state(account, lsn, place).await {
            Ok(state) => {
                let stored = Stored { lsn, place, gap };
                Ok(Found::Held(Rc::new(Held::new(state, Some(stored), floor))))
            }
            Err(error) => {
                tracing::error!(%account, %error, "account state is unreadable");
                self.count(|counters| counters.unreadable += 1);
                Err(Refusal::Unreadable)
            }
        }
    }

    fn look_up(&self, account: AccountId) -> Known<D> {
        let mut accounts = self.inner.accounts.borrow_mut();
        match accounts.get(&account) {
            Some(Slot::Held(held)) => {
                let uses = self.inner.uses.get() + 1;
                self.inner.uses.set(uses);
                held.used.set(uses);
                return Known::Held(held.clone());
            }
            Some(Slot::Closed(_)) => return Known::Closed,
            Some(Slot::Loading(done)) => {
                return Known::Loading(done.clone(), done.generation());
            }
            None => {}
        }
        let tables = &self.inner.checkpoint.borrow().tables;
        if !tables.contains_key(&account.slice()) {
            return Known::Nothing;
        }
        let done = Rc::new(Signal::default());
        accounts.insert(account, Slot::Loading(done.clone()));
        Known::Stored(Load {
            store: self.clone(),
            account,
            done,
            read: None,
        })
    }
}

/// What is known of an account id now.
enum Known<D: Disk> {
    Nothing,
    Closed,
    Held(Rc<Held>),
    /// Somebody reads it; wait from this generation of the signal on.
    Loading(Rc<Signal>, u64),
    /// If anything is known, the table has it; it is ours to read.
    Stored(Load<D>),
}

/// What the table led to.
enum Found {
    Nothing,
    /// A state that refuses everything; it does not stay in memory.
    Deleted(Rc<Held>),
    Held(Rc<Held>),
}

/// A load in progress. When it is dropped, done or not, whoever waits goes on.
struct Load<D: Disk> {
    store: MailStore<D>,
    account: AccountId,
    done: Rc<Signal>,
    read: Option<Rc<Held>>,
}

impl<D: Disk> Drop for Load<D> {
    fn drop(&mut self) {
        let mut accounts = self.store.inner.accounts.borrow_mut();
        match self.read.take() {
            Some(held) => accounts.insert(self.account, Slot::Held(held)),
            None => accounts.remove(&self.account),
        };
        drop(accounts);
        self.done.notify();
    }
}

/// A deleted account as its records would have left it.
fn deleted_state(lsn: Lsn) -> AccountState {
    let mut state = AccountState::default();
    state.apply(&Record::AccountDeleted);
    state.set_lsn(lsn);
    state
}
