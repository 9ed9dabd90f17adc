use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex};

use async_channel::{Receiver, bounded};
use futures_lite::future::block_on;
use mail_directory::{Directory, Options, Password, Quota, State, StoredHash, Template};
use storage_engine::ids::AccountId;

use super::*;

/// A server without mail: the admin thread, a directory, and a thread that plays the shards.
struct Server {
    admin: Option<AdminServer>,
    directory: Directory,
    http: SocketAddr,
    engine: Arc<Mutex<Engine>>,
    health: Arc<Mutex<Health>>,
    data_dir: tempfile::TempDir,
}

/// What the played shards know.
#[derive(Default)]
struct Engine {
    accounts: BTreeMap<AccountId, (Template, Quota)>,
    ended: Vec<AccountId>,
    /// If set, every job is refused with it.
    refuses: Option<String>,
}

struct Fixed(Arc<Mutex<Health>>);

impl Status for Fixed {
    fn health(&self) -> Health {
        self.0.lock().unwrap().clone()
    }

    fn counters(&self) -> Vec<Counter> {
        vec![Counter {
            name: "logins_total",
            help: "Good logins.",
            value: 7,
            shard: None,
        }]
    }
}

fn open_directory(data_dir: &Path) -> Directory {
    Directory::open(&Options {
        path: data_dir.join("directory.sqlite"),
        default_domain: "example.org".to_owned(),
        template: Template::default(),
        hash_threads: 1,
        failures_per_minute_max: None,
    })
    .unwrap()
}

fn start_server() -> Server {
    let data_dir = tempfile::tempdir().unwrap();
    let directory = open_directory(data_dir.path());
    let engine = Arc::new(Mutex::new(Engine::default()));
    let (jobs, taken) = bounded(SHARD_JOBS_WAITING_MAX);
    let shards = engine.clone();
    std::thread::spawn(move || play_shards(taken, &shards));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let http = listener.local_addr().unwrap();
    let health = Arc::new(Mutex::new(Health::Good));
    let admin = start(AdminOptions {
        listener: Some(listener),
        socket: AdminSocket::bind(data_dir.path()).unwrap(),
        status: Arc::new(Fixed(health.clone())),
        directory: directory.handle(),
        jobs,
    })
    .unwrap();
    Server {
        admin: Some(admin),
        directory,
        http,
        engine,
        health,
        data_dir,
    }
}

fn play_shards(jobs: Receiver<ShardJob>, engine: &Mutex<Engine>) {
    while let Ok(job) = jobs.recv_blocking() {
        let mut engine = engine.lock().unwrap();
        let outcome = engine.refuses.clone().map_or(Ok(()), Err);
        let is_done = outcome.is_ok();
        let reply = match job {
            ShardJob::CreateAccount {
                account,
                template,
                quota,
                reply,
            } => {
                if is_done {
                    engine.accounts.insert(account, (template, quota));
                }
                reply
            }
            ShardJob::DeleteAccount { account, reply } => {
                engine.accounts.remove(&account);
                reply
            }
            ShardJob::EndSessions { account, reply, .. } => {
                engine.ended.push(account);
                reply
            }
            ShardJob::SetRunning { reply, .. } => reply,
            ShardJob::SetQuota {
                account,
                quota,
                reply,
            } => {
                engine.accounts.get_mut(&account).unwrap().1 = quota;
                reply
            }
            ShardJob::RingAll { reply } => reply,
            ShardJob::Operation { reply, .. } => {
                reply
                    .try_send(Err("there is no mail here".to_owned()))
                    .unwrap();
                continue;
            }
        };
        reply.try_send(outcome).unwrap();
    }
}

impl Server {
    fn ask(&self, request: AdminRequest) -> AdminReply {
        ask(self.data_dir.path(), &request).unwrap()
    }

    fn add(&self, name: &str) -> AdminReply {
        let password = Password::from("secret");
        self.ask(AdminRequest::AccountAdd {
            name: name.to_owned(),
            password,
            quota: Quota::default(),
        })
    }

    fn list(&self) -> Vec<AccountLine> {
        match self.ask(AdminRequest::AccountList {
            domain: None,
            after: None,
        }) {
            AdminReply::Accounts { accounts } => accounts,
            other => panic!("{other:?}"),
        }
    }

    fn logs_in(&self, name: &str, password: &str) -> bool {
        let remote = std::net::IpAddr::from([127, 0, 0, 1]);
        let handle = self.directory.handle();
        block_on(handle.authenticate(name, Password::from(password), remote)).is_ok()
    }

    fn get(&self, path: &str) -> String {
        let mut stream = TcpStream::connect(self.http).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply
    }
}

