use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use futures_lite::future::block_on;

use super::*;
use crate::backend::Answer;
use crate::handle::Options;
use crate::template::Template;

/// A back end in memory that can be down or slow, and counts what it is asked.
#[derive(Default)]
struct Fake {
    entries: Mutex<HashMap<String, Entry>>,
    is_down: AtomicBool,
    is_slow: AtomicBool,
    asked: AtomicU32,
}

impl Backend for Arc<Fake> {
    fn kind(&self) -> &'static str {
        "fake"
    }

    fn find<'a>(&'a self, name: &'a AccountName) -> Answer<'a, Option<Entry>> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::Relaxed);
            if self.is_down.load(Ordering::Relaxed) {
                return Err(BackendError::Unavailable("down".to_owned()));
            }
            if self.is_slow.load(Ordering::Relaxed) {
                sleep(Duration::from_millis(300)).await;
            }
            Ok(self.entries.lock().unwrap().get(name.as_str()).cloned())
        })
    }

    fn bind<'a>(&'a self, who: &'a str, password: &'a Password) -> Answer<'a, bool> {
        Box::pin(async move { Ok(password.as_bytes() == who.as_bytes()) })
    }
}

/// A directory with a back end, and an engine that counts the accounts that it makes.
struct Bench {
    fake: Arc<Fake>,
    made: Arc<AtomicU32>,
    directory: Directory,
    _folder: tempfile::TempDir,
}

impl Bench {
    fn new(remembered: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut directory = Directory::open(&Options {
            path: folder.path().join("directory.sqlite"),
            default_domain: "x".to_owned(),
            template: Template::default(),
            hash_threads: 1,
            failures_per_minute_max: Some(3),
        })
        .unwrap();
        let (fake, made) = (Arc::new(Fake::default()), Arc::new(AtomicU32::new(0)));
        let counted = made.clone();
        let options = ExternalOptions {
            backend: Box::new(fake.clone()),
            create: Box::new(move |_, reply| {
                counted.fetch_add(1, Ordering::Relaxed);
                reply.try_send(Ok(())).is_ok()
            }),
            timeout: Duration::from_secs(5),
            remembered,
        };
        directory.attach(options).unwrap();
        Self {
            fake,
            made,
            directory,
            _folder: folder,
        }
    }

    /// Who binds has its own name as password.
    fn set(&self, name: &str, change: impl FnOnce(&mut Entry)) {
        let mut entry = Entry {
            proof: Proof::Bind(name.to_owned()),
            stable_id: None,
            quota: None,
            settings: Vec::new(),
            enabled: true,
        };
        change(&mut entry);
        self.fake
            .entries
            .lock()
            .unwrap()
            .insert(name.to_owned(), entry);
    }

    fn log_in(&self, name: &str, password: &str) -> Result<Account, AuthError> {
        let here = IpAddr::from([192, 0, 2, 1]);
        block_on(
            self.directory
                .handle()
                .authenticate(name, Password::from(password), here),
        )
    }

    fn look_up(&self, name: &str) -> Result<Option<Account>, LookupError> {
        block_on(self.directory.handle().lookup(name))
    }

    fn asked(&self) -> u32 {
        self.fake.asked.load(Ordering::Relaxed)
    }
}

const LONG: Duration = Duration::from_secs(600);

