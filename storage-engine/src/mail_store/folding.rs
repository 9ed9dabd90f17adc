//! Overlays become pages: at a checkpoint, and in memory alone before a snapshot copies a large
//! one.

use std::cell::RefMut;
use std::collections::HashSet;

use crate::disk::Disk;
use crate::ids::{AccountId, MailboxId, MailboxKey, Place};
use crate::mail_store::MailStore;
use crate::mail_store::held::{Held, States};
use crate::state_limits::SNAPSHOT_OVERLAY_MAX;
use crate::view::ChangeKind;

impl<D: Disk> MailStore<D> {
    /// A snapshot shares the pages and copies the overlay: one that has grown large since the last
    /// checkpoint is made pages first, which the next checkpoint writes. The mailbox is warm.
    pub(crate) fn fold_for_snapshot(&self, account: AccountId, held: &Held, mailbox: MailboxId) {
        let mut states = held.states.borrow_mut();
        let overlaid = states.published.mailbox(mailbox);
        if overlaid.is_some_and(|one| one.index.overlay_len() > SNAPSHOT_OVERLAY_MAX) {
            let told = self.fold(&mut states, &[mailbox]);
            self.share_folded(account, held, states, told);
        }
    }

    /// Folds these mailboxes; returns those that somebody has selected.
    pub(crate) fn fold(&self, states: &mut States, mailboxes: &[MailboxId]) -> Vec<MailboxId> {
        let before = page_places(states, mailboxes);
        for mailbox in mailboxes {
            if let Some(index) = states.published.index_mut(*mailbox) {
                index.fold();
            }
        }
        let after = page_places(states, mailboxes);
        for place in before.difference(&after) {
            self.inner.live.add(*place, -1);
        }
        let selected = |mailbox: &&MailboxId| states.selected.contains_key(mailbox);
        mailboxes.iter().filter(selected).copied().collect()
    }

    /// The planned state and the views of these mailboxes get the folded pages too.
    pub(crate) fn share_folded(
        &self,
        account: AccountId,
        held: &Held,
        mut states: RefMut<'_, States>,
        told: Vec<MailboxId>,
    ) {
        states.replan();
        let rebased = told.into_iter().filter_map(|mailbox| {
            let index = states.published.mailbox(mailbox)?.index.clone();
            Some((mailbox, ChangeKind::Rebased { index }))
        });
        let changes: Vec<(MailboxId, ChangeKind)> = rebased.collect();
        drop(states);
        for (mailbox, kind) in changes {
            self.tell(held, MailboxKey { account, mailbox }, kind);
        }
    }
}

/// Stored pages of these mailboxes.
fn page_places(states: &States, mailboxes: &[MailboxId]) -> HashSet<Place> {
    let held = mailboxes
        .iter()
        .filter_map(|mailbox| states.published.mailbox(*mailbox));
    held.flat_map(|held| held.index.pages())
        .filter_map(|slot| slot.place)
        .collect()
}
