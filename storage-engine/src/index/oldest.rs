//! The oldest INTERNALDATE of a mailbox, known at any time without looking at its messages.
//!
//! A message's INTERNALDATE never changes, so only what comes and what goes matters. Each page
//! knows the oldest of its messages that are still there, also while it is cold; the index knows
//! the oldest of all. Both are worked out again only when the oldest itself goes: an expunge of
//! it costs a walk over one page and one comparison for each page, and for each message of the
//! tail, as the removal does anyway.

use super::{Entry, MailboxIndex, Page, PageSlot};
use crate::ids::Uid;

/// An INTERNALDATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InternalDate {
    /// Seconds since the Unix epoch.
    pub unix_s: i64,
    /// Its zone, minutes east of UTC.
    pub zone_min: i16,
}

/// What is known of the oldest message of a page or of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oldest {
    /// This, or nothing where there is no message.
    Known(Option<InternalDate>),
    /// Stored by a version that did not note it; known once the pages have been read.
    Unread,
}

impl Default for Oldest {
    fn default() -> Oldest {
        Oldest::Known(None)
    }
}

impl Oldest {
    /// Of two dates in UID order the older one; the first of equal ones.
    fn older(self, date: InternalDate) -> Oldest {
        match self {
            Oldest::Known(Some(held)) if held.unix_s <= date.unix_s => self,
            Oldest::Known(_) => Oldest::Known(Some(date)),
            Oldest::Unread => self,
        }
    }

    fn join(self, later: Oldest) -> Oldest {
        match (self, later) {
            (Oldest::Unread, _) | (_, Oldest::Unread) => Oldest::Unread,
            (held, Oldest::Known(None)) => held,
            (held, Oldest::Known(Some(date))) => held.older(date),
        }
    }

    pub(super) fn is_at(self, unix_s: i64) -> bool {
        matches!(self, Oldest::Known(Some(held)) if held.unix_s == unix_s)
    }

    /// Of these messages, in UID order.
    pub(super) fn of(entries: &[Entry]) -> Oldest {
        let dates = entries.iter().map(Entry::internal_date);
        dates.fold(Oldest::default(), Oldest::older)
    }

    fn of_page(page: &Page, removed: &[Uid]) -> Oldest {
        let held = (0..page.len()).filter(|at| {
            let uid = page.uid(*at);
            uid.is_some_and(|uid| removed.binary_search(&uid).is_err())
        });
        let dates = held.filter_map(|at| page.internal_date(at));
        dates.fold(Oldest::default(), |oldest, (unix_s, zone_min)| {
            oldest.older(InternalDate { unix_s, zone_min })
        })
    }
}

impl Entry {
    /// Its INTERNALDATE.
    pub fn internal_date(&self) -> InternalDate {
        InternalDate {
            unix_s: self.internal_date_s,
            zone_min: self.zone_min,
        }
    }
}

impl PageSlot {
    /// The page's bytes have come, or some of its messages went.
    fn note_oldest(&mut self, removed: &[Uid]) {
        if let Some(page) = &self.page {
            self.oldest = Oldest::of_page(page, removed);
        }
    }
}

impl MailboxIndex {
    /// The oldest INTERNALDATE; the first in UID order of equal ones.
    pub fn oldest(&self) -> Oldest {
        self.oldest
    }

    /// Notes the oldest message of each page, in the order of the pages, as it was stored.
    pub fn note_oldest<E>(
        &mut self,
        mut stored: impl FnMut() -> Result<InternalDate, E>,
    ) -> Result<(), E> {
        for slot in &mut self.pages {
            slot.oldest = Oldest::Known(Some(stored()?));
        }
        self.oldest = self.find_oldest();
        Ok(())
    }

    pub(super) fn find_oldest(&self) -> Oldest {
        let pages = self.pages.iter().map(|slot| slot.oldest);
        let in_pages = pages.fold(Oldest::default(), Oldest::join);
        let dates = self.tail.iter().map(Entry::internal_date);
        dates.fold(in_pages, Oldest::older)
    }

    pub(super) fn note_added(&mut self, entry: &Entry) {
        self.oldest = self.oldest.older(entry.internal_date());
    }

    /// Page `i` is warm: what an older version did not note is noted now.
    pub(super) fn note_warm(&mut self, i: usize) {
        if let Some(slot) = self.pages.get_mut(i)
            && slot.oldest == Oldest::Unread
        {
            slot.note_oldest(&self.removed);
            self.oldest = self.find_oldest();
        }
    }

    /// Messages of pages went (they are in `removed` by now), with these dates, in UID order.
    pub(super) fn note_removed(&mut self, gone: &[(Uid, i64)]) {
        let mut at = 0;
        let mut last = None;
        for (uid, unix_s) in gone {
            at += self
                .pages
                .get(at..)
                .unwrap_or_default()
                .partition_point(|slot| slot.last < *uid);
            if last != Some(at)
                && let Some(slot) = self.pages.get_mut(at)
                && slot.oldest.is_at(*unix_s)
            {
                slot.note_oldest(&self.removed);
                last = Some(at);
            }
        }
    }
}