#[test]
fn an_account_lives_in_directory_and_engine() {
    let server = start_server();
    assert_eq!(server.add("anna"), AdminReply::Done);
    assert!(server.logs_in("anna", "secret"));
    let (template, _) = server
        .engine
        .lock()
        .unwrap()
        .accounts
        .values()
        .next()
        .unwrap()
        .clone();
    assert_eq!(template, Template::default());
    let listed = server.list();
    assert_eq!(
        (listed[0].name.as_str(), listed[0].state),
        ("anna@example.org", State::Active)
    );

    let again = server.add("ANNA");
    assert_eq!(
        again,
        AdminReply::Failed {
            reason: "the account exists already".to_owned()
        }
    );

    let password = Password::from("new");
    let passwd = AdminRequest::AccountPassword {
        name: "anna".to_owned(),
        password,
    };
    assert_eq!(server.ask(passwd), AdminReply::Done);
    assert!(!server.logs_in("anna", "secret") && server.logs_in("anna", "new"));

    let quota = Quota {
        bytes: Some(9),
        messages: None,
    };
    let request = AdminRequest::AccountQuota {
        name: "anna".to_owned(),
        quota,
    };
    assert_eq!(server.ask(request), AdminReply::Done);
    assert_eq!(server.list()[0].quota, quota);
    assert_eq!(
        server
            .engine
            .lock()
            .unwrap()
            .accounts
            .values()
            .next()
            .unwrap()
            .1,
        quota
    );
}

#[test]
fn a_deleted_account_is_gone_from_directory_engine_and_sessions() {
    let server = start_server();
    assert_eq!(server.add("anna"), AdminReply::Done);
    assert!(server.logs_in("anna", "secret"));
    let delete = || AdminRequest::AccountDelete {
        name: "anna".to_owned(),
    };
    assert_eq!(server.ask(delete()), AdminReply::Done);
    assert!(!server.logs_in("anna", "secret"));
    let engine = server.engine.lock().unwrap();
    assert!(engine.accounts.is_empty());
    assert_eq!(engine.ended.len(), 1);
    drop(engine);
    assert!(server.list().is_empty());
    let gone = AdminReply::Failed {
        reason: "no such account".to_owned(),
    };
    assert_eq!(server.ask(delete()), gone);
}

#[test]
fn an_addition_that_the_engine_refuses_leaves_nothing() {
    let server = start_server();
    server.engine.lock().unwrap().refuses = Some("the disk is full".to_owned());
    assert_eq!(
        server.add("anna"),
        AdminReply::Failed {
            reason: "the disk is full".to_owned()
        }
    );
    assert!(!server.logs_in("anna", "secret"));
    server.engine.lock().unwrap().refuses = None;
    // The deletion was refused too, so the name is free only after the next start.
    let pending = block_on(server.directory.handle().pending()).unwrap();
    assert_eq!(pending.len(), 1);
}

#[test]
fn an_import_answers_for_each_account() {
    let server = start_server();
    let account = |name: &str| ImportAccount {
        name: name.to_owned(),
        hash: StoredHash::parse("{PLAIN}secret").unwrap(),
        quota: Quota::default(),
    };
    let names: Vec<String> = (0..600).map(|i| format!("user{i}")).collect();
    let mut accounts: Vec<ImportAccount> = names.iter().map(|name| account(name)).collect();
    accounts.push(account("user0"));
    accounts.push(account("user@else.where"));
    let AdminReply::Imported { outcomes } = server.ask(AdminRequest::AccountImport { accounts })
    else {
        panic!("no outcomes")
    };
    assert!(
        outcomes[..600]
            .iter()
            .all(|outcome| *outcome == ImportOutcome::Added)
    );
    assert!(matches!(&outcomes[600], ImportOutcome::Refused(r) if r.contains("exists")));
    assert!(matches!(&outcomes[601], ImportOutcome::Refused(r) if r.contains("domain")));
    assert_eq!(server.engine.lock().unwrap().accounts.len(), 600);
    assert!(server.logs_in("user599", "secret"));
}

/// The timer must not hold the thread that waits for the shards.
#[test]
fn what_a_crash_left_is_finished_before_serving() {
    let server = start_server();
    let handle = server.directory.handle();
    let new = mail_directory::NewAccount {
        name: "anna".to_owned(),
        secret: mail_directory::Secret::Password(Password::from("secret")),
        quota: Quota::default(),
    };
    block_on(handle.prepare_add(new)).unwrap();
    let (jobs, taken) = bounded(SHARD_JOBS_WAITING_MAX);
    let engine = server.engine.clone();
    std::thread::spawn(move || play_shards(taken, &engine));
    let mut shards = super::Engine::Shards {
        jobs,
        sleep: |_| unreachable!("not used"),
    };
    let start = std::time::Instant::now();
    assert_eq!(block_on(finish_pending(&handle, &mut shards)), Ok(1));
    assert!(start.elapsed() < std::time::Duration::from_secs(10));
    assert!(server.logs_in("anna", "secret"));
    assert_eq!(block_on(finish_pending(&handle, &mut shards)), Ok(0));
}

