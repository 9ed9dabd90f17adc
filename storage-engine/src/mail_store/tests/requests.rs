//! Requests and what is left of them after a restart.

use super::super::*;
use super::harness::*;
use crate::disk::sim::{Faults, SimDisk};
use crate::ids::{BodyId, SessionKey, Uid};
use crate::recovery::Indexes;
use crate::request::{
    Access, Flags, GoneMessages, Limit, NewBody, NewMessage, Selected, Transfer, TransferKind,
    UidRange, UploadId,
};
use crate::state_limits::SNAPSHOT_OVERLAY_MAX;
use crate::view::ChangeKind;
use std::collections::BTreeMap;

#[test]
fn appended_mail_is_there_after_a_restart() {
    let disk = SimDisk::new(1);
    let before = with(&disk, &options(), async |store, told| {
        create(store, ALICE).await;
        let reply = store
            .execute(append(ALICE, vec![message("one"), message("two")]))
            .await;
        let Ok(Reply::Appended {
            uids,
            mailbox,
            change,
            ..
        }) = reply
        else {
            panic!("{reply:?}")
        };
        assert_eq!(uids, [Uid(1), Uid(2)]);
        let (key, last) = told.borrow().last().cloned().unwrap();
        assert_eq!(
            (key.mailbox, last.number),
            (mailbox, change),
            "published before it answered"
        );
        dump(store, ALICE).await
    });
    assert_eq!(before.len(), 5);
    for indexes in [Indexes::Use, Indexes::Ignore, Indexes::Use] {
        let options = Options {
            indexes,
            ..options()
        };
        let after = with(&disk.restart(), &options, async |store, _| {
            dump(store, ALICE).await
        });
        assert_eq!(after, before, "{indexes:?}");
    }
}

#[test]
fn many_clients_share_a_sync() {
    let disk = SimDisk::new(1);
    with(&disk, &options(), async |store, _| {
        create(store, ALICE).await;
        let before = store.counters().log.batches;
        let appends = (0..64).map(|n| {
            let request = append(ALICE, vec![message(&format!("mail {n}"))]);
            Box::pin(store.execute(request)) as Pin<Box<dyn Future<Output = _>>>
        });
        let replies = all(appends.collect()).await;
        assert!(replies.iter().all(Result::is_ok));
        let batches = store.counters().log.batches - before;
        assert!(batches <= 4, "{batches} batches for 64 messages");
        assert_eq!(describe(store, ALICE).await.messages, 64);
    });
}

async fn select(store: &MailStore<SimDisk>, session: SessionKey, access: Access) -> Selected {
    let name = "INBOX".into();
    let operation = Operation::Select {
        name,
        access,
        session,
    };
    match store.execute(request(ALICE, operation)).await {
        Ok(Reply::Selected(selected)) => selected,
        other => panic!("{other:?}"),
    }
}

#[test]
fn recent_reaches_one_session() {
    let disk = SimDisk::new(1);
    with(&disk, &options(), async |store, told| {
        create(store, ALICE).await;
        store
            .execute(append(ALICE, vec![message("before")]))
            .await
            .unwrap();
        let watcher = SessionKey {
            shard: 1,
            session: 9,
        };
        let first = select(store, watcher, Access::ReadOnly).await;
        assert_eq!((first.status.recent, first.first_recent), (1, Uid(1)));
        let first = select(store, SESSION, Access::ReadWrite).await;
        assert_eq!(first.first_recent, Uid(1));
        store
            .execute(append(ALICE, vec![message("while selected")]))
            .await
            .unwrap();
        let recent = |told: &Told| match &told.borrow().last().unwrap().1.kind {
            ChangeKind::Came { recent_for, .. } => *recent_for,
            other => panic!("{other:?}"),
        };
        assert_eq!(recent(&told), Some(SESSION));
        let mailbox = first.status.mailbox;
        let leave = Operation::Deselect {
            mailbox,
            session: SESSION,
        };
        store.execute(request(ALICE, leave)).await.unwrap();
        store
            .execute(append(ALICE, vec![message("after")]))
            .await
            .unwrap();
        assert_eq!(recent(&told), None);
        let again = SessionKey {
            shard: 0,
            session: 2,
        };
        let again = select(store, again, Access::ReadWrite).await;
        assert_eq!(again.first_recent, Uid(3));
    });
}

