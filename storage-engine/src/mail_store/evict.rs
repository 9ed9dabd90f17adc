//! Accounts leave memory when they are too many, the longest unused first. Only what a checkpoint
//! holds whole, and what nobody uses, may go.

use std::rc::Rc;

use crate::disk::Disk;
use crate::ids::AccountId;
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, Slot, States};

/// Uses between two looks at the memory: a look costs a walk over the accounts in memory.
const USES_PER_LOOK: u64 = 1_024;

/// What an account costs before its messages.
const ACCOUNT_BYTES: usize = 4_096;

/// What a message in an overlay costs: it is in both states.
const OVERLAY_BYTES: usize = 2 * 160;

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
        if bytes <= self.inner.options.memory_bytes {
            return;
        }
        held.sort_unstable();
        // A little below the budget, so that not every look has to evict.
        let target = self.inner.options.memory_bytes / 8 * 7;
        for (_, account, size) in held {
            if bytes <= target {
                return;
            }
            if self.release(account) {
                bytes = bytes.saturating_sub(size);
            }
        }
    }

    fn release(&self, account: AccountId) -> bool {
        let mut accounts = self.inner.accounts.borrow_mut();
        let Some(slot) = accounts.get_mut(&account) else {
            return false;
        };
        let Slot::Held(held) = slot else { return false };
        if !is_idle(held) || self.inner.uploads.borrow().are_of(account) {
            return false;
        }
        let states = held.states.borrow();
        let stored = states.stored.filter(|_| !states.is_dirty());
        drop(states);
        match stored {
            Some(stored) => {
                *slot = Slot::Cold(stored);
                true
            }
            None => {
                // It has to stay until the next checkpoint, but its stored pages need not.
                let mut states = held.states.borrow_mut();
                for mailbox in states.published.mailbox_ids() {
                    if let Some(index) = states.published.index_mut(mailbox) {
                        index.cool();
                    }
                }
                states.planned = states.published.clone();
                false
            }
        }
    }
}

/// Nobody works on it, waits for it or has a mailbox of it selected.
fn is_idle(held: &Rc<Held>) -> bool {
    if Rc::strong_count(held) > 1 {
        return false;
    }
    let states = held.states.borrow();
    states.in_flight.is_empty() && states.selected.is_empty()
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
