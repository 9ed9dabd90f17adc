//! The storage engine on the disk that holds the build: durable appends by so many clients at
//! once, opening a store, and reading the index of a large mailbox.
//!
//! `BENCH_MESSAGES` says how many messages the opened store has.

use std::cell::Cell;
use std::future::Future;
use std::hint::black_box;
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bench::mail;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use glommio::timer::Timer;
use glommio::{LocalExecutorBuilder, Placement};
use imap_proto::response::FetchResponse;
use storage_engine::clock::Clock;
use storage_engine::disk::glommio::GlommioDisk;
use storage_engine::ids::AccountId;
use storage_engine::index::MailboxSnapshot;
use storage_engine::mail_store::{Alone, MailStore};
use storage_engine::recovery::{Indexes, Options, recover};
use storage_engine::request::{
    Actor, FlagNames, Limit, NewBody, NewMessage, Operation, Reply, Request, Target,
};
use tempfile::TempDir;

/// Octets of an appended message: what the figures of whole servers have too.
const MESSAGE_BYTES: usize = 4 << 10;
/// Clients that append at once; what waits together is one batch of the log.
const CLIENTS: [usize; 4] = [1, 8, 64, 256];
/// Messages of the store that is opened, unless `BENCH_MESSAGES` says otherwise.
const MESSAGES: usize = 50_000;
/// Accounts that they are spread over.
const ACCOUNTS: usize = 200;
/// Octets of each; opening does not read them.
const SMALL_BYTES: usize = 300;
/// Messages of the mailbox whose index is read.
const INDEXED: usize = 100_000;

type Store = MailStore<GlommioDisk>;

struct GlommioClock;

impl Clock for GlommioClock {
    fn now_s(&self) -> i64 {
        1_700_000_000
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(async move {
            Timer::new(duration).await;
        })
    }
}

/// Opens the store in `path`, does `work`, and shuts it down. Returns how long opening took.
fn with<T: Send + 'static>(
    path: &Path,
    indexes: Indexes,
    work: impl AsyncFnOnce(Store) -> T + Send + 'static,
) -> (Duration, T) {
    let path = path.to_owned();
    let options = Options {
        indexes,
        ..Options::default()
    };
    let run = move || async move {
        let disk = GlommioDisk::open(&path, 0).await.expect("directory");
        let began = Instant::now();
        let recovered = recover(&disk, 1, &options).await.expect("recovery");
        let start = recovered.shards.into_iter().next().expect("one shard");
        let publish = Rc::new(|_, _| ());
        let clock = Rc::new(GlommioClock);
        let opened = MailStore::open(disk, start, options, clock, publish, Rc::new(Alone));
        let store = opened.await.expect("store");
        let opening = began.elapsed();
        let log = glommio::spawn_local({
            let store = store.clone();
            async move { store.run_log().await }
        });
        let result = work(store.clone()).await;
        store.shutdown().await;
        log.await;
        (opening, result)
    };
    let executor = LocalExecutorBuilder::new(Placement::Unbound)
        .spawn(run)
        .expect("executor");
    executor.join().expect("no panic")
}

/// On the disk that holds the build: a directory for temporary files is often in memory.
fn directory() -> TempDir {
    TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).expect("a directory")
}

fn account(n: usize) -> AccountId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&count(n).to_le_bytes());
    AccountId(id)
}

async fn execute(store: &Store, account: AccountId, operation: Operation) -> Reply {
    let request = Request {
        account,
        actor: Actor::Owner,
        now_s: 1_700_000_000,
        operation,
    };
    store.execute(request).await.expect("no refusal")
}

fn append(octets: &Arc<[u8]>) -> Operation {
    let message = NewMessage {
        flags: FlagNames::default(),
        internal_date_s: 0,
        internal_date_zone_min: 0,
        size: u32::try_from(octets.len()).expect("small"),
        body: NewBody::Inline(octets.clone()),
        summary: Arc::from([7; 200]),
    };
    Operation::Append {
        mailbox: Target::Name("INBOX".into()),
        messages: vec![message],
        replaces: None,
        limit: Limit::default(),
    }
}

async fn create(store: &Store, accounts: usize) {
    for n in 0..accounts {
        execute(
            store,
            account(n),
            Operation::CreateAccount { mailboxes: vec![] },
        )
        .await;
    }
}

