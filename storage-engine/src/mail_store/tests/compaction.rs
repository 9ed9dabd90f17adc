//! Space comes back, and nothing that is needed goes with it.

use super::super::*;
use super::harness::*;
use crate::disk::sim::SimDisk;
use crate::ids::Uid;
use crate::recovery::Indexes;
use crate::request::{
    FlagNames, Flags, NewBody, NewMessage, Store, StoreAction, UidRange, UploadId,
};
use futures_lite::future::{block_on, or, yield_now, zip};
use std::collections::BTreeMap;

/// Accounts with mail of which most is expunged; returns what is left.
async fn fill_and_expunge(
    store: &MailStore<SimDisk>,
    accounts: u8,
) -> BTreeMap<AccountId, Vec<String>> {
    let mut left = BTreeMap::new();
    for n in 0..accounts {
        let account = AccountId([n; 16]);
        create(store, account).await;
        let mailbox = inbox(store, account).await;
        for m in 0..60 {
            let text = format!("{m} {}", "y".repeat(3_000));
            store
                .execute(append(account, vec![message(&text)]))
                .await
                .unwrap();
        }
        let octets: Vec<u8> = (0..140_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        for (index, chunk) in (0..).zip(octets.chunks(64 << 10)) {
            let body = UploadId(u64::from(n));
            let chunk = Operation::UploadChunk {
                body,
                index,
                bytes: chunk.into(),
            };
            store.execute(request(account, chunk)).await.unwrap();
        }
        let size = u32::try_from(octets.len()).unwrap();
        let body = NewBody::Uploaded(UploadId(u64::from(n)));
        let large = NewMessage {
            size,
            body,
            ..message("large")
        };
        store.execute(append(account, vec![large])).await.unwrap();
        let delete = store_flag(mailbox, 3, 58, Flags::DELETED);
        store.execute(request(account, delete)).await.unwrap();
        let expunge = Operation::Expunge {
            mailbox,
            uids: None,
        };
        store.execute(request(account, expunge)).await.unwrap();
        left.insert(account, dump(store, account).await);
    }
    left
}

#[test]
fn space_of_expunged_mail_comes_back() {
    let disk = SimDisk::new(11);
    let left = with(&disk, &options(), async |store, _| {
        let left = fill_and_expunge(store, 8).await;
        let before = store.counters().store_bytes;
        for _ in 0..20_000 {
            yield_now().await;
        }
        let counters = store.counters();
        assert!(counters.segments_removed >= 3, "{counters:?}");
        println!("{before} bytes before, {counters:?}");
        for (account, lines) in &left {
            assert_eq!(&dump(store, *account).await, lines, "after compaction");
        }
        left
    });
    for indexes in [Indexes::Use, Indexes::Ignore, Indexes::Use] {
        let options = Options {
            indexes,
            ..options()
        };
        with(&disk.restart(), &options, async |store, _| {
            for (account, lines) in &left {
                assert_eq!(&dump(store, *account).await, lines, "{indexes:?}");
            }
        });
    }
}

/// The chunks of large bodies were counted some time after their expunge, and what a checkpoint
/// covered by then was never counted: after a restart their segments looked full for ever.
#[test]
fn space_of_large_bodies_comes_back_after_a_restart_too() {
    let disk = SimDisk::new(13);
    let octets: Vec<u8> = (0..140_000_u32).map(|n| n.to_le_bytes()[1]).collect();
    with(&disk, &options(), async |store, _| {
        create(store, ALICE).await;
        for upload in 1..=12 {
            send(store, &octets, UploadId(upload)).await.unwrap();
        }
        let mailbox = inbox(store, ALICE).await;
        let delete = store_flag(mailbox, 2, 12, Flags::DELETED);
        store.execute(request(ALICE, delete)).await.unwrap();
        let uids = None;
        let expunge = Operation::Expunge { mailbox, uids };
        store.execute(request(ALICE, expunge)).await.unwrap();
    });
    with(&disk.restart(), &options(), async |store, _| {
        let before = store.counters().store_bytes;
        for _ in 0..20_000 {
            yield_now().await;
        }
        let after = store.counters().store_bytes;
        assert!(after < before / 2, "{before} bytes before, {after} after");
        assert_eq!(describe(store, ALICE).await.messages, 1);
    });
}

#[test]
fn full_disk_takes_mail_again_after_an_expunge() {
    let disk = SimDisk::new(12);
    let options = Options {
        size_max: Some(1_536 << 10),
        ..options()
    };
    with(&disk, &options, async |store, _| {
        create(store, ALICE).await;
        let text = "z".repeat(6_000);
        let fill = async || {
            let mut count = 0;
            loop {
                match store.execute(append(ALICE, vec![message(&text)])).await {
                    Ok(_) => count += 1,
                    Err(refusal) => {
                        assert_eq!(refusal, Refusal::Full);
                        return count;
                    }
                }
            }
        };
        let first = fill().await;
        let mailbox = inbox(store, ALICE).await;
        let delete = store_flag(mailbox, 1, first - 3, Flags::DELETED);
        store.execute(request(ALICE, delete)).await.unwrap();
        let expunge = Operation::Expunge {
            mailbox,
            uids: None,
        };
        store.execute(request(ALICE, expunge)).await.unwrap();
        for _ in 0..60_000 {
            yield_now().await;
        }
        let counters = store.counters();
        assert!(counters.segments_removed > 0, "{counters:?}");
        let second = fill().await;
        assert!(
            second > first / 3,
            "{first} at first, {second} after the expunge: {counters:?}"
        );
    });
}

#[test]
fn deleted_accounts_and_restated_ones_leave_little_behind() {
    let disk = SimDisk::new(13);
    let left = with(&disk, &options(), async |store, _| {
        create(store, ALICE).await;
        let mailbox = inbox(store, ALICE).await;
        store
            .execute(append(ALICE, vec![message("kept")]))
            .await
            .unwrap();
        for round in 0..400 {
            let action = if round % 2 == 0 {
                Flags::SEEN
            } else {
                Flags::ANSWERED
            };
            let flag = store_flag(mailbox, 1, 1, action);
            store.execute(request(ALICE, flag)).await.unwrap();
            let action = StoreAction::Replace;
            let none = Operation::Store(Store {
                mailbox,
                uids: vec![UidRange {
                    first: Uid(1),
                    last: Uid(1),
                }],
                action,
                flags: FlagNames::default(),
                unchanged_since: None,
                session: SESSION,
                silent: true,
            });
            store.execute(request(ALICE, none)).await.unwrap();
        }
        for n in 2..12 {
            let account = AccountId([n; 16]);
            create(store, account).await;
            for _ in 0..20 {
                let text = "w".repeat(4_000);
                store
                    .execute(append(account, vec![message(&text)]))
                    .await
                    .unwrap();
            }
            store
                .execute(request(account, Operation::DeleteAccount))
                .await
                .unwrap();
        }
        for _ in 0..20_000 {
            yield_now().await;
        }
        let counters = store.counters();
        assert!(counters.segments_removed >= 2, "{counters:?}");
        dump(store, ALICE).await
    });
    for indexes in [Indexes::Use, Indexes::Ignore] {
        let options = Options {
            indexes,
            ..options()
        };
        with(&disk.restart(), &options, async |store, _| {
            assert_eq!(dump(store, ALICE).await, left, "{indexes:?}");
            for n in 2..12 {
                let again = Operation::CreateAccount { mailboxes: vec![] };
                let refused = store.execute(request(AccountId([n; 16]), again)).await;
                assert_eq!(refused.unwrap_err(), Refusal::AccountExists, "{indexes:?}");
            }
        });
    }
}

/// A stop used to close the log under a compaction, and then both waited for ever.
#[test]
fn a_stop_while_compaction_is_at_work_comes_to_its_end() {
    for turns in [0, 5, 20, 60, 150, 400, 1_000] {
        let disk = SimDisk::new(14);
        let options = options();
        block_on(async {
            let (store, _) = open(&disk, &options).await;
            let ended = async {
                let left = fill_and_expunge(&store, 4).await;
                for _ in 0..turns {
                    yield_now().await;
                }
                store.shutdown().await;
                left
            };
            let loops = async {
                zip(store.run_log(), store.run_maintenance()).await;
                std::future::pending().await
            };
            let too_long = async {
                for _ in 0..400_000 {
                    yield_now().await;
                }
                panic!("no end after {turns} turns");
            };
            or(or(ended, loops), too_long).await;
        });
    }
}

/// States of accounts were not counted as needed, so a restart compacted full segments.
#[test]
fn a_store_of_which_all_is_needed_is_not_compacted_after_a_restart() {
    let disk = SimDisk::new(15);
    with(&disk, &options(), async |store, _| {
        let all_at_once = (0..250).map(|n| {
            let created = create(store, AccountId([n; 16]));
            Box::pin(created) as Pin<Box<dyn Future<Output = ()>>>
        });
        all(all_at_once.collect()).await;
    });
    with(&disk.restart(), &options(), async |store, _| {
        for _ in 0..20_000 {
            yield_now().await;
        }
        let counters = store.counters();
        assert_eq!((counters.segments_removed, counters.log.frames), (0, 0));
    });
}