#[test]
fn large_bodies_come_in_chunks_and_are_read_in_ranges() {
    let disk = SimDisk::new(1);
    let octets: Vec<u8> = (0..150_000_u32)
        .map(|n| n.to_le_bytes()[0] ^ 0x5A)
        .collect();
    let upload = UploadId(7);
    with(&disk, &options(), async |store, _| {
        create(store, ALICE).await;
        let missing = NewMessage {
            body: NewBody::Uploaded(UploadId(9)),
            ..message("")
        };
        let refused = store.execute(append(ALICE, vec![missing])).await;
        assert_eq!(refused.unwrap_err(), Refusal::NoSuchUpload);
        send(store, &octets, upload).await.unwrap();
        send(store, &octets[..100], UploadId(8)).await.unwrap();
        let skipped = Operation::UploadChunk {
            body: UploadId(1),
            index: 1,
            bytes: [1].into(),
        };
        let refused = store.execute(request(ALICE, skipped)).await;
        assert_eq!(refused.unwrap_err(), Refusal::NoSuchUpload);
    });
    with(&disk.restart(), &options(), async |store, _| {
        let mailbox = inbox(store, ALICE).await;
        for (uid, octets) in [(1, &octets[..]), (2, &octets[..100])] {
            let uid = Uid(uid);
            let located = store
                .execute(request(ALICE, Operation::Locate { mailbox, uid }))
                .await;
            let Ok(Reply::Located {
                body, body_place, ..
            }) = located
            else {
                panic!()
            };
            let size = octets.len();
            for (from, to) in [
                (0, size),
                (10, 20),
                (65_530, 65_540),
                (0, size * 2),
                (size, size),
            ] {
                let range = u64::try_from(from).unwrap()..u64::try_from(to).unwrap();
                let read = store
                    .reader()
                    .read_body(ALICE, body, body_place, range)
                    .await
                    .unwrap();
                let expected = octets.get(from..to.min(size)).unwrap_or_default();
                assert_eq!(read, expected, "{from}..{to}");
            }
            let other = AccountId([2; 16]);
            let read = store
                .reader()
                .read_body(other, body, body_place, 0..1)
                .await;
            assert!(read.is_err(), "another account's mail");
            let read = store
                .reader()
                .read_body(ALICE, BodyId(99), body_place, 0..1)
                .await;
            assert!(read.is_err(), "another body");
        }
    });
}

#[test]
fn failed_sync_leaves_reads_and_refuses_writes() {
    let disk = SimDisk::new(1);
    with(&disk, &options(), async |store, _| {
        create(store, ALICE).await;
        store
            .execute(append(ALICE, vec![message("kept")]))
            .await
            .unwrap();
        disk.set_faults(Faults {
            fail_sync_after: Some(1),
            ..Faults::default()
        });
        let unknown = store.execute(append(ALICE, vec![message("lost")])).await;
        assert_eq!(unknown.unwrap_err(), Refusal::Unknown);
        let refused = store.execute(append(ALICE, vec![message("more")])).await;
        assert_eq!(refused.unwrap_err(), Refusal::ReadOnly);
        assert_eq!(describe(store, ALICE).await.messages, 1);
        let (name, access) = ("INBOX".to_owned(), Access::ReadWrite);
        let select = Operation::Select {
            name,
            access,
            session: SESSION,
        };
        store.execute(request(ALICE, select)).await.unwrap();
        assert!(matches!(store.health(), Health::Fenced(_)));
    });
    let after = with(&disk.restart(), &options(), async |store, _| {
        describe(store, ALICE).await.messages
    });
    assert_eq!(after, 1);
}

