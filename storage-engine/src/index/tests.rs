//! The index against a plain ordered map.

use std::collections::BTreeMap;

use super::{Entry, MailboxIndex, Oldest, Page, PageSlot};
use crate::ids::{BodyId, ModSeq, Place, SegmentId, Uid};
use crate::request::{Flags, UidRange};
use crate::testing::Rng;

fn entry(uid: u32, salt: u64) -> Entry {
    let place = |offset| Place {
        segment: SegmentId(salt + 1),
        offset,
        len: uid,
    };
    Entry {
        uid: Uid(uid),
        mod_seq: ModSeq(salt),
        flags: Flags(salt & 31),
        internal_date_s: i64::try_from(salt % 300).unwrap() - 5,
        zone_min: i16::try_from(salt % 7).unwrap() - 90,
        saved_s: 77,
        size: uid * 3,
        body: BodyId(u64::from(uid) * 7),
        body_place: place(1),
        summary_place: place(2),
    }
}

#[test]
fn index_equals_a_plain_map_under_random_changes_and_folds() {
    for seed in 0..60 {
        run(seed);
    }
}

fn run(seed: u64) {
    let mut rng = Rng::new(seed);
    let (mut index, mut model) = (MailboxIndex::default(), BTreeMap::new());
    let mut next = 1;
    for step in 0..120 {
        match rng.below(10) {
            0..=3 => {
                for _ in 0..rng.below(if seed.is_multiple_of(3) { 900 } else { 20 }) {
                    next += 1 + u32::try_from(rng.below(3)).unwrap();
                    let entry = entry(next, rng.next_u64());
                    index.add(entry);
                    model.insert(entry.uid, entry);
                }
            }
            4 | 5 => {
                let uids = random_ranges(&mut rng, next);
                index.remove(&uids);
                for range in &uids {
                    model.retain(|uid, _| *uid < range.first || *uid > range.last);
                }
            }
            6 => {
                for _ in 0..rng.below(30) {
                    let uid = Uid(u32::try_from(rng.below(u64::from(next) + 2)).unwrap());
                    index.set_flags(uid, Flags(9), ModSeq(step));
                    index.set_places(uid, Place::NONE, Place::NONE);
                    if let Some(entry) = model.get_mut(&uid) {
                        (entry.flags, entry.mod_seq) = (Flags(9), ModSeq(step));
                        (entry.body_place, entry.summary_place) = (Place::NONE, Place::NONE);
                    }
                }
            }
            7 => {
                index.fold();
                assert_eq!(index.overlay_len(), 0);
            }
            _ => check(&index, &model, &mut rng, next, seed),
        }
    }
    check(&index, &model, &mut rng, next, seed);
    reread(&mut index);
    check(&index, &model, &mut rng, next, seed);
}

fn random_ranges(rng: &mut Rng, next: u32) -> Vec<UidRange> {
    let (mut ranges, mut from) = (Vec::new(), 1);
    for _ in 0..rng.below(8) {
        let first = from + u32::try_from(rng.below(u64::from(next))).unwrap();
        let last = first + u32::try_from(rng.below(40)).unwrap();
        let (first, last) = (Uid(first), Uid(last));
        ranges.push(UidRange { first, last });
        from = last.0 + 1;
    }
    ranges
}

fn check(index: &MailboxIndex, model: &BTreeMap<Uid, Entry>, rng: &mut Rng, next: u32, seed: u64) {
    assert_eq!(index.len() as usize, model.len(), "seed {seed}");
    assert!(index.iter().eq(model.values().copied()), "seed {seed}");
    let ordered: Vec<Uid> = model.keys().copied().collect();
    for _ in 0..40 {
        let uid = Uid(u32::try_from(rng.below(u64::from(next) + 5)).unwrap());
        assert_eq!(index.get(uid), model.get(&uid).copied(), "seed {seed}");
        let rank = ordered.partition_point(|held| *held < uid);
        assert_eq!(index.rank(uid) as usize, rank, "seed {seed} {uid:?}");
        let last = Uid(uid.0 + u32::try_from(rng.below(50)).unwrap());
        let range = model.range(uid..=last).map(|(_, entry)| *entry);
        assert!(index.range(uid, last).eq(range), "seed {seed}");
        let nth = u32::try_from(rng.below(ordered.len() as u64 + 2)).unwrap();
        let expected = ordered.get(nth as usize).copied();
        assert_eq!(index.nth(nth), expected, "seed {seed} nth {nth}");
    }
    assert_eq!(index.last_uid(), ordered.last().copied());
    let dates = model.values().map(Entry::internal_date);
    let oldest = dates.min_by_key(|date| date.unix_s);
    assert_eq!(index.oldest(), Oldest::Known(oldest), "seed {seed}");
    let unseen = model
        .values()
        .filter(|entry| !entry.flags.contains(Flags::SEEN));
    let unseen: Vec<Uid> = unseen.map(|entry| entry.uid).collect();
    let from = Uid(u32::try_from(rng.below(u64::from(next) + 5)).unwrap());
    for from in [Uid(1), from] {
        let expected = unseen.iter().copied().find(|uid| *uid >= from);
        assert_eq!(
            index.first_unseen(from),
            expected,
            "seed {seed} from {from:?}"
        );
    }
}

/// Folds, cools and warms from bytes, as a restart does.
fn reread(index: &mut MailboxIndex) {
    index.fold();
    let stored: Vec<Vec<u8>> = index
        .pages()
        .iter()
        .map(|slot| slot.page().bytes().to_vec())
        .collect();
    let slots = index.pages().iter().map(|slot| PageSlot {
        place: Some(Place::NONE),
        page: None,
        ..slot.clone()
    });
    let slots: Vec<PageSlot> = slots.collect();
    let noted = MailboxIndex::from_pages(slots.clone()).unwrap();
    assert_eq!(
        noted.oldest(),
        index.oldest(),
        "known while the pages are cold"
    );
    let slots = slots.into_iter().map(|slot| PageSlot {
        oldest: Oldest::Unread,
        ..slot
    });
    let mut cold = MailboxIndex::from_pages(slots.collect()).unwrap();
    assert_eq!(cold.len(), index.len());
    for (i, bytes) in stored.iter().enumerate() {
        assert!(cold.warm(i, Page::from_bytes(bytes).unwrap().into()));
    }
    *index = cold;
}

#[test]
fn fold_keeps_pages_that_nothing_touched() {
    let mut index = MailboxIndex::default();
    (1..=3000).for_each(|uid| index.add(entry(uid, 1)));
    index.fold();
    for i in 0..index.pages().len() {
        index.set_page_place(i, Place::NONE);
    }
    index.set_flags(Uid(1500), Flags(1), ModSeq(9));
    index.fold();
    let unwritten = index.pages().iter().filter(|slot| slot.place.is_none());
    assert_eq!(unwritten.count(), 1);
}

#[test]
fn damaged_pages_are_refused_or_stay_readable() {
    let page = Page::build(&(1..=50).map(|uid| entry(uid, 5)).collect::<Vec<_>>()).unwrap();
    let mut rng = Rng::new(1);
    for _ in 0..20_000 {
        let mut bytes = page.bytes().to_vec();
        for _ in 0..1 + rng.below(3) {
            let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
            bytes[at] = rng.next_u64() as u8;
        }
        bytes.truncate(bytes.len() - usize::try_from(rng.below(2) * rng.below(40)).unwrap());
        if let Ok(page) = Page::from_bytes(&bytes) {
            assert_eq!(
                (0..page.len()).filter_map(|at| page.entry(at)).count(),
                page.len()
            );
        }
    }
}
