//! Folds the overlay into new pages; pages that nothing touched stay as they are.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::mailbox_index::count;
use super::{Entry, MailboxIndex, Oldest, Page, PageSlot};
use crate::state_limits::PAGE_MESSAGES_MAX;

/// A last page with fewer messages than this is filled up by the tail instead of left behind, so
/// that mailboxes which grow by single messages don't end as a heap of tiny pages.
const PAGE_MESSAGES_FULL: u32 = 768;

impl MailboxIndex {
    /// Makes the overlay empty. Needs the touched pages (and a small last one) warm.
    pub fn fold(&mut self) {
        if self.overlay_len() == 0 {
            return;
        }
        let old = std::mem::take(&mut self.pages);
        let removed = std::mem::take(&mut self.removed);
        let changed = std::mem::take(&mut self.changed);
        let tail = std::mem::take(&mut self.tail);
        let pages = old.len();
        let mut new = Folding::default();
        for (at, slot) in old.into_iter().enumerate() {
            let from = removed.partition_point(|uid| *uid < slot.first);
            let touched = removed.get(from).is_some_and(|uid| *uid <= slot.last)
                || changed.range(slot.first..=slot.last).next().is_some();
            let filled_up = at + 1 == pages && !tail.is_empty() && slot.count < PAGE_MESSAGES_FULL;
            // What is pending is below this page, so a small rest may be joined with it.
            let joins = new.is_small();
            if touched || filled_up || joins {
                new.take_apart(&slot, removed.get(from..).unwrap_or_default(), &changed);
            } else {
                new.keep(slot);
            }
        }
        for entry in tail {
            new.push(entry);
        }
        new.flush();
        self.pages = new.pages;
        // Counted before as well, and a fold only removes.
        assert!(self.count_starts().is_some(), "more messages than UIDs");
        self.oldest = self.find_oldest();
    }
}

#[derive(Default)]
struct Folding {
    pages: Vec<PageSlot>,
    pending: Vec<Entry>,
}

impl Folding {
    fn take_apart(
        &mut self,
        slot: &PageSlot,
        removed: &[crate::ids::Uid],
        changed: &BTreeMap<crate::ids::Uid, Entry>,
    ) {
        let page = slot.page();
        let mut removed = removed.iter().peekable();
        let mut newer = changed.range(slot.first..=slot.last).peekable();
        for entry in (0..page.len()).filter_map(|at| page.entry(at)) {
            if removed.next_if(|uid| **uid == entry.uid).is_some() {
                continue;
            }
            match newer.next_if(|(uid, _)| **uid == entry.uid) {
                Some((_, newer)) => self.push(*newer),
                None => self.push(entry),
            }
        }
    }

    fn keep(&mut self, slot: PageSlot) {
        self.flush();
        self.pages.push(slot);
    }

    fn push(&mut self, entry: Entry) {
        self.pending.push(entry);
        if self.pending.len() == PAGE_MESSAGES_MAX {
            self.flush();
        }
    }

    /// Whether what is pending is too small for a page of its own.
    fn is_small(&self) -> bool {
        let half = PAGE_MESSAGES_MAX / 4;
        !self.pending.is_empty() && self.pending.len() < half
    }

    fn flush(&mut self) {
        let (Some(first), Some(last)) = (self.pending.first(), self.pending.last()) else {
            return;
        };
        let page = match Page::build(&self.pending) {
            Ok(page) => page,
            Err(error) => panic!("could not build an index page: {error}"),
        };
        self.pages.push(PageSlot {
            first: first.uid,
            last: last.uid,
            count: count(self.pending.len()),
            place: None,
            oldest: Oldest::of(&self.pending),
            page: Some(Arc::new(page)),
        });
        self.pending.clear();
    }
}
