//! The first message without `\\Seen`, which every SELECT tells (RFC 3501 6.3.1).

use super::{MailboxIndex, PageSlot};
use crate::ids::Uid;
use crate::request::Flags;

impl MailboxIndex {
    /// The first message without `\\Seen` among those with `uid >= from`. A page that nothing
    /// touched costs one comparison, a change in the overlay one step: in a mailbox that was read
    /// to its end, nothing walks over the messages.
    pub fn first_unseen(&self, from: Uid) -> Option<Uid> {
        let start = self.pages.partition_point(|slot| slot.last < from);
        let pages = self.pages.get(start..).unwrap_or_default().iter();
        let mut unseen = pages.filter_map(|slot| self.first_unseen_in(slot, from));
        unseen.next().or_else(|| {
            let start = self.tail.partition_point(|entry| entry.uid < from);
            let mut tail = self.tail.get(start..).unwrap_or_default().iter();
            let unseen = tail.find(|entry| !entry.flags.contains(Flags::SEEN));
            unseen.map(|entry| entry.uid)
        })
    }

    fn first_unseen_in(&self, slot: &PageSlot, from: Uid) -> Option<Uid> {
        let from = from.max(slot.first);
        let page = slot.page();
        let unseen = page.unseen().filter_map(|at| page.uid(at));
        let mut as_stored = unseen.filter(|uid| {
            *uid >= from
                && !self.changed.contains_key(uid)
                && self.removed.binary_search(uid).is_err()
        });
        let mut changed = self.changed.range(from..=slot.last);
        let changed = changed.find(|(_, entry)| !entry.flags.contains(Flags::SEEN));
        let changed = changed.map(|(uid, _)| *uid);
        match (as_stored.next(), changed) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        }
    }
}