/// So many tasks append, in turn to so many accounts, until `total` messages are there.
async fn deliver(store: &Store, clients: usize, accounts: usize, total: usize, octets: &Arc<[u8]>) {
    let left = Rc::new(Cell::new(total));
    let tasks: Vec<_> = (0..clients)
        .map(|n| {
            let (store, left, octets) = (store.clone(), left.clone(), octets.clone());
            glommio::spawn_local(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    execute(&store, account(n % accounts), append(&octets)).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
}

/// Group commit: every append is durable before it is answered.
fn log_append(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append_4k_durable");
    group.sample_size(10);
    group.throughput(Throughput::Bytes(count(MESSAGE_BYTES)));
    let octets: Arc<[u8]> = Arc::from(mail::plain(1, MESSAGE_BYTES));
    for clients in CLIENTS {
        group.bench_function(format!("{clients}_clients"), |bencher| {
            bencher.iter_custom(|iterations| {
                let directory = directory();
                let octets = octets.clone();
                let total = usize::try_from(iterations).expect("few");
                let work = async move |store: Store| {
                    create(&store, clients).await;
                    let began = Instant::now();
                    deliver(&store, clients, clients, total, &octets).await;
                    began.elapsed()
                };
                with(directory.path(), Indexes::Use, work).1
            });
        });
    }
    group.finish();
}

/// From checkpoints, and from the records alone, as after a damage to the checkpoints.
fn recovery(criterion: &mut Criterion) {
    let asked = std::env::var("BENCH_MESSAGES").ok();
    let messages = asked.and_then(|text| text.parse().ok()).unwrap_or(MESSAGES);
    let directory = directory();
    let octets: Arc<[u8]> = Arc::from(vec![b'x'; SMALL_BYTES]);
    with(directory.path(), Indexes::Use, async move |store| {
        create(&store, ACCOUNTS).await;
        deliver(&store, ACCOUNTS, ACCOUNTS, messages, &octets).await;
    });
    let mut group = criterion.benchmark_group(format!("open_{messages}_messages"));
    group.sample_size(10);
    for (name, indexes) in [("checkpoint", Indexes::Use), ("records", Indexes::Ignore)] {
        group.bench_function(name, |bencher| {
            bencher.iter_custom(|iterations| {
                let open = || with(directory.path(), indexes, async |_| ()).0;
                (0..iterations).map(|_| open()).sum()
            });
        });
    }
    group.finish();
}

/// What FETCH 1:* (FLAGS) does apart from the session and the socket.
fn index_read(criterion: &mut Criterion) {
    let directory = directory();
    let octets: Arc<[u8]> = Arc::from(vec![b'x'; SMALL_BYTES]);
    let (_, snapshot) = with(directory.path(), Indexes::Use, async move |store| {
        create(&store, 1).await;
        deliver(&store, ACCOUNTS, 1, INDEXED, &octets).await;
        snapshot(&store).await
    });
    let mut group = criterion.benchmark_group("index_of_100000");
    group.throughput(Throughput::Elements(count(INDEXED)));
    group.bench_function("walk", |bencher| {
        bencher.iter(|| snapshot.index.iter().map(|entry| entry.flags.0).max());
    });
    let mut out = Vec::new();
    group.bench_function("fetch_flags_lines", |bencher| {
        bencher.iter(|| {
            out.clear();
            for (sequence, entry) in (1..).zip(snapshot.index.iter()) {
                FetchResponse::new(&mut out, sequence)
                    .uid(entry.uid.0)
                    .flags(["\\Seen"])
                    .finish();
            }
            black_box(out.len())
        });
    });
    group.finish();
}

async fn snapshot(store: &Store) -> MailboxSnapshot {
    let status = Operation::Status {
        name: "INBOX".into(),
    };
    let Reply::Status(inbox) = execute(store, account(0), status).await else {
        panic!("no status");
    };
    let wanted = Operation::Snapshot {
        mailbox: inbox.mailbox,
    };
    match execute(store, account(0), wanted).await {
        Reply::Snapshot(snapshot) => snapshot,
        other => panic!("{other:?}"),
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

criterion_group!(benches, log_append, recovery, index_read);
criterion_main!(benches);
