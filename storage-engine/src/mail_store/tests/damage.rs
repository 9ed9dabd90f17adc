//! What a store does about reads that fail, and about damage of what checkpoints wrote.

use super::super::*;
use super::harness::*;
use crate::disk::sim::{Faults, SimDisk};
use crate::ids::Place;
use crate::log::{FRAME_HEADER_BYTES, segment_name};
use crate::recovery::recover;
use crate::request::Flags;
use futures_lite::future::block_on;

/// Three messages in a checkpoint, a change of a flag behind it, and a crash. What there is, and
/// the page of the messages.
fn with_a_tail(disk: &SimDisk) -> (Vec<String>, Place) {
    with(disk, &options(), async |store, _| {
        create(store, ALICE).await;
        let messages = ["one", "two", "three"].map(message).to_vec();
        store.execute(append(ALICE, messages)).await.unwrap();
        store.checkpoint().await.unwrap();
        let page = page_of(store, ALICE);
        let mailbox = inbox(store, ALICE).await;
        let flag = store_flag(mailbox, 1, 2, Flags::SEEN);
        store.execute(request(ALICE, flag)).await.unwrap();
        let left = dump(store, ALICE).await;
        let crash_after = Some(1);
        disk.set_faults(Faults {
            crash_after,
            ..Faults::default()
        });
        store
            .execute(append(ALICE, vec![message("lost")]))
            .await
            .unwrap_err();
        (left, page)
    })
}

/// A start with one failed read: it fails as a whole, or nothing is missing.
#[test]
fn a_read_that_fails_while_a_store_is_opened_loses_nothing() {
    let mut failed = 0;
    for read in 1.. {
        let disk = SimDisk::new(21);
        let (left, _) = with_a_tail(&disk);
        let disk = disk.restart();
        disk.set_faults(Faults {
            fail_read_after: Some(read),
            ..Faults::default()
        });
        let opened = block_on(async {
            let recovered = recover(&disk, 1, &options()).await.map_err(drop)?;
            let start = recovered.shards.into_iter().next().unwrap();
            let (clock, alone) = (Rc::new(TestClock), Rc::new(Alone));
            let nobody: Publish = Rc::new(|_, _| {});
            let store = MailStore::open(disk.clone(), start, options(), clock, nobody, alone);
            store.await.map(drop).map_err(drop)
        });
        let after = with(&disk.restart(), &options(), async |store, _| {
            assert_eq!(store.health(), Health::Good, "read {read}");
            dump(store, ALICE).await
        });
        assert_eq!(after, left, "read {read} failed");
        if opened.is_ok() {
            break;
        }
        failed += 1;
    }
    assert!(failed >= 4, "{failed} starts failed");
}

/// Flips a bit of the frame at a place, or flips it back.
fn flip(disk: &SimDisk, place: Place) {
    let at = usize::try_from(place.offset).unwrap() + FRAME_HEADER_BYTES;
    disk.flip(&segment_name(place.segment), at, 3);
}

/// A place of an index page of the account.
fn page_of(store: &MailStore<SimDisk>, account: AccountId) -> Place {
    let accounts = store.inner.accounts.borrow();
    let Some(Slot::Held(held)) = accounts.get(&account) else {
        panic!("not in memory")
    };
    let states = held.states.borrow();
    let ids = states.published.mailbox_ids();
    let places = ids.iter().flat_map(|id| {
        let pages = states.published.mailbox(*id).unwrap().index.pages();
        pages.iter().filter_map(|slot| slot.place)
    });
    places.last().expect("a page")
}

