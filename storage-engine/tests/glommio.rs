//! The engine on a real directory: the same requests as on the simulated disk, through io_uring.

use std::cell::Cell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use glommio::timer::Timer;
use glommio::{LocalExecutorBuilder, Placement};
use storage_engine::clock::Clock;
use storage_engine::disk::glommio::GlommioDisk;
use storage_engine::ids::AccountId;
use storage_engine::mail_store::{Alone, MailStore};
use storage_engine::recovery::{Indexes, Options, recover};
use storage_engine::request::{
    Actor, FlagNames, Limit, NewBody, NewMessage, Operation, Reply, Request, Target,
};

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

type Store = MailStore<GlommioDisk>;

struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Directory {
        let path = std::env::temp_dir().join(format!("engine-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn with<T: Send + 'static>(
    path: &Path,
    options: Options,
    work: impl AsyncFnOnce(Store) -> T + Send + 'static,
) -> T {
    let path = path.to_owned();
    let run = move || async move {
        let disk = GlommioDisk::open(&path, 0).await.unwrap();
        let began = Instant::now();
        let recovered = recover(&disk, 1, &options).await.unwrap();
        let report = recovered.report.to_string();
        let start = recovered.shards.into_iter().next().unwrap();
        let publish = Rc::new(|_, _| ());
        let clock = Rc::new(GlommioClock);
        let opened = MailStore::open(disk, start, options, clock, publish, Rc::new(Alone));
        let store = opened.await.unwrap();
        println!("opened in {:?}: {report}", began.elapsed());
        let log = glommio::spawn_local({
            let store = store.clone();
            async move { store.run_log().await }
        });
        let maintenance = glommio::spawn_local({
            let store = store.clone();
            async move { store.run_maintenance().await }
        });
        let result = work(store.clone()).await;
        store.shutdown().await;
        log.await;
        maintenance.await;
        result
    };
    LocalExecutorBuilder::new(Placement::Unbound)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap()
}

fn account(n: usize) -> AccountId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&u64::try_from(n).unwrap().to_le_bytes());
    AccountId(id)
}

fn request(account: AccountId, operation: Operation) -> Request {
    Request {
        account,
        actor: Actor::Owner,
        now_s: 1_700_000_000,
        operation,
    }
}

fn append(account: AccountId, octets: &Arc<[u8]>) -> Request {
    let message = NewMessage {
        flags: FlagNames::default(),
        internal_date_s: 0,
        internal_date_zone_min: 0,
        size: u32::try_from(octets.len()).unwrap(),
        body: NewBody::Inline(octets.clone()),
        summary: Arc::from([7; 200]),
    };
    let (mailbox, limit) = (Target::Name("INBOX".into()), Limit::default());
    request(
        account,
        Operation::Append {
            mailbox,
            messages: vec![message],
            replaces: None,
            limit,
        },
    )
}

async fn messages(store: &Store, account: AccountId) -> u64 {
    match store
        .execute(request(account, Operation::Describe))
        .await
        .unwrap()
    {
        Reply::Account(description) => description.messages,
        other => panic!("{other:?}"),
    }
}

