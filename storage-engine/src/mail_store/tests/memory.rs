//! Memory follows use and not the number of accounts.

use super::super::*;
use super::harness::*;
use crate::disk::sim::SimDisk;
use crate::ids::SLICES;
use crate::recovery::{Indexes, recover};
use crate::request::NewMailbox;
use futures_lite::future::{block_on, yield_now};

/// Accounts of one slice.
fn neighbours(count: usize) -> Vec<AccountId> {
    let ids = (0_u64..).map(|n| {
        let mut id = [7; 16];
        id[..8].copy_from_slice(&n.to_le_bytes());
        AccountId(id)
    });
    let slice = ALICE.slice();
    assert!(slice.0 < SLICES);
    ids.filter(|id| id.slice() == slice).take(count).collect()
}

fn frugal() -> Options {
    Options {
        memory_bytes: 0,
        ..options()
    }
}

fn known(store: &MailStore<SimDisk>) -> usize {
    store.inner.accounts.borrow().len()
}

#[test]
fn accounts_that_nobody_uses_take_no_memory() {
    let disk = SimDisk::new(31);
    let accounts = neighbours(40);
    let (gone, alive) = accounts.split_first().unwrap();
    with(&disk, &frugal(), async |store, _| {
        for (n, account) in accounts.iter().enumerate() {
            create(store, *account).await;
            let text = format!("for {n}");
            store
                .execute(append(*account, vec![message(&text)]))
                .await
                .unwrap();
            if n % 10 == 0 {
                store.checkpoint().await.unwrap();
                store.evict();
                assert_eq!(known(store), 0, "after {n}");
            }
        }
        let delete = request(*gone, Operation::DeleteAccount);
        store.execute(delete).await.unwrap();
        assert_eq!(store.has_account(*gone).await, Ok(false));
        store.checkpoint().await.unwrap();
        store.evict();
        assert_eq!(known(store), 0);
    });
    for indexes in [Indexes::Use, Indexes::Ignore, Indexes::Use] {
        let options = Options {
            indexes,
            ..frugal()
        };
        with(&disk.restart(), &options, async |store, _| {
            if indexes == Indexes::Use {
                assert_eq!(known(store), 0, "nothing is kept of the tables");
            }
            assert_eq!(store.has_account(*gone).await, Ok(false));
            assert_eq!(store.has_account(ALICE).await, Ok(false));
            let mailboxes = Vec::new();
            let again = request(*gone, Operation::CreateAccount { mailboxes });
            store.execute(again).await.unwrap_err();
            for account in alive {
                assert_eq!(store.has_account(*account).await, Ok(true));
                assert_eq!(describe(store, *account).await.messages, 1);
            }
            store.checkpoint().await.unwrap();
            store.evict();
            // Compaction holds some for a while.
            for _ in 0..20_000 {
                if known(store) == 0 {
                    break;
                }
                yield_now().await;
                store.evict();
            }
            assert_eq!(known(store), 0, "{indexes:?}");
        });
    }
    let report = block_on(recover(&disk.restart(), 3, &options()))
        .unwrap()
        .report;
    assert_eq!(report.accounts, 40);
}

#[test]
fn a_refused_account_leaves_nothing_behind() {
    let disk = SimDisk::new(32);
    with(&disk, &frugal(), async |store, _| {
        let twice = NewMailbox {
            name: "a".repeat(5_000),
            ..NewMailbox::default()
        };
        let mailboxes = vec![twice];
        let refused = request(ALICE, Operation::CreateAccount { mailboxes });
        store.execute(refused).await.unwrap_err();
        assert_eq!(known(store), 0);
        create(store, ALICE).await;
    });
}

#[test]
fn change_numbers_never_go_back_when_accounts_leave_memory() {
    let disk = SimDisk::new(33);
    with(&disk, &frugal(), async |store, told| {
        let accounts = neighbours(4);
        for account in &accounts {
            create(store, *account).await;
        }
        let mut newest: HashMap<MailboxKey, ChangeNumber> = HashMap::new();
        for round in 0..6 {
            for account in accounts.iter().skip(round % 2) {
                let reply = store
                    .execute(append(*account, vec![message("one more")]))
                    .await;
                let Ok(Reply::Appended {
                    mailbox, change, ..
                }) = reply
                else {
                    panic!("{reply:?}")
                };
                let account = *account;
                let key = MailboxKey { account, mailbox };
                let before = newest.insert(key, change);
                assert!(
                    before.is_none_or(|before| before < change),
                    "{before:?} {change:?}"
                );
                let (last, published) = told.borrow().last().cloned().unwrap();
                assert_eq!((last, published.number), (key, change));
            }
            store.checkpoint().await.unwrap();
            store.evict();
            assert_eq!(known(store), 0);
        }
        for (key, change) in newest {
            let snapshot = Operation::Snapshot {
                mailbox: key.mailbox,
            };
            match store.execute(request(key.account, snapshot)).await {
                Ok(Reply::Snapshot(snapshot)) => assert!(snapshot.change >= change),
                other => panic!("{other:?}"),
            }
        }
    });
}