#[test]
fn everything_survives_with_and_without_indexes() {
    let disk = SimDisk::new(3);
    let mut before = BTreeMap::new();
    for round in 0..4 {
        let indexes = if round == 2 {
            Indexes::Ignore
        } else {
            Indexes::Use
        };
        let options = Options {
            indexes,
            ..options()
        };
        let disk = disk.restart();
        before = with(&disk, &options, async |store, _| {
            for (account, lines) in &before {
                assert_eq!(&dump(store, *account).await, lines, "round {round}");
            }
            let mut after = BTreeMap::new();
            for n in 0..8 {
                let account = AccountId([n; 16]);
                if round == 0 {
                    create(store, account).await;
                }
                for m in 0..10 {
                    let text = format!("mail {m} of round {round} {}", "x".repeat(900));
                    store
                        .execute(append(account, vec![message(&text)]))
                        .await
                        .unwrap();
                }
                let mailbox = inbox(store, account).await;
                let base = 10 * round;
                let flag = store_flag(mailbox, base + 2, base + 5, Flags::DELETED);
                store.execute(request(account, flag)).await.unwrap();
                let copy = Operation::Transfer(Transfer {
                    from: mailbox,
                    uids: vec![UidRange {
                        first: Uid(base + 1),
                        last: Uid(base + 4),
                    }],
                    to: "Archive".into(),
                    kind: if n % 2 == 0 {
                        TransferKind::Copy
                    } else {
                        TransferKind::Move
                    },
                    gone: GoneMessages::PassOver,
                    limit: Limit::default(),
                });
                store.execute(request(account, copy)).await.unwrap();
                let expunge = Operation::Expunge {
                    mailbox,
                    uids: None,
                };
                store.execute(request(account, expunge)).await.unwrap();
                after.insert(account, dump(store, account).await);
            }
            after
        });
    }
    assert!(before.values().all(|lines| lines.len() > 30));
}

#[test]
fn full_disk_refuses_mail_and_still_expunges() {
    let disk = SimDisk::new(3);
    let options = Options {
        size_max: Some(512 << 10),
        ..options()
    };
    with(&disk, &options, async |store, _| {
        create(store, ALICE).await;
        let text = "x".repeat(20_000);
        let mut count = 0;
        let refusal = loop {
            match store.execute(append(ALICE, vec![message(&text)])).await {
                Ok(_) => count += 1,
                Err(refusal) => break refusal,
            }
        };
        assert_eq!(refusal, Refusal::Full);
        assert!(count >= 8, "{count}");
        assert_eq!(store.health(), Health::Full);
        let mailbox = inbox(store, ALICE).await;
        let delete = store_flag(mailbox, 1, 1_000, Flags::DELETED);
        store.execute(request(ALICE, delete)).await.unwrap();
        let expunge = Operation::Expunge {
            mailbox,
            uids: None,
        };
        store.execute(request(ALICE, expunge)).await.unwrap();
        assert_eq!(describe(store, ALICE).await.messages, 0);
    });
}

#[test]
fn deleted_account_stays_deleted() {
    let disk = SimDisk::new(3);
    with(&disk, &options(), async |store, _| {
        create(store, ALICE).await;
        store
            .execute(append(ALICE, vec![message("gone")]))
            .await
            .unwrap();
        store
            .execute(request(ALICE, Operation::DeleteAccount))
            .await
            .unwrap();
        store
            .execute(request(ALICE, Operation::DeleteAccount))
            .await
            .unwrap();
    });
    for indexes in [Indexes::Use, Indexes::Ignore] {
        let options = Options {
            indexes,
            ..options()
        };
        with(&disk.restart(), &options, async |store, _| {
            let refused = store.execute(request(ALICE, Operation::Describe)).await;
            assert_eq!(refused.unwrap_err(), Refusal::NoSuchAccount);
            let again = Operation::CreateAccount { mailboxes: vec![] };
            let refused = store.execute(request(ALICE, again)).await;
            assert_eq!(refused.unwrap_err(), Refusal::AccountExists);
        });
    }
}