/// `clients` tasks append to their accounts until `total` messages are there.
async fn deliver(store: &Store, clients: usize, total: usize, octets: &Arc<[u8]>) {
    for n in 0..clients {
        let create = Operation::CreateAccount { mailboxes: vec![] };
        store.execute(request(account(n), create)).await.unwrap();
    }
    let left = Rc::new(Cell::new(total));
    let began = Instant::now();
    let tasks: Vec<_> = (0..clients)
        .map(|n| {
            let (store, left, octets) = (store.clone(), left.clone(), octets.clone());
            glommio::spawn_local(async move {
                while left.get() > 0 {
                    left.set(left.get() - 1);
                    store.execute(append(account(n), &octets)).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await;
    }
    let counters = store.counters();
    println!(
        "{total} messages of {} octets by {clients} clients in {:?}, {:?}",
        octets.len(),
        began.elapsed(),
        counters,
    );
}

#[test]
fn mail_survives_a_restart_on_a_real_disk() {
    let directory = Directory::new("restart");
    let octets: Arc<[u8]> = (0..4_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let options = Options {
        segment_bytes: 8 << 20,
        ..Options::default()
    };
    let sent = octets.clone();
    with(&directory.0, options.clone(), async move |store| {
        deliver(&store, 64, 5_000, &sent).await;
        assert!(store.counters().log.batches < 3_000, "group commit");
    });
    for indexes in [Indexes::Use, Indexes::Ignore] {
        let sent = octets.clone();
        let options = Options {
            indexes,
            ..options.clone()
        };
        with(&directory.0, options, async move |store| {
            let mut total = 0;
            for n in 0..64 {
                total += messages(&store, account(n)).await;
            }
            assert_eq!(total, 5_000);
            let status = Operation::Status {
                name: "INBOX".into(),
            };
            let Reply::Status(inbox) = store.execute(request(account(3), status)).await.unwrap()
            else {
                panic!()
            };
            let snapshot = Operation::Snapshot {
                mailbox: inbox.mailbox,
            };
            let reply = store.execute(request(account(3), snapshot)).await.unwrap();
            let Reply::Snapshot(snapshot) = reply else {
                panic!()
            };
            for entry in snapshot.index.iter() {
                let whole = 0..u64::from(entry.size);
                let reader = store.reader();
                let read = reader
                    .read_body(account(3), entry.body, entry.body_place, whole)
                    .await;
                assert_eq!(read.unwrap(), sent[..]);
            }
        });
    }
}

/// `ENGINE_MESSAGES=1000000 cargo test --release -p storage-engine --test glommio -- --nocapture`
/// prints how long opening takes, with and without checkpoints.
#[test]
fn store_opens_from_checkpoints_and_from_records_alone() {
    let messages = std::env::var("ENGINE_MESSAGES")
        .ok()
        .and_then(|text| text.parse().ok());
    let messages = messages.unwrap_or(20_000);
    let directory = Directory::new("open");
    let octets: Arc<[u8]> = Arc::from([b'x'; 300]);
    with(&directory.0, Options::default(), async move |store| {
        deliver(&store, 200, messages, &octets).await;
    });
    for indexes in [Indexes::Use, Indexes::Ignore, Indexes::Use] {
        let options = Options {
            indexes,
            ..Options::default()
        };
        with(&directory.0, options, async move |store| {
            let mut total = 0;
            for n in 0..200 {
                total += self::messages(&store, account(n)).await;
            }
            assert_eq!(total, u64::try_from(messages).unwrap(), "{indexes:?}");
        });
    }
}

/// `ENGINE_ACCOUNTS=1000000 cargo test --release -p storage-engine --test glommio -- --nocapture \
/// accounts_that` prints the memory of a process that opens a store of so many.
#[test]
fn accounts_that_nobody_uses_cost_no_memory_at_start() {
    const DIRECTORY: &str = "ENGINE_ACCOUNTS_DIRECTORY";
    let accounts = std::env::var("ENGINE_ACCOUNTS")
        .ok()
        .and_then(|text| text.parse().ok());
    let accounts = accounts.unwrap_or(2_000);
    if let Some(path) = std::env::var_os(DIRECTORY) {
        print_memory("before the store is opened");
        with(Path::new(&path), Options::default(), async move |store| {
            print_memory("opened");
            let began = Instant::now();
            for n in (0..accounts).step_by((accounts / 1_000).max(1)) {
                assert_eq!(messages(&store, account(n)).await, 0);
            }
            println!("1000 accounts described in {:?}", began.elapsed());
            print_memory("after that");
        });
        return;
    }
    let directory = Directory::new("accounts");
    with(&directory.0, Options::default(), async move |store| {
        let began = Instant::now();
        let next = Rc::new(Cell::new(0));
        let tasks: Vec<_> = (0..1_000)
            .map(|_| {
                let (store, next) = (store.clone(), next.clone());
                glommio::spawn_local(async move {
                    while next.get() < accounts {
                        let n = next.replace(next.get() + 1);
                        let create = Operation::CreateAccount { mailboxes: vec![] };
                        store.execute(request(account(n), create)).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await;
        }
        println!(
            "{accounts} accounts in {:?}, {:?}",
            began.elapsed(),
            store.counters()
        );
    });
    let name = "accounts_that_nobody_uses_cost_no_memory_at_start";
    let opened = std::process::Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(DIRECTORY, &directory.0)
        .status();
    assert!(opened.unwrap().success());
}

fn print_memory(when: &str) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let lines = status.lines();
    let memory: Vec<&str> = lines
        .filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"))
        .collect();
    println!(
        "{when}: {}",
        memory.join(", ").replace(char::is_whitespace, " ")
    );
}
