//! A MOVE between two accounts, on one shard and on two, with power lost at every write of it and
//! again while it is settled: each message is in one place in the end, and never in none; what was
//! acknowledged has moved.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use futures_lite::future::{block_on, or, yield_now, zip};
use storage_engine::account::OpenMove;
use storage_engine::clock::Clock;
use storage_engine::disk::sim::{Faults, SimDisk};
use storage_engine::ids::{AccountId, MailboxId, SegmentId, Uid};
use storage_engine::index::Entry;
use storage_engine::mail_store::{Answer, MailStore, Publish, Shards};
use storage_engine::moves::{self, Ask};
use storage_engine::recovery::{Options, recover};
use storage_engine::request::*;

const MESSAGES: i64 = 5;
const MOVED: std::ops::RangeInclusive<i64> = 2..=4;
const BODY: &[u8] = b"Subject: on its way\r\n\r\n";
/// More writes than a whole MOVE takes: beyond it the loop ends with one that is not cut short.
const WRITES_MAX: u64 = 200;

struct SimClock;

impl Clock for SimClock {
    fn now_s(&self) -> i64 {
        1_000
    }

    fn sleep(&self, _: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(yield_now())
    }
}

/// The other shards never compact here; what is to be settled is written down.
#[derive(Default)]
struct Noted(RefCell<Vec<(AccountId, OpenMove)>>);

impl Shards for Noted {
    fn evacuate(&self, _: SegmentId) -> Answer<bool> {
        Box::pin(std::future::ready(false))
    }

    fn forget(&self, _: SegmentId) -> Answer<()> {
        Box::pin(std::future::ready(()))
    }

    fn settle(&self, account: AccountId, open: Vec<OpenMove>) {
        let open = open.into_iter().map(|open| (account, open));
        self.0.borrow_mut().extend(open);
    }
}

/// The stores of one life.
struct Life {
    stores: Vec<MailStore<SimDisk>>,
    noted: Rc<Noted>,
}

impl Ask for Life {
    async fn ask(&self, account: AccountId, operation: Operation) -> Result<Reply, Refusal> {
        let store = &self.stores[account.slice().shard(self.stores.len())];
        store
            .execute(Request {
                account,
                actor: Actor::System,
                now_s: 1_000,
                operation,
            })
            .await
    }
}

/// Two accounts that two shards own one each.
fn accounts() -> (AccountId, AccountId) {
    let mut ids = (1..=255).map(|n| AccountId([n; 16]));
    let first = ids.next().unwrap();
    let second = ids.find(|id| id.slice().shard(2) != first.slice().shard(2));
    (first, second.unwrap())
}

/// One life of the machine; its loops run beside the work.
fn live<T>(disk: &SimDisk, shards: usize, work: impl AsyncFnOnce(&Life) -> T) -> T {
    block_on(async {
        let options = Options {
            segment_bytes: 256 << 10,
            ..Options::default()
        };
        let recovered = recover(disk, shards, &options).await.unwrap();
        let noted = Rc::new(Noted::default());
        let mut stores = Vec::new();
        for start in recovered.shards {
            let publish: Publish = Rc::new(|_, _| {});
            let (clock, others) = (Rc::new(SimClock), noted.clone());
            let opened =
                MailStore::open(disk.clone(), start, options.clone(), clock, publish, others);
            stores.push(opened.await.unwrap());
        }
        let life = Life { stores, noted };
        let logs = async {
            let run = |at: usize| {
                let store = life.stores.get(at).cloned();
                async move {
                    if let Some(store) = store {
                        store.run_log().await;
                    }
                }
            };
            zip(run(0), run(1)).await;
            std::future::pending().await
        };
        or(work(&life), logs).await
    })
}

fn message(tag: i64, body: NewBody) -> NewMessage {
    NewMessage {
        flags: FlagNames {
            system: Flags::SEEN,
            keywords: vec!["Work".to_owned()],
        },
        internal_date_s: tag,
        internal_date_zone_min: 0,
        size: u32::try_from(BODY.len()).unwrap(),
        body,
        summary: Arc::from(&b"summary"[..]),
    }
}

async fn set_up(life: &Life, from: AccountId, to: AccountId) {
    for account in [from, to] {
        let mailboxes = Vec::new();
        let made = life.ask(account, Operation::CreateAccount { mailboxes });
        made.await.unwrap();
    }
    let messages = (1..=MESSAGES).map(|tag| message(tag, NewBody::Inline(Arc::from(BODY))));
    let append = Operation::Append {
        mailbox: Target::Name("INBOX".to_owned()),
        messages: messages.collect(),
        replaces: None,
        limit: Limit::default(),
    };
    life.ask(from, append).await.unwrap();
}

