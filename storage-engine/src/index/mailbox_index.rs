//! The index proper: look-ups, ranks, and the changes that a record makes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Entries, Entry, EntryRefs, Oldest, Page};
use crate::ids::{ModSeq, Place, Uid};
use crate::request::{Flags, UidRange};

/// Messages of one mailbox in UID order.
///
/// `removed` and the keys of `changed` are messages of the pages and disjoint; the UIDs of `tail`
/// ascend and lie above those of all pages. Reading a cold page is a mistake of ours and panics:
/// the caller warms what it is going to read.
#[derive(Debug, Clone, Default)]
pub struct MailboxIndex {
    pub(super) pages: Vec<PageSlot>,
    /// Messages in the pages before page i, removed ones included.
    pub(super) starts: Vec<u32>,
    pub(super) removed: Vec<Uid>,
    pub(super) changed: BTreeMap<Uid, Entry>,
    pub(super) tail: Vec<Entry>,
    /// Of all messages: always what `find_oldest` finds.
    pub(super) oldest: Oldest,
}

/// One page, warm or cold.
#[derive(Debug, Clone)]
pub struct PageSlot {
    /// UID of its first message.
    pub first: Uid,
    /// UID of its last message.
    pub last: Uid,
    /// Messages in it, removed ones included.
    pub count: u32,
    /// Where it is stored; None = not yet.
    pub place: Option<Place>,
    /// The oldest of its messages that were not removed.
    pub oldest: Oldest,
    /// The page, unless it is cold (then `place` is Some).
    pub page: Option<Arc<Page>>,
}

impl PageSlot {
    pub(super) fn page(&self) -> &Page {
        match &self.page {
            Some(page) => page,
            None => panic!("index page was read while cold"),
        }
    }
}

impl MailboxIndex {
    /// An index over stored pages; None when they overlap or are out of order.
    pub fn from_pages(pages: Vec<PageSlot>) -> Option<MailboxIndex> {
        let mut last = Uid(0);
        for slot in &pages {
            let span = slot.last.0.checked_sub(slot.first.0)?;
            if slot.first <= last || slot.count == 0 || slot.count - 1 > span {
                return None;
            }
            last = slot.last;
        }
        let mut index = MailboxIndex {
            pages,
            ..MailboxIndex::default()
        };
        index.count_starts()?;
        index.oldest = index.find_oldest();
        Some(index)
    }

    /// Messages.
    pub fn len(&self) -> u32 {
        let in_pages = self.in_pages() - count(self.removed.len());
        in_pages + count(self.tail.len())
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The message with this UID.
    pub fn get(&self, uid: Uid) -> Option<Entry> {
        let slot = match self.slot_of(uid) {
            Some(slot) => slot,
            None => {
                let at = self.tail.binary_search_by_key(&uid, |entry| entry.uid);
                return at.ok().and_then(|at| self.tail.get(at).copied());
            }
        };
        if let Some(entry) = self.changed.get(&uid) {
            return Some(*entry);
        }
        if uid < slot.first || self.removed.binary_search(&uid).is_ok() {
            return None;
        }
        let page = slot.page();
        page.entry(page.position_of(uid))
            .filter(|entry| entry.uid == uid)
    }

    /// Number of messages with a smaller UID.
    pub fn rank(&self, uid: Uid) -> u32 {
        let at = self.pages.partition_point(|slot| slot.last < uid);
        let Some((slot, start)) = self.pages.get(at).zip(self.starts.get(at)) else {
            let in_tail = self.tail.partition_point(|entry| entry.uid < uid);
            return self.in_pages() - count(self.removed.len()) + count(in_tail);
        };
        let within = if uid <= slot.first {
            0
        } else {
            count(slot.page().position_of(uid))
        };
        start + within - self.removed_below(uid)
    }

    /// Message number `rank + 1` in UID order.
    pub fn nth(&self, rank: u32) -> Option<Uid> {
        let live_in_pages = self.in_pages() - count(self.removed.len());
        if rank >= live_in_pages {
            let at = usize::try_from(rank - live_in_pages).ok()?;
            return self.tail.get(at).map(|entry| entry.uid);
        }
        // The last page before which there are at most `rank` messages.
        let at = self.partition_pages(rank);
        let slot = self.pages.get(at)?;
        let page = slot.page();
        let start = *self.starts.get(at)?;
        // The first position p such that p + 1 messages up to it, removed ones apart, exceed rank.
        let (mut low, mut high) = (0, page.len());
        while low < high {
            let middle = (low + high) / 2;
            let uid = page.uid(middle)?;
            let removed = self.removed.partition_point(|removed| *removed <= uid);
            let live_through = start + count(middle) + 1 - count(removed);
            if live_through > rank {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        page.uid(low)
    }

    /// Messages with `first <= uid <= last`, ascending.
    pub fn range(&self, first: Uid, last: Uid) -> Entries<'_> {
        Entries(self.refs(first, last))
    }

    /// As [`MailboxIndex::range`], for who wants little of each message.
    pub fn refs(&self, first: Uid, last: Uid) -> EntryRefs<'_> {
        EntryRefs::new(self, first, last)
    }

    /// All messages, ascending.
    pub fn iter(&self) -> Entries<'_> {
        self.range(Uid(1), Uid(u32::MAX))
    }