#[test]
fn accounts_leave_memory_and_come_back() {
    let disk = SimDisk::new(3);
    let options = Options {
        memory_bytes: 40_000,
        ..options()
    };
    let text = "x".repeat(2_000);
    let mut expected = BTreeMap::new();
    let accounts: Vec<AccountId> = (0..40).map(|n| AccountId([n; 16])).collect();
    with(&disk, &options, async |store, _| {
        for account in &accounts {
            create(store, *account).await;
            for _ in 0..5 {
                store
                    .execute(append(*account, vec![message(&text)]))
                    .await
                    .unwrap();
            }
            expected.insert(*account, dump(store, *account).await);
        }
        assert!(store.counters().checkpoints > 0);
        store.checkpoint().await.unwrap();
        store.evict();
        let loaded = store.counters().accounts_loaded;
        assert!(loaded < 12, "{loaded} accounts in memory");
        for account in &accounts {
            assert_eq!(dump(store, *account).await, expected[account]);
        }
    });
    with(&disk.restart(), &options, async |store, _| {
        assert_eq!(store.counters().accounts_loaded, 0);
        for account in &accounts {
            assert_eq!(dump(store, *account).await, expected[account]);
        }
    });
}

#[test]
fn folded_mailbox_is_told_to_its_watchers() {
    let disk = SimDisk::new(3);
    with(&disk, &options(), async |store, told| {
        create(store, ALICE).await;
        let (name, access) = ("INBOX".to_owned(), Access::ReadWrite);
        let select = Operation::Select {
            name,
            access,
            session: SESSION,
        };
        store.execute(request(ALICE, select)).await.unwrap();
        store
            .execute(append(ALICE, vec![message("one")]))
            .await
            .unwrap();
        store.checkpoint().await.unwrap();
        let last = told.borrow().last().cloned().unwrap().1;
        let ChangeKind::Rebased { index } = &last.kind else {
            panic!("{last:?}")
        };
        assert_eq!((index.len(), index.overlay_len()), (1, 0));
        store
            .execute(append(ALICE, vec![message("two")]))
            .await
            .unwrap();
        let next = told.borrow().last().cloned().unwrap().1;
        assert_eq!(next.number.0, last.number.0 + 1);
    });
}

/// Otherwise every SELECT of a mailbox that grew by COPY would copy all of it.
#[test]
fn a_large_overlay_becomes_pages_before_it_is_copied() {
    let disk = SimDisk::new(3);
    let filled = with(&disk, &options(), async |store, told| {
        create(store, ALICE).await;
        let session = SESSION;
        let selected = select(store, session, Access::ReadWrite).await;
        let mailbox = selected.status.mailbox;
        store
            .execute(append(ALICE, vec![message("one")]))
            .await
            .unwrap();
        let (first, last) = (Uid(1), Uid(u32::MAX));
        while describe(store, ALICE).await.messages <= SNAPSHOT_OVERLAY_MAX as u64 {
            let copy = Transfer {
                kind: TransferKind::Copy,
                from: mailbox,
                uids: vec![UidRange { first, last }],
                to: "INBOX".into(),
                gone: GoneMessages::PassOver,
                limit: Limit::default(),
            };
            let copied = store.execute(request(ALICE, Operation::Transfer(copy)));
            copied.await.unwrap();
        }
        let snapshot = Operation::Snapshot { mailbox };
        let Ok(Reply::Snapshot(taken)) = store.execute(request(ALICE, snapshot)).await else {
            panic!("no snapshot")
        };
        assert_eq!(taken.index.overlay_len(), 0);
        let last = told.borrow().last().cloned().unwrap().1;
        let ChangeKind::Rebased { index } = &last.kind else {
            panic!("{last:?}")
        };
        assert!(index.iter().eq(taken.index.iter()));
        assert_eq!(taken.change, last.number);
        dump(store, ALICE).await
    });
    for indexes in [Indexes::Use, Indexes::Ignore] {
        let options = Options {
            indexes,
            ..options()
        };
        let after = with(&disk.restart(), &options, async |store, _| {
            store.checkpoint().await.unwrap();
            dump(store, ALICE).await
        });
        assert_eq!(after, filled, "{indexes:?}");
    }
}