#[test]
fn a_thread_is_a_timer() {
    let start = std::time::Instant::now();
    block_on(sleep_on_thread(std::time::Duration::from_millis(30)));
    assert!(start.elapsed() >= std::time::Duration::from_millis(30));
}

#[test]
fn domains_are_added_listed_and_deleted() {
    let server = start_server();
    let add = || AdminRequest::DomainAdd {
        name: "Other.example".to_owned(),
        template: None,
    };
    assert_eq!(server.ask(add()), AdminReply::Done);
    assert!(matches!(server.ask(add()), AdminReply::Failed { .. }));
    let domains = vec!["example.org".to_owned(), "other.example".to_owned()];
    assert_eq!(
        server.ask(AdminRequest::DomainList),
        AdminReply::Domains { domains }
    );
    let delete = AdminRequest::DomainDelete {
        name: "other.example".to_owned(),
    };
    assert_eq!(server.ask(delete), AdminReply::Done);
}

#[test]
fn what_is_no_request_is_refused_without_repeating_it() {
    let server = start_server();
    let mut stream = UnixStream::connect(server.data_dir.path().join(SOCKET_NAME)).unwrap();
    stream
        .write_all(b"{\"ask\":\"account_add\",\"pasword\":\"hunter2\"}\n{\"ask\"")
        .unwrap();
    stream.write_all(b":\"ping\"}\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    let replies: Vec<&str> = replies.lines().collect();
    assert!(
        replies[0].contains("failed") && !replies[0].contains("hunter2"),
        "{replies:?}"
    );
    assert_eq!(replies[1], "{\"answer\":\"done\"}");
}

#[test]
fn only_the_owner_may_use_the_socket_and_it_goes_with_the_server() {
    let mut server = start_server();
    let socket = server.data_dir.path().join(SOCKET_NAME);
    assert_eq!(
        socket.metadata().unwrap().permissions().mode() & 0o777,
        0o600
    );
    server.admin.take().unwrap().stop();
    assert!(!socket.exists());
    let asked = ask(server.data_dir.path(), &AdminRequest::Ping);
    assert!(matches!(asked, Err(AskError::NoServer)), "{asked:?}");
}

/// The data directory is locked long before the shards can be asked.
#[test]
fn who_asks_before_the_server_has_started_waits_for_it() {
    let data_dir = tempfile::tempdir().unwrap();
    let socket = AdminSocket::bind(data_dir.path()).unwrap();
    let mut early = UnixStream::connect(data_dir.path().join(SOCKET_NAME)).unwrap();
    early.write_all(b"{\"ask\":\"ping\"}\n").unwrap();
    early.shutdown(std::net::Shutdown::Write).unwrap();
    let directory = open_directory(data_dir.path());
    let admin = start(AdminOptions {
        listener: None,
        socket,
        status: Arc::new(Fixed(Arc::new(Mutex::new(Health::Good)))),
        directory: directory.handle(),
        jobs: bounded(1).0,
    })
    .unwrap();
    let mut reply = String::new();
    early.read_to_string(&mut reply).unwrap();
    assert_eq!(reply, "{\"answer\":\"done\"}\n");
    admin.stop();
}

#[test]
fn who_asks_a_server_that_ends_is_told_so() {
    let data_dir = tempfile::tempdir().unwrap();
    let socket = AdminSocket::bind(data_dir.path()).unwrap();
    socket.listener.set_nonblocking(false).unwrap();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| ask(data_dir.path(), &AdminRequest::Ping));
        drop(socket.listener.accept().unwrap());
        let asked = asked.join().unwrap();
        assert!(matches!(asked, Err(AskError::Ended)), "{asked:?}");
    });
}

#[test]
fn health_and_counters_are_served() {
    let server = start_server();
    let health = server.get("/health");
    assert!(
        health.starts_with("HTTP/1.1 200 ") && health.ends_with("ok\n"),
        "{health}"
    );
    *server.health.lock().unwrap() = Health::Bad("shard 1 takes no writes".to_owned());
    let health = server.get("/health");
    assert!(health.starts_with("HTTP/1.1 503 "), "{health}");
    assert!(health.ends_with("shard 1 takes no writes\n"), "{health}");
    let metrics = server.get("/metrics");
    assert!(metrics.contains("# TYPE corepost_logins_total counter\ncorepost_logins_total 7\n"));
    assert!(server.get("/other").starts_with("HTTP/1.1 404 "));
}

#[test]
fn secrets_do_not_show_in_requests() {
    let password = Password::from("hunter2");
    let request = AdminRequest::AccountAdd {
        name: "a".to_owned(),
        password,
        quota: Quota::default(),
    };
    assert!(!format!("{request:?}").contains("hunter2"));
}