/// An index page rots while nobody has it in memory. The account takes no more writes, all others
/// get their checkpoints and can leave memory, and its records are replayed once the page is back.
#[test]
fn an_account_that_no_checkpoint_can_be_made_of_holds_nobody_up() {
    let disk = SimDisk::new(22);
    let bob = AccountId([2; 16]);
    let none = Options {
        memory_bytes: 0,
        ..options()
    };
    let (alice, page) = with(&disk, &none, async |store, _| {
        for account in [ALICE, bob] {
            create(store, account).await;
            let two = vec![message("one"), message("two")];
            store.execute(append(account, two)).await.unwrap();
        }
        store.checkpoint().await.unwrap();
        let page = page_of(store, ALICE);
        store.evict();
        store
            .execute(append(ALICE, vec![message("three")]))
            .await
            .unwrap();
        flip(&disk, page);
        let left_out = store.checkpoint().await.unwrap();
        assert!(left_out.accounts.contains(&ALICE));
        let refused = store.execute(append(ALICE, vec![message("four")])).await;
        assert_eq!(refused.unwrap_err(), Refusal::ReadOnly);
        assert_eq!(store.health(), Health::AccountsReadOnly(1));
        store
            .execute(append(bob, vec![message("three")]))
            .await
            .unwrap();
        let left_out = store.checkpoint().await.unwrap();
        assert_eq!(left_out.accounts.len(), 1);
        store.evict();
        assert_eq!(store.counters().accounts_loaded, 1, "bob may leave");
        assert_eq!(describe(store, bob).await.messages, 3);
        let alice = describe(store, ALICE).await;
        assert_eq!(alice.messages, 3);
        (format!("{alice:?}"), page)
    });
    flip(&disk, page);
    with(&disk.restart(), &options(), async |store, _| {
        assert_eq!(store.health(), Health::Good);
        assert_eq!(format!("{:?}", describe(store, ALICE).await), alice);
        assert_eq!(describe(store, bob).await.messages, 3);
        store
            .execute(append(ALICE, vec![message("four")]))
            .await
            .unwrap();
        let left_out = store.checkpoint().await.unwrap();
        assert!(left_out.accounts.is_empty());
    });
}

/// The page is damaged when its account's records are replayed: what lies behind is not in memory,
/// and no checkpoint may pass it, not the first one of the process either.
#[test]
fn records_that_were_not_replayed_are_not_passed() {
    let disk = SimDisk::new(24);
    let (left, page) = with_a_tail(&disk);
    let bob = AccountId([2; 16]);
    flip(&disk, page);
    for round in 0..2 {
        with(&disk.restart(), &options(), async |store, _| {
            assert_eq!(store.health(), Health::AccountsReadOnly(1), "round {round}");
            if round == 0 {
                create(store, bob).await;
            }
            let left_out = store.checkpoint().await.unwrap();
            assert!(left_out.accounts.contains(&ALICE) && left_out.accounts.len() == 1);
        });
    }
    flip(&disk, page);
    with(&disk.restart(), &options(), async |store, _| {
        assert_eq!(store.health(), Health::Good);
        assert_eq!(dump(store, ALICE).await, left);
        assert_eq!(describe(store, bob).await.messages, 0);
    });
}

/// A slice table rots: at run time its accounts stay as they are, at start they are rebuilt.
#[test]
fn a_slice_table_that_rots_loses_nothing() {
    let disk = SimDisk::new(23);
    let bob = AccountId([2; 16]);
    let (before, table) = with(&disk, &options(), async |store, _| {
        for account in [ALICE, bob] {
            create(store, account).await;
            store
                .execute(append(account, vec![message("one")]))
                .await
                .unwrap();
        }
        store.checkpoint().await.unwrap();
        let table = store.inner.checkpoint.borrow().tables[&ALICE.slice()];
        flip(&disk, table);
        store.inner.reader.forget_table(table);
        store
            .execute(append(ALICE, vec![message("two")]))
            .await
            .unwrap();
        let left_out = store.checkpoint().await.unwrap();
        assert!(left_out.slices.contains(&ALICE.slice()) && left_out.accounts.contains(&ALICE));
        let stays = store.inner.checkpoint.borrow().tables[&ALICE.slice()];
        assert_eq!(stays, table);
        (dump(store, ALICE).await, table)
    });
    for repaired in [false, true] {
        if repaired {
            flip(&disk, table);
        }
        with(&disk.restart(), &options(), async |store, _| {
            assert_eq!(store.health(), Health::Good);
            assert_eq!(dump(store, ALICE).await, before, "repaired: {repaired}");
            assert_eq!(describe(store, bob).await.messages, 1);
        });
    }
}