    /// The last message's UID.
    pub fn last_uid(&self) -> Option<Uid> {
        self.len().checked_sub(1).and_then(|rank| self.nth(rank))
    }

    /// A message came; its UID lies above all that came before.
    pub fn add(&mut self, entry: Entry) {
        let highest = self.tail.last().map(|entry| entry.uid);
        let highest = highest.or(self.pages.last().map(|slot| slot.last));
        assert!(highest < Some(entry.uid), "a UID did not ascend");
        self.note_added(&entry);
        self.tail.push(entry);
    }

    /// Puts a newer state of a message in the place of the one with its UID, if it is here.
    pub fn replace(&mut self, entry: Entry) {
        if self.slot_of(entry.uid).is_none() {
            let at = self.tail.binary_search_by_key(&entry.uid, |held| held.uid);
            if let Some(held) = at.ok().and_then(|at| self.tail.get_mut(at)) {
                *held = entry;
            }
        } else if let Some(held) = self.changed.get_mut(&entry.uid) {
            *held = entry;
        } else if self.get(entry.uid).is_some() {
            self.changed.insert(entry.uid, entry);
        }
    }

    /// Flags of one message changed.
    pub fn set_flags(&mut self, uid: Uid, flags: Flags, mod_seq: ModSeq) {
        if let Some(entry) = self.get(uid) {
            self.replace(Entry {
                flags,
                mod_seq,
                ..entry
            });
        }
    }

    /// The frames of one message moved.
    pub fn set_places(&mut self, uid: Uid, body_place: Place, summary_place: Place) {
        if let Some(entry) = self.get(uid) {
            self.replace(Entry {
                body_place,
                summary_place,
                ..entry
            });
        }
    }

    /// Messages went; UIDs that are not here are passed over. `uids` ascends.
    pub fn remove(&mut self, uids: &[UidRange]) {
        let page_end = self.pages.last().map_or(Uid(0), |slot| slot.last);
        let mut gone: Vec<(Uid, i64)> = Vec::new();
        for range in uids {
            if range.first <= page_end {
                let going = self.refs(range.first, range.last.min(page_end));
                gone.extend(going.map(|entry| (entry.uid(), entry.internal_date().0)));
            }
        }
        let mut was_oldest = gone.iter().any(|(_, date)| self.oldest.is_at(*date));
        for (uid, _) in &gone {
            self.changed.remove(uid);
        }
        merge(&mut self.removed, gone.iter().map(|(uid, _)| *uid));
        self.note_removed(&gone);
        if uids.last().is_some_and(|range| range.last > page_end) {
            let mut rest = uids.iter().peekable();
            let oldest = self.oldest;
            self.tail.retain(|entry| {
                while rest.next_if(|range| range.last < entry.uid).is_some() {}
                let stays = rest.peek().is_none_or(|range| entry.uid < range.first);
                was_oldest |= !stays && oldest.is_at(entry.internal_date_s);
                stays
            });
        }
        if was_oldest {
            self.oldest = self.find_oldest();
        }
    }

