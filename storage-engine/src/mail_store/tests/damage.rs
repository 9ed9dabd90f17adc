//! What a store does about reads that fail, and about damage of what checkpoints wrote.

use super::super::*;
use super::harness::*;
use crate::disk::sim::{Faults, SimDisk};
use crate::recovery::recover;
use crate::request::Flags;
use futures_lite::future::block_on;

/// Three messages in a checkpoint, a change of a flag behind it, and a crash.
fn with_a_tail(disk: &SimDisk) -> Vec<String> {
    with(disk, &options(), async |store, _| {
        create(store, ALICE).await;
        let messages = ["one", "two", "three"].map(message).to_vec();
        store.execute(append(ALICE, messages)).await.unwrap();
        store.checkpoint().await.unwrap();
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
        left
    })
}

/// A start with one failed read: it fails as a whole, or nothing is missing.
#[test]
fn a_read_that_fails_while_a_store_is_opened_loses_nothing() {
    let mut failed = 0;
    for read in 1.. {
        let disk = SimDisk::new(21);
        let left = with_a_tail(&disk);
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
