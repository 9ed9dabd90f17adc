//! The slice tables of a checkpoint: the old one of each slice with what changed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{CheckpointError, Written};
use crate::disk::Disk;
use crate::ids::{AccountId, Place, Slice};
use crate::log::{FrameHeader, FrameKind};
use crate::mail_store::MailStore;
use crate::mail_store::held::{Slot, Stored};
use crate::recovery::slice_table::{SliceTable, StatePlace, TableEntry};

/// What is new in the tables of these slices; a slice without any is written again as it is.
pub(super) type TableChanges = BTreeMap<Slice, BTreeMap<AccountId, TableEntry>>;

/// Tables in the log.
#[derive(Debug, Default)]
pub(super) struct NewTables {
    pub places: BTreeMap<Slice, Place>,
    /// Slices whose old table cannot be read: they keep it.
    pub unreadable: BTreeSet<Slice>,
}

impl<D: Disk> MailStore<D> {
    /// What the tables have to say of the accounts that changed.
    pub(super) fn table_changes(
        &self,
        dirty: &HashSet<AccountId>,
        slices: &BTreeSet<Slice>,
        written: &[Written],
    ) -> TableChanges {
        let mut changes: TableChanges = slices
            .iter()
            .map(|slice| (*slice, BTreeMap::new()))
            .collect();
        let mut change = |account: AccountId, entry| {
            let table = changes.entry(account.slice()).or_default();
            table.insert(account, entry);
        };
        for one in written {
            change(one.account, entry_of(one.stored));
        }
        let accounts = self.inner.accounts.borrow();
        for account in dirty {
            match accounts.get(account) {
                Some(Slot::Held(held)) => {
                    let states = held.states.borrow();
                    let (lsn, state) = (states.published.lsn(), StatePlace::Deleted);
                    if states.published.deleted() {
                        change(*account, TableEntry { lsn, state });
                    }
                }
                Some(Slot::Closed(stored)) => change(*account, entry_of(*stored)),
                // It left memory, so the table has it.
                Some(Slot::Loading(_)) | None => {}
            }
        }
        changes
    }

    /// Writes them, one after the other.
    pub(super) async fn write_tables(
        &self,
        changes: &TableChanges,
    ) -> Result<NewTables, CheckpointError> {
        let mut new = NewTables::default();
        for (slice, changed) in changes {
            let old = self.inner.checkpoint.borrow().tables.get(slice).copied();
            let old = match old {
                None => SliceTable::default(),
                Some(place) => match self.inner.reader.read_table(*slice, place).await {
                    Ok(table) => table,
                    Err(error) => {
                        tracing::error!(?slice, %error, "slice table is unreadable: it stays");
                        self.count(|counters| counters.unreadable += 1);
                        new.unreadable.insert(*slice);
                        continue;
                    }
                },
            };
            let place = self.write_table(*slice, &old.with(changed)).await?;
            new.places.insert(*slice, place);
        }
        Ok(new)
    }

    async fn write_table(
        &self,
        slice: Slice,
        table: &SliceTable,
    ) -> Result<Place, CheckpointError> {
        let header = FrameHeader {
            kind: FrameKind::SliceTable,
            slice,
            epoch: self.inner.epoch,
            id: 0,
            account: AccountId([0; 16]),
        };
        loop {
            let seen = self.inner.log.changed().generation();
            if let Some(place) = self.write_upkeep(&header, table.payload())? {
                self.inner.reader.remember_table(place, table);
                return Ok(place);
            }
            self.inner.log.changed().changed_since(seen).await;
        }
    }

    /// The table says it now, and a manifest names the table: what is kept of the account for that
    /// alone may go.
    pub(super) fn release_told(&self, account: AccountId, entry: TableEntry) {
        let is_over = match self.inner.accounts.borrow().get(&account) {
            Some(Slot::Held(held)) if entry.state == StatePlace::Deleted => {
                let stored = Stored::of_deleted(entry.lsn);
                if let Some(old) = held.states.borrow_mut().stored.replace(stored) {
                    self.inner.live.add(old.place, -1);
                }
                held.is_idle()
            }
            Some(Slot::Closed(_)) => true,
            Some(Slot::Held(_) | Slot::Loading(_)) | None => false,
        };
        if is_over {
            self.let_go(account);
        }
    }
}

fn entry_of(stored: Stored) -> TableEntry {
    let Stored { lsn, place, gap } = stored;
    let state = match gap {
        true => StatePlace::Gap(place),
        false => StatePlace::At(place),
    };
    TableEntry { lsn, state }
}