/// What a session does for MOVE.
async fn move_messages(life: &Life, from: AccountId, to: AccountId) -> Result<(), Refusal> {
    let uid = |tag: i64| Uid(u32::try_from(tag).unwrap());
    let take = Operation::TakeOut(TakeOut {
        mailbox: MailboxId(1),
        uids: vec![UidRange {
            first: uid(*MOVED.start()),
            last: uid(*MOVED.end()),
        }],
        gone: GoneMessages::Refuse,
        moves_to: Some(to),
    });
    let Reply::TakenOut {
        messages, number, ..
    } = life.ask(from, take).await?
    else {
        panic!("not taken out");
    };
    let number = number.unwrap();
    // To others they are gone.
    let again = Operation::Store(Store {
        mailbox: MailboxId(1),
        uids: vec![UidRange {
            first: Uid(1),
            last: Uid(5),
        }],
        action: StoreAction::Add,
        flags: FlagNames {
            system: Flags::FLAGGED,
            keywords: Vec::new(),
        },
        unchanged_since: None,
        session: storage_engine::ids::SessionKey {
            shard: 0,
            session: 1,
        },
        silent: true,
    });
    match life.ask(from, again).await? {
        Reply::Stored { gone, .. } => assert_eq!(gone, [Uid(2), Uid(3), Uid(4)]),
        other => panic!("{other:?}"),
    }
    let mut copies = Vec::new();
    for (entry, n) in messages.iter().zip(0..) {
        let body = UploadId(n);
        let (index, bytes) = (0, Arc::from(BODY));
        let chunk = Operation::UploadChunk { body, index, bytes };
        life.ask(to, chunk).await?;
        copies.push(message(entry.internal_date_s, NewBody::Uploaded(body)));
    }
    let receive = Operation::Receive(Receive {
        mailbox: "INBOX".to_owned(),
        messages: copies,
        limit: Limit::default(),
        move_of: Some((from, number)),
    });
    life.ask(to, receive).await?;
    let taken = true;
    life.ask(from, Operation::EndMove { number, taken }).await?;
    moves::forget(life, to, from, number).await
}

/// Looks at both accounts and settles what is open.
async fn settle(life: &Life, accounts: [AccountId; 2]) {
    for account in accounts {
        let _ = life.ask(account, Operation::Describe).await;
    }
    loop {
        let Some((account, open)) = life.noted.0.borrow_mut().pop() else {
            return;
        };
        let _ = moves::settle(life, account, open).await;
    }
}

/// The messages of an account by their tags, each with its own octets.
async fn tags(life: &Life, account: AccountId) -> BTreeMap<i64, Entry> {
    let mailbox = MailboxId(1);
    let snapshot = match life.ask(account, Operation::Snapshot { mailbox }).await {
        Ok(Reply::Snapshot(snapshot)) => snapshot,
        other => panic!("{other:?}"),
    };
    let reader = life.stores[0].reader();
    let mut tags = BTreeMap::new();
    for entry in snapshot.index.iter() {
        let octets = reader
            .read_body(
                account,
                entry.body,
                entry.body_place,
                0..u64::from(entry.size),
            )
            .await;
        assert_eq!(octets.unwrap(), BODY);
        assert!(tags.insert(entry.internal_date_s, entry).is_none());
    }
    tags
}

/// One MOVE that loses power after `writes` of it, settled with `more` writes before the next loss.
/// Answers whether it ran to its end.
fn check(shards: usize, writes: u64, more: Option<u64>) -> bool {
    let (from, to) = accounts();
    let both = [from, to];
    let mut disk = SimDisk::new(writes * 31 + more.unwrap_or(0));
    live(&disk, shards, async |life| set_up(life, from, to).await);
    disk = disk.restart();
    let crash = |after| Faults {
        crash_after: Some(after),
        ..Faults::default()
    };
    let moving = disk.clone();
    let moved = live(&disk, shards, async |life| {
        moving.set_faults(crash(writes));
        move_messages(life, from, to).await
    });
    disk = disk.restart();
    if let Some(more) = more {
        // It may come up with another number of cores.
        let settling = disk.clone();
        live(&disk, 3 - shards, async |life| {
            settling.set_faults(crash(more));
            settle(life, both).await;
        });
        disk = disk.restart();
    }
    live(&disk, shards, async |life| {
        let (here, there) = (tags(life, from).await, tags(life, to).await);
        let is_somewhere = |tag| here.contains_key(&tag) || there.contains_key(&tag);
        assert!((1..=MESSAGES).all(is_somewhere), "{writes}: lost before");
        settle(life, both).await;
        let (here, there) = (tags(life, from).await, tags(life, to).await);
        for tag in 1..=MESSAGES {
            let places =
                usize::from(here.contains_key(&tag)) + usize::from(there.contains_key(&tag));
            assert_eq!(places, 1, "message {tag}, {writes} writes, then {more:?}");
            if moved.is_ok() {
                assert_eq!(there.contains_key(&tag), MOVED.contains(&tag));
            }
        }
        // All or nothing.
        let count = there.len();
        assert!(count == 0 || count == MOVED.count(), "{count} have moved");
        settle(life, both).await;
        assert!(life.noted.0.borrow().is_empty());
    });
    // Nothing is open any more.
    disk = disk.restart();
    live(&disk, shards, async |life| {
        for account in both {
            life.ask(account, Operation::Describe).await.unwrap();
        }
        let open = life.noted.0.borrow().clone();
        assert!(open.is_empty(), "{writes}, {more:?}: {open:?}");
    });
    moved.is_ok()
}

#[test]
fn a_move_that_is_cut_short_at_any_write_leaves_each_message_in_one_place() {
    for shards in [1, 2] {
        let ended = (1..WRITES_MAX).find(|writes| check(shards, *writes, None));
        let ended = ended.expect("a MOVE takes fewer writes");
        assert!(ended > 3, "the MOVE was hardly ever cut short: {ended}");
        for writes in 1..=ended {
            for more in 1..6 {
                check(shards, writes, Some(more));
            }
        }
    }
}