#[test]
fn an_account_is_made_once_at_its_first_login_or_delivery() {
    let bench = Bench::new(LONG);
    bench.set("anna@x", |_| {});
    bench.set("bert@x", |entry| {
        let secret = StoredHash::parse("{PLAIN}secret").unwrap();
        entry.proof = Proof::Secrets(vec![secret]);
    });
    assert_eq!(
        bench.log_in("anna", "wrong"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(
        bench.made.load(Ordering::Relaxed),
        0,
        "not for a wrong password"
    );
    let anna = bench.log_in("Anna", "anna@x").unwrap();
    assert_eq!(bench.look_up("anna@x"), Ok(Some(anna)));
    let bert = bench.look_up("bert").unwrap().unwrap();
    assert_eq!(bench.log_in("bert", "secret"), Ok(bert));
    assert_eq!(
        bench.log_in("bert", "wrong"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(bench.look_up("nobody"), Ok(None));
    assert_eq!(bench.log_in("nobody", "x"), Err(AuthError::BadCredentials));
    assert_eq!(bench.log_in("no name", "x"), Err(AuthError::BadCredentials));
    assert_eq!(bench.made.load(Ordering::Relaxed), 2);
}

#[test]
fn what_is_remembered_works_while_the_back_end_is_down() {
    let bench = Bench::new(LONG);
    bench.set("anna@x", |_| {});
    bench.set("bert@x", |_| {});
    let anna = bench.log_in("anna", "anna@x").unwrap();
    bench.fake.is_down.store(true, Ordering::Relaxed);
    assert_eq!(bench.log_in("anna", "anna@x"), Ok(anna.clone()));
    assert_eq!(bench.look_up("anna"), Ok(Some(anna)));
    let asked = bench.asked();
    for _ in 0..3 {
        assert_eq!(bench.log_in("anna", "wrong"), Err(AuthError::Unavailable));
        assert_eq!(bench.log_in("bert", "bert@x"), Err(AuthError::Unavailable));
        assert_eq!(bench.look_up("bert"), Err(LookupError::Unavailable));
    }
    assert!(bench.asked() - asked < 9, "it is not asked by everybody");
    bench.fake.is_down.store(false, Ordering::Relaxed);
    let deadline = Instant::now() + Duration::from_secs(20);
    while bench.log_in("bert", "bert@x").is_err() {
        assert!(Instant::now() < deadline, "it is asked again by itself");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn what_is_remembered_is_forgotten_after_its_time() {
    let bench = Bench::new(Duration::ZERO);
    bench.set("anna@x", |_| {});
    let anna = bench.log_in("anna", "anna@x").unwrap();
    bench.set("anna@x", |entry| {
        entry.proof = Proof::Bind("new".to_owned())
    });
    assert_eq!(
        bench.log_in("anna", "anna@x"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(bench.log_in("anna", "new"), Ok(anna));
    // Gone there: refused here, and not deleted.
    bench.fake.entries.lock().unwrap().clear();
    assert_eq!(bench.look_up("anna"), Ok(None));
    assert_eq!(bench.log_in("anna", "new"), Err(AuthError::BadCredentials));
    let listed = block_on(bench.directory.handle().list(Default::default())).unwrap();
    assert_eq!(listed.len(), 1);
}

#[test]
fn a_closed_account_says_so_to_its_owner_alone() {
    let bench = Bench::new(LONG);
    bench.set("anna@x", |entry| entry.enabled = false);
    assert_eq!(
        bench.log_in("anna", "wrong"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(bench.log_in("anna", "anna@x"), Err(AuthError::Disabled));
    assert_eq!(bench.look_up("anna"), Ok(None));
}

#[test]
fn many_who_ask_for_one_name_ask_the_back_end_once() {
    let bench = Bench::new(LONG);
    bench.set("anna@x", |_| {});
    bench.fake.is_slow.store(true, Ordering::Relaxed);
    std::thread::scope(|scope| {
        let look_up = || bench.look_up("anna").unwrap().unwrap().id;
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(look_up)).collect();
        let ids: Vec<_> = threads.into_iter().map(|t| t.join().unwrap()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] == pair[1]));
    });
    assert!(bench.asked() < 20, "{}", bench.asked());
}

#[test]
fn accounts_of_the_database_need_no_back_end() {
    let bench = Bench::new(LONG);
    let handle = bench.directory.handle();
    let new = crate::NewAccount {
        name: "admin".to_owned(),
        secret: crate::Secret::Password(Password::from("secret")),
        quota: Default::default(),
    };
    let reserved = block_on(handle.prepare_add(new)).unwrap();
    block_on(handle.commit_add(vec![reserved.id])).unwrap();
    bench.set("admin@x", |_| {});
    bench.fake.is_down.store(true, Ordering::Relaxed);
    assert_eq!(bench.log_in("admin", "secret").unwrap().id, reserved.id);
    assert_eq!(
        bench.log_in("admin", "admin@x"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(bench.look_up("admin").unwrap().unwrap().id, reserved.id);
    assert_eq!(bench.asked(), 0);
}

#[test]
fn a_password_that_is_kept_elsewhere_is_not_set_here() {
    let bench = Bench::new(LONG);
    bench.set("anna@x", |_| {});
    bench.look_up("anna").unwrap().unwrap();
    let secret = crate::Secret::Password(Password::from("new"));
    let refused = block_on(bench.directory.handle().set_secret("anna", secret));
    assert_eq!(refused, Err(ChangeError::KeptElsewhere));
}

#[test]
fn failures_count_and_close_the_pair() {
    let bench = Bench::new(LONG);
    bench.set("anna@x", |_| {});
    for _ in 0..3 {
        assert_eq!(
            bench.log_in("anna", "wrong"),
            Err(AuthError::BadCredentials)
        );
    }
    assert_eq!(bench.log_in("anna", "anna@x"), Err(AuthError::Throttled));
}
