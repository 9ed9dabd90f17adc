//! Accounts leave memory when they are too many, the longest unused first. Only what a checkpoint
//! holds whole, and what nobody uses, may go.

use crate::disk::Disk;
use crate::ids::AccountId;
use crate::mail_store::MailStore;
use crate::mail_store::held::{Slot, States};

/// Uses between two looks at the memory: a look costs a walk over the accounts in memory.
const USES_PER_LOOK: u64 = 1_024;

/// What an account costs before its messages.
const ACCOUNT_BYTES: usize = 4_096;

/// What a message in an overlay costs: it is in both states.
const OVERLAY_BYTES: usize = 2 * 160;

/// What came of letting an account go.
enum Release {
    Gone,
    /// Only a checkpoint can let it go.
    Dirty,
    InUse,
}

impl<D: Disk> MailStore<D> {
    /// Checkpoints, eviction and compaction, each if it is due.
    pub(crate) async fn maintain(&self) {
        let written = self.checkpoint_if_due().await;
        let looked = self.inner.looked.get();
        if written || self.inner.uses.get() >= looked + USES_PER_LOOK {
            self.inner.looked.set(self.inner.uses.get());
            self.evict();
        }
        self.compact_if_due().await;
    }

    /// Brings the accounts in memory below the budget if that is possible.
    pub(crate) fn evict(&self) {
        let mut held: Vec<(u64, AccountId, usize)> = Vec::new();
        let mut bytes = 0;
        for (account, slot) in self.inner.accounts.borrow().iter() {
            if let Slot::Held(one) = slot {
                let size = size_of(&one.states.borrow());
                bytes += size;
                held.push((one.used.get(), *account, size));
            }
        }
        let budget = self.inner.options.memory_bytes;
        self.inner.checkpoint.borrow_mut().pressing = false;
        if bytes <= budget {
            return;
        }
        held.sort_unstable();
        // A little below the budget, so that not every look has to evict.
        let target = budget / 8 * 7;
        let mut dirty = 0;
        for (_, account, size) in held {
            if bytes <= target {
                return;
            }
            match self.release(account) {
                Release::Gone => bytes = bytes.saturating_sub(size),
                Release::Dirty => dirty += size,
                Release::InUse => {}
            }
        }
        // What is in use no checkpoint lets go.
        self.inner.checkpoint.borrow_mut().pressing = dirty > budget / 4;
    }

    fn release(&self, account: AccountId) -> Release {
        let accounts = self.inner.accounts.borrow();
        let Some(Slot::Held(held)) = accounts.get(&account) else {
            return Release::InUse;
        };
        if !held.is_idle() || self.inner.uploads.borrow().are_of(account) {
            return Release::InUse;
        }
        let mut states = held.states.borrow_mut();
        if states.is_dirty() {
            // It has to stay until the next checkpoint, but its stored pages need not.
            for mailbox in states.published.mailbox_ids() {
                if let Some(index) = states.published.index_mut(mailbox) {
                    index.cool();
                }
            }
            states.planned = states.published.clone();
            return Release::Dirty;
        }
        drop(states);
        drop(accounts);
        self.let_go(account);
        Release::Gone
    }

    /// Takes an idle account out of memory. Its mailboxes' next changes get higher numbers than
    /// any that was seen, whoever saw it.
    pub(crate) fn let_go(&self, account: AccountId) {
        if let Some(Slot::Held(held)) = self.inner.accounts.borrow_mut().remove(&account) {
            let floor = self.inner.changes_floor.get().max(held.newest_change());
            self.inner.changes_floor.set(floor);
        }
    }

    /// A refused request leaves nothing of an account that does not exist.
    pub(crate) fn forget_unborn(&self, account: AccountId) {
        let unborn = match self.inner.accounts.borrow().get(&account) {
            Some(Slot::Held(held)) => held.is_idle() && held.states.borrow().is_unborn(),
            _ => false,
        };
        if unborn {
            self.let_go(account);
        }
    }
}

fn size_of(states: &States) -> usize {
    let mut bytes = ACCOUNT_BYTES;
    for mailbox in states.published.mailbox_ids() {
        let Some(mailbox) = states.published.mailbox(mailbox) else {
            continue;
        };
        bytes += 512 + mailbox.index.overlay_len() * OVERLAY_BYTES;
        for slot in mailbox.index.pages() {
            bytes += 64 + slot.page.as_ref().map_or(0, |page| page.bytes().len());
        }
    }
    bytes
}