    /// Messages in the overlay: what a fold would write into pages.
    pub fn overlay_len(&self) -> usize {
        self.removed.len() + self.changed.len() + self.tail.len()
    }

    /// The pages.
    pub fn pages(&self) -> &[PageSlot] {
        &self.pages
    }

    /// Page `i` has been stored here.
    pub fn set_page_place(&mut self, i: usize, place: Place) {
        if let Some(slot) = self.pages.get_mut(i) {
            slot.place = Some(place);
        }
    }

    /// Whether some page is cold.
    pub fn cold(&self) -> bool {
        self.pages.iter().any(|slot| slot.page.is_none())
    }

    /// The bytes of page `i` were read. A page that is not the one expected is refused: false.
    pub fn warm(&mut self, i: usize, page: Arc<Page>) -> bool {
        let Some(slot) = self.pages.get_mut(i) else {
            return false;
        };
        let last = page.len().checked_sub(1).and_then(|at| page.uid(at));
        let fits = count(page.len()) == slot.count
            && page.uid(0) == Some(slot.first)
            && last == Some(slot.last);
        if fits {
            slot.page = Some(page);
            self.note_warm(i);
        }
        fits
    }

    /// Forgets the bytes of all pages that are stored.
    pub fn cool(&mut self) {
        for slot in &mut self.pages {
            if slot.place.is_some() {
                slot.page = None;
            }
        }
    }

    /// The page whose UIDs may include this one: the first that does not end before it.
    fn slot_of(&self, uid: Uid) -> Option<&PageSlot> {
        let at = self.pages.partition_point(|slot| slot.last < uid);
        self.pages.get(at)
    }

    fn removed_below(&self, uid: Uid) -> u32 {
        count(self.removed.partition_point(|removed| *removed < uid))
    }

    /// The last page before which there are at most `rank` live messages.
    fn partition_pages(&self, rank: u32) -> usize {
        let (mut low, mut high) = (0, self.pages.len());
        while low < high {
            let middle = (low + high) / 2;
            let slot = self.pages.get(middle).zip(self.starts.get(middle));
            let live_before =
                slot.map_or(0, |(slot, start)| start - self.removed_below(slot.first));
            if live_before <= rank {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        // Pages that hold removed messages only share a start: the last of them is the one.
        low.saturating_sub(1)
    }

    pub(super) fn in_pages(&self) -> u32 {
        let last = self.pages.last().zip(self.starts.last());
        last.map_or(0, |(slot, start)| start + slot.count)
    }

    pub(super) fn count_starts(&mut self) -> Option<()> {
        self.starts.clear();
        let mut start = 0u32;
        for slot in &self.pages {
            self.starts.push(start);
            start = start.checked_add(slot.count)?;
        }
        Some(())
    }
}

/// UIDs are 32 bits, so no count of messages is larger.
pub(super) fn count(len: usize) -> u32 {
    match u32::try_from(len) {
        Ok(len) => len,
        Err(_) => panic!("more messages than UIDs"),
    }
}

/// Merges two ascending, disjoint lists.
fn merge(into: &mut Vec<Uid>, from: impl ExactSizeIterator<Item = Uid>) {
    let mut from = from.peekable();
    let Some(first) = from.peek() else { return };
    let at = into.partition_point(|uid| uid < first);
    let above = into.split_off(at);
    into.reserve(above.len() + from.len());
    let mut above = above.into_iter().peekable();
    for uid in from {
        while let Some(lower) = above.next_if(|held| *held < uid) {
            into.push(lower);
        }
        into.push(uid);
    }
    into.extend(above);
}
