//! A store on the simulated disk, its loops run beside the work, and requests in short.

use super::super::*;
use crate::disk::sim::SimDisk;
use crate::error::ReadError;
use crate::ids::{MailboxId, Place, SessionKey, Uid};
use crate::recovery::recover;
use crate::request::{
    AccountDescription, Actor, FlagNames, Flags, Limit, NewBody, NewMailbox, NewMessage, Store,
    StoreAction, Target, UidRange, UploadId,
};
use bytes::Bytes;
use futures_lite::future::{block_on, or, yield_now, zip};
use std::sync::Arc;

pub(super) const ALICE: AccountId = AccountId([1; 16]);
pub(super) const SESSION: SessionKey = SessionKey {
    shard: 0,
    session: 1,
};

/// Time goes on when nobody has anything else to do.
pub(super) struct TestClock;

impl Clock for TestClock {
    fn now_s(&self) -> i64 {
        1_700_000_000
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            for _ in 0..duration.as_millis() / 20 {
                yield_now().await;
            }
        })
    }
}

pub(super) type Told = Rc<RefCell<Vec<(MailboxKey, Arc<Change>)>>>;

pub(super) fn options() -> Options {
    Options {
        segment_bytes: 256 << 10,
        ..Options::default()
    }
}

pub(super) async fn open(disk: &SimDisk, options: &Options) -> (MailStore<SimDisk>, Told) {
    let recovered = recover(disk, 1, options).await.unwrap();
    let start = recovered.shards.into_iter().next().unwrap();
    let told: Told = Rc::default();
    let to = told.clone();
    let publish: Publish = Rc::new(move |key, change| to.borrow_mut().push((key, change)));
    let (clock, alone) = (Rc::new(TestClock), Rc::new(Alone));
    let store = MailStore::open(disk.clone(), start, options.clone(), clock, publish, alone);
    (store.await.unwrap(), told)
}

/// Opens the store, runs `work` on it, and ends it with a shutdown unless the power went.
pub(super) fn with<T>(
    disk: &SimDisk,
    options: &Options,
    work: impl AsyncFnOnce(&MailStore<SimDisk>, Told) -> T,
) -> T {
    block_on(async {
        let (store, told) = open(disk, options).await;
        let work = async {
            let result = work(&store, told).await;
            if !disk.is_off() {
                store.shutdown().await;
            }
            result
        };
        let loops = async {
            zip(store.run_log(), store.run_maintenance()).await;
            std::future::pending().await
        };
        or(work, loops).await
    })
}

