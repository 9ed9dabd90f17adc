use super::*;
use futures_lite::future::{block_on, poll_once};
use std::time::Duration;

mod routes;

fn open(directory: &tempfile::TempDir) -> Directory {
    Directory::open(&Options {
        path: directory.path().join("directory.sqlite"),
        default_domain: "example.org".to_owned(),
        template: Template::default(),
        hash_threads: 2,
        failures_per_minute_max: Some(3),
    })
    .unwrap()
}

fn here() -> IpAddr {
    IpAddr::from([192, 0, 2, 1])
}

fn add(handle: &DirectoryHandle, name: &str, secret: Secret) -> Account {
    let new = NewAccount {
        name: name.to_owned(),
        secret,
        quota: Quota::default(),
    };
    let reserved = block_on(handle.prepare_add(new)).unwrap();
    block_on(handle.commit_add(vec![reserved.id])).unwrap();
    Account {
        id: reserved.id,
        name: reserved.name,
        quota: reserved.quota,
        settings: Default::default(),
    }
}

fn log_in(handle: &DirectoryHandle, name: &str, password: &str) -> Result<Account, AuthError> {
    block_on(handle.authenticate(name, Password::from(password), here()))
}

fn cached(handle: &DirectoryHandle, name: &str, password: &str) -> Option<Account> {
    handle.try_cached(name, &Password::from(password), here())
}

fn password(text: &str) -> Secret {
    Secret::Password(Password::from(text))
}

fn hash(text: &str) -> Secret {
    Secret::Hash(StoredHash::parse(text).unwrap())
}

