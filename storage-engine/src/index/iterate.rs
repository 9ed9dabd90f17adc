//! Walks an index in UID order: pages without what was removed, newer states, then the tail.

use super::{Entry, EntryRef, MailboxIndex};
use crate::ids::Uid;

/// Messages of a UID range, ascending. Costs a few look-ups at its start, then one step a message.
#[derive(Debug, Clone)]
pub struct EntryRefs<'a> {
    index: &'a MailboxIndex,
    last: Uid,
    page: usize,
    position: usize,
    removed: usize,
    changed: std::collections::btree_map::Range<'a, Uid, Entry>,
    next_changed: Option<(Uid, &'a Entry)>,
    tail: usize,
}

/// As [`EntryRefs`], with all that is known of each message.
#[derive(Debug, Clone)]
pub struct Entries<'a>(pub(super) EntryRefs<'a>);

impl Iterator for Entries<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        self.0.next().map(|found| found.entry())
    }
}

impl<'a> EntryRefs<'a> {
    pub(super) fn new(index: &'a MailboxIndex, first: Uid, last: Uid) -> EntryRefs<'a> {
        // An empty range is one whose walk ends at once.
        let last = if first > last { Uid(0) } else { last };
        let page = index.pages.partition_point(|slot| slot.last < first);
        let slot = index.pages.get(page).filter(|slot| slot.first < first);
        let mut changed = index.changed.range(first..);
        let next_changed = changed.next().map(|(uid, entry)| (*uid, entry));
        EntryRefs {
            index,
            last,
            page,
            position: slot.map_or(0, |slot| slot.page().position_of(first)),
            removed: index.removed.partition_point(|uid| *uid < first),
            changed,
            next_changed,
            tail: index.tail.partition_point(|entry| entry.uid < first),
        }
    }

    #[inline]
    fn next_in_pages(&mut self) -> Option<EntryRef<'a>> {
        loop {
            let slot = self.index.pages.get(self.page)?;
            if slot.first > self.last {
                return None;
            }
            let page = slot.page();
            let Some(uid) = page.uid(self.position) else {
                self.page += 1;
                self.position = 0;
                continue;
            };
            if uid > self.last {
                return None;
            }
            let at = self.position;
            self.position += 1;
            if self.index.removed.get(self.removed) == Some(&uid) {
                self.removed += 1;
                continue;
            }
            if let Some((changed, entry)) = self.next_changed
                && changed == uid
            {
                self.next_changed = self.changed.next().map(|(uid, entry)| (*uid, entry));
                return Some(EntryRef::apart(entry));
            }
            return Some(EntryRef::paged(page, at, uid));
        }
    }
}

impl<'a> Iterator for EntryRefs<'a> {
    type Item = EntryRef<'a>;

    #[inline]
    fn next(&mut self) -> Option<EntryRef<'a>> {
        if let Some(entry) = self.next_in_pages() {
            return Some(entry);
        }
        let entry = self.index.tail.get(self.tail)?;
        if entry.uid > self.last {
            return None;
        }
        self.tail += 1;
        Some(EntryRef::apart(entry))
    }
}