pub(super) async fn all<T>(futures: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut futures: Vec<_> = futures.into_iter().map(|future| (future, None)).collect();
    std::future::poll_fn(|context| {
        let mut ready = true;
        for (future, result) in &mut futures {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    std::task::Poll::Ready(value) => *result = Some(value),
                    std::task::Poll::Pending => ready = false,
                }
            }
        }
        match ready {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    futures
        .into_iter()
        .map(|(_, result)| result.unwrap())
        .collect()
}

pub(super) fn request(account: AccountId, operation: Operation) -> Request {
    Request {
        account,
        actor: Actor::Owner,
        now_s: 1_700_000_000,
        operation,
    }
}

pub(super) async fn create(store: &MailStore<SimDisk>, account: AccountId) {
    let archive = NewMailbox {
        name: "Archive".into(),
        subscribe: true,
        ..NewMailbox::default()
    };
    let operation = Operation::CreateAccount {
        mailboxes: vec![archive],
    };
    store.execute(request(account, operation)).await.unwrap();
}

pub(super) fn message(text: &str) -> NewMessage {
    NewMessage {
        flags: FlagNames::default(),
        internal_date_s: 1_600_000_000,
        internal_date_zone_min: 60,
        size: u32::try_from(text.len()).unwrap(),
        body: NewBody::Inline(text.as_bytes().into()),
        summary: Arc::from(format!("summary of {text}").as_bytes()),
    }
}

/// Appends a large message in chunks.
pub(super) async fn send(
    store: &MailStore<SimDisk>,
    octets: &[u8],
    upload: UploadId,
) -> Result<Reply, Refusal> {
    for (index, chunk) in octets.chunks(64 << 10).enumerate() {
        let index = u32::try_from(index).unwrap();
        let chunk = Operation::UploadChunk {
            body: upload,
            index,
            bytes: chunk.into(),
        };
        store.execute(request(ALICE, chunk)).await.unwrap();
    }
    let size = u32::try_from(octets.len()).unwrap();
    let large = NewMessage {
        size,
        body: NewBody::Uploaded(upload),
        ..message("")
    };
    store.execute(append(ALICE, vec![large])).await
}

pub(super) fn append(account: AccountId, messages: Vec<NewMessage>) -> Request {
    let (mailbox, limit) = (Target::Name("INBOX".into()), Limit::default());
    request(
        account,
        Operation::Append {
            mailbox,
            messages,
            replaces: None,
            limit,
        },
    )
}

pub(super) async fn inbox(store: &MailStore<SimDisk>, account: AccountId) -> MailboxId {
    let name = "INBOX".to_owned();
    match store
        .execute(request(account, Operation::Status { name }))
        .await
        .unwrap()
    {
        Reply::Status(status) => status.mailbox,
        other => panic!("{other:?}"),
    }
}

pub(super) async fn describe(
    store: &MailStore<SimDisk>,
    account: AccountId,
) -> Arc<AccountDescription> {
    match store
        .execute(request(account, Operation::Describe))
        .await
        .unwrap()
    {
        Reply::Account(account) => account,
        other => panic!("{other:?}"),
    }
}

/// Everything that a client could see of an account, bodies included.
pub(super) async fn dump(store: &MailStore<SimDisk>, account: AccountId) -> Vec<String> {
    let description = describe(store, account).await;
    let mut lines = vec![format!("{:?}", description.subscriptions)];
    for status in &description.mailboxes {
        lines.push(format!("{status:?}"));
        let snapshot = Operation::Snapshot {
            mailbox: status.mailbox,
        };
        let snapshot = match store.execute(request(account, snapshot)).await {
            Ok(Reply::Snapshot(snapshot)) => snapshot,
            other => panic!("{other:?}"),
        };
        for entry in snapshot.index.iter() {
            let (body, summary) = read(store, account, status.mailbox, entry).await;
            let none = Place::NONE;
            let entry = crate::index::Entry {
                body_place: none,
                summary_place: none,
                ..entry
            };
            lines.push(format!("{entry:?} {body:?} {summary:?}"));
        }
    }
    lines
}

/// Body and summary; asks where they are when compaction moved them.
pub(super) async fn read(
    store: &MailStore<SimDisk>,
    account: AccountId,
    mailbox: MailboxId,
    entry: crate::index::Entry,
) -> (Bytes, Bytes) {
    let mut places = (entry.body_place, entry.summary_place);
    loop {
        let reader = store.reader();
        let whole = 0..u64::from(entry.size);
        let body = reader.read_body(account, entry.body, places.0, whole).await;
        let summary = reader.read_summary(account, entry.body, places.1).await;
        match (body, summary) {
            (Ok(body), Ok(summary)) => return (body, summary),
            (Err(ReadError::Missing), _) | (_, Err(ReadError::Missing)) => {}
            other => panic!("{other:?}"),
        }
        let locate = Operation::Locate {
            mailbox,
            uid: entry.uid,
        };
        let Ok(Reply::Located {
            body_place,
            summary_place,
            ..
        }) = store.execute(request(account, locate)).await
        else {
            panic!("{entry:?} is gone")
        };
        assert_ne!(
            places,
            (body_place, summary_place),
            "missing where it should be"
        );
        places = (body_place, summary_place);
    }
}

pub(super) fn store_flag(mailbox: MailboxId, first: u32, last: u32, flag: Flags) -> Operation {
    Operation::Store(Store {
        mailbox,
        uids: vec![UidRange {
            first: Uid(first),
            last: Uid(last),
        }],
        action: StoreAction::Add,
        flags: FlagNames {
            system: flag,
            keywords: vec!["Later".into()],
        },
        unchanged_since: None,
        session: SESSION,
        silent: false,
    })
}