#[test]
fn every_spelling_of_a_name_logs_in() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    let anna = add(&handle, "Anna", password("secret"));
    for name in ["anna", "ANNA@example.org", "anna%EXAMPLE.org"] {
        assert_eq!(log_in(&handle, name, "secret"), Ok(anna.clone()), "{name}");
    }
    assert_eq!(
        log_in(&handle, "anna", "Secret"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(log_in(&handle, "anna", ""), Err(AuthError::BadCredentials));
    assert_eq!(
        log_in(&handle, "nobody", "secret"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(
        log_in(&handle, "no name", "secret"),
        Err(AuthError::BadCredentials)
    );
}

#[test]
fn a_good_login_is_cached_until_the_password_changes() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    let anna = add(&handle, "anna", password("old"));
    assert_eq!(cached(&handle, "anna", "old"), None);
    log_in(&handle, "anna", "old").unwrap();
    assert_eq!(cached(&handle, "anna", "old"), Some(anna.clone()));
    assert_eq!(cached(&handle, "anna", "new"), None);
    block_on(handle.set_secret("anna", password("new"))).unwrap();
    assert_eq!(cached(&handle, "anna", "old"), None);
    assert_eq!(
        log_in(&handle, "anna", "old"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(log_in(&handle, "anna", "new"), Ok(anna));
}

#[test]
fn a_new_quota_shows_at_the_next_login() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    add(&handle, "anna", password("secret"));
    log_in(&handle, "anna", "secret").unwrap();
    let looked_up = block_on(handle.lookup("anna")).unwrap();
    assert_eq!(looked_up.unwrap().quota, Quota::default());
    let quota = Quota {
        bytes: Some(5),
        messages: Some(7),
    };
    assert_eq!(
        block_on(handle.set_quota("anna", quota)).unwrap().quota,
        quota
    );
    assert_eq!(log_in(&handle, "anna", "secret").unwrap().quota, quota);
    assert_eq!(cached(&handle, "anna", "secret").unwrap().quota, quota);
    assert_eq!(
        block_on(handle.lookup("anna")).unwrap().unwrap().quota,
        quota
    );
}

#[test]
fn new_settings_show_at_the_next_login() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    add(&handle, "anna", password("secret"));
    log_in(&handle, "anna", "secret").unwrap();
    let domain = handle.default_domain().to_owned();
    let pair = |key: &str, text: &str| vec![(key.to_owned(), text.to_owned())];
    let alert = || {
        let account = cached(&handle, "anna", "secret");
        let account = account.or_else(|| log_in(&handle, "anna", "secret").ok());
        account.unwrap().settings.quota_alert_percent
    };
    assert_eq!(alert(), Some(80));
    block_on(handle.set_domain_settings(&domain, pair("quota-alert", "50"))).unwrap();
    assert_eq!(alert(), Some(50));
    let known = handle.domain_settings(&domain).unwrap();
    assert_eq!(known.quota_alert_percent, Some(50));
    block_on(handle.set_account_settings("anna", pair("quota-alert", "none"))).unwrap();
    assert_eq!(alert(), None);
    block_on(handle.set_account_settings("anna", pair("quota-alert", ""))).unwrap();
    assert_eq!(alert(), Some(50));
    let refused = block_on(handle.set_account_settings("anna", pair("quota-alert", "101")));
    assert!(
        matches!(refused, Err(ChangeError::Setting(_))),
        "{refused:?}"
    );
    let nobody = block_on(handle.set_account_settings("nobody", pair("kind", "single")));
    assert_eq!(nobody.unwrap_err(), ChangeError::NoSuchAccount);
    assert_eq!(handle.domain_settings("nowhere.test"), None);
}

#[test]
fn an_account_is_seen_only_between_commit_and_mark() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    let found = |handle: &DirectoryHandle| block_on(handle.lookup("anna")).unwrap().is_some();
    let new = || NewAccount {
        name: "anna".to_owned(),
        secret: password("secret"),
        quota: Quota::default(),
    };
    let reserved = block_on(handle.prepare_add(new())).unwrap();
    assert!(!found(&handle));
    assert_eq!(
        log_in(&handle, "anna", "secret"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(
        block_on(handle.prepare_add(new())),
        Err(ChangeError::NameTaken)
    );
    block_on(handle.commit_add(vec![reserved.id])).unwrap();
    assert!(found(&handle));
    log_in(&handle, "anna", "secret").unwrap();

    block_on(handle.mark_deleted("anna")).unwrap();
    assert!(!found(&handle));
    assert_eq!(cached(&handle, "anna", "secret"), None);
    assert_eq!(log_in(&handle, "anna", "secret"), Err(AuthError::Disabled));
    assert_eq!(
        log_in(&handle, "anna", "wrong"),
        Err(AuthError::BadCredentials)
    );
    assert_eq!(
        block_on(handle.pending()).unwrap()[0].step,
        crate::PendingStep::Delete
    );
    block_on(handle.remove(reserved.id)).unwrap();
    assert_eq!(
        log_in(&handle, "anna", "secret"),
        Err(AuthError::BadCredentials)
    );
    assert!(block_on(handle.pending()).unwrap().is_empty());
}

#[test]
fn failures_close_the_account_for_that_network_even_with_the_right_password() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    add(&handle, "anna", password("secret"));
    log_in(&handle, "anna", "secret").unwrap();
    for _ in 0..3 {
        assert_eq!(
            log_in(&handle, "anna", "guess"),
            Err(AuthError::BadCredentials)
        );
    }
    assert_eq!(log_in(&handle, "anna", "secret"), Err(AuthError::Throttled));
    assert_eq!(
        cached(&handle, "anna", "secret"),
        None,
        "the cache is no way round"
    );
    let elsewhere = IpAddr::from([192, 0, 2, 9]);
    let login = handle.authenticate("anna", Password::from("secret"), elsewhere);
    assert!(block_on(login).is_ok());
}

#[test]
fn a_weak_hash_is_replaced_at_login() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    add(
        &handle,
        "anna",
        hash("{SSHA}vDKMdeEIlmWKn2Q3r2zB42B5Vs1wZXBwZXIxMg=="),
    );
    log_in(&handle, "anna", "correct horse").unwrap();
    let name = handle.resolve("anna").unwrap();
    let is_argon2 = || {
        let name = name.clone();
        let known = block_on(handle.read(move |database| database.find(&name))).unwrap();
        known.unwrap().secret.as_str().starts_with("$argon2id$")
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_argon2() {
        assert!(Instant::now() < deadline, "the hash was not replaced");
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(cached(&handle, "anna", "correct horse").is_some());
    assert!(log_in(&handle, "anna", "correct horse").is_ok());
}

#[test]
fn a_full_queue_is_busy_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    // Both hashing threads are held, then the queue is filled by logins that nobody awaits yet.
    let (release, held) = bounded::<()>(1);
    for _ in 0..2 {
        let held = held.clone();
        let job: HashJob = Box::new(move |_| {
            let _ = held.recv_blocking();
        });
        handle.hashing.try_send(job).unwrap();
    }
    while !handle.hashing.is_empty() {
        std::thread::yield_now();
    }
    let login = || handle.authenticate("nobody", Password::from("x"), here());
    let mut waiting: Vec<_> = (0..HASH_QUEUE_JOBS_MAX)
        .map(|_| Box::pin(login()))
        .collect();
    for login in &mut waiting {
        assert!(block_on(poll_once(login)).is_none());
    }
    assert_eq!(block_on(login()), Err(AuthError::Busy));
    // Whoever gives up costs nothing: the jobs are skipped, so this ends soon.
    drop(waiting);
    release.close();
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut outcome = block_on(login());
    while outcome == Err(AuthError::Busy) && Instant::now() < deadline {
        std::thread::yield_now();
        outcome = block_on(login());
    }
    assert_eq!(outcome, Err(AuthError::BadCredentials));
}

#[test]
fn a_closed_directory_is_unavailable() {
    let directory = tempfile::tempdir().unwrap();
    let open = open(&directory);
    let handle = open.handle();
    open.close();
    assert_eq!(
        log_in(&handle, "anna", "secret"),
        Err(AuthError::Unavailable)
    );
    assert_eq!(
        block_on(handle.lookup("anna")),
        Err(LookupError::Unavailable)
    );
}

/// 20,000 accounts in seconds: one transaction, and hashes that are ready.
#[test]
fn many_accounts_are_imported_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    let line = |i| crate::import::parse_line(&format!("user{i}:{{PLAIN}}secret{i}:quota=1G"));
    let accounts: Vec<NewAccount> = (0..20_000).map(|i| line(i).unwrap().unwrap()).collect();
    let start = Instant::now();
    let outcomes = block_on(handle.prepare_import(accounts)).unwrap();
    let ids: Vec<AccountId> = outcomes
        .into_iter()
        .map(|outcome| outcome.unwrap().id)
        .collect();
    block_on(handle.commit_add(ids)).unwrap();
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
    assert!(log_in(&handle, "user19999", "secret19999").is_ok());
}

/// A login that is checked while the password changes must not bring the old one back.
#[test]
fn changes_and_logins_at_once_never_revive_a_password() {
    let directory = tempfile::tempdir().unwrap();
    let handle = open(&directory).handle();
    add(&handle, "anna", hash("{PLAIN}p0"));
    for i in 1..40_u8 {
        let (old, new) = (format!("p{}", i - 1), format!("{{PLAIN}}p{i}"));
        std::thread::scope(|scope| {
            // Refused ones are counted, so they come from a network of their own.
            let remote = IpAddr::from([198, 51, 100, i]);
            let login = handle.authenticate("anna", Password::from(old.as_str()), remote);
            let logins = scope.spawn(|| block_on(login));
            block_on(handle.set_secret("anna", hash(&new))).unwrap();
            assert_eq!(cached(&handle, "anna", &old), None);
            let _ = logins.join().unwrap();
        });
        assert_eq!(cached(&handle, "anna", &old), None, "round {i}");
        let new = log_in(&handle, "anna", &format!("p{i}"));
        assert!(new.is_ok(), "round {i}: {new:?}");
    }
}
