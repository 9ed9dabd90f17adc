use super::*;
use crate::account::{AccountId, Quota};

fn account(name: &str) -> Account {
    Account {
        id: AccountId::from_bytes([7; 16]),
        name: AccountName::parse(name, "x").unwrap(),
        quota: Quota::default(),
        settings: Default::default(),
    }
}

#[test]
fn only_the_same_password_of_the_same_account_is_found() {
    let cache = LoginCache::new().unwrap();
    let (anna, berta) = (account("anna"), account("berta"));
    let password = Password::from("secret");
    assert!(cache.insert(cache.begin(&anna.name), &anna, &password));
    assert_eq!(cache.try_get(&anna.name, &password), Some(anna.clone()));
    assert_eq!(cache.get(&anna.name, &password), Some(anna.clone()));
    assert_eq!(cache.try_get(&anna.name, &Password::from("Secret")), None);
    assert_eq!(cache.try_get(&berta.name, &password), None);
}

#[test]
fn a_check_that_began_before_a_change_enters_nothing() {
    let cache = LoginCache::new().unwrap();
    let anna = account("anna");
    let password = Password::from("old");
    let began = cache.begin(&anna.name);
    cache.invalidate(&anna.name);
    assert!(!cache.insert(began, &anna, &password));
    assert_eq!(cache.get(&anna.name, &password), None);
}

#[test]
fn an_invalidated_login_is_gone() {
    let cache = LoginCache::new().unwrap();
    let anna = account("anna");
    let password = Password::from("old");
    cache.insert(cache.begin(&anna.name), &anna, &password);
    cache.invalidate(&anna.name);
    assert_eq!(cache.try_get(&anna.name, &password), None);
}

#[test]
fn a_reader_does_not_wait_for_a_writer() {
    let cache = LoginCache::new().unwrap();
    let anna = account("anna");
    let password = Password::from("secret");
    cache.insert(cache.begin(&anna.name), &anna, &password);
    let _writer = cache.stripe(&anna.name).write().unwrap();
    assert_eq!(cache.try_get(&anna.name, &password), None);
}

#[test]
fn the_cache_is_bounded() {
    let cache = LoginCache::new().unwrap();
    let password = Password::from("secret");
    for i in 0..CACHE_ACCOUNTS_MAX + 2_000 {
        let account = account(&format!("a{i}"));
        cache.insert(cache.begin(&account.name), &account, &password);
    }
    for stripe in &cache.stripes {
        let stripe = stripe.read().unwrap();
        let (values, names) = stripe.logins.counts();
        assert!(values <= STRIPE_ACCOUNTS_MAX);
        assert_eq!(values, names);
    }
}

#[test]
fn who_has_logged_in_is_known_until_the_account_changes() {
    let cache = LoginCache::new().unwrap();
    let anna = account("anna");
    assert_eq!(cache.try_known(&anna.name), None);
    cache.insert(cache.begin(&anna.name), &anna, &Password::from("secret"));
    assert_eq!(cache.try_known(&anna.name), Some(anna.clone()));
    cache.invalidate(&anna.name);
    assert_eq!(cache.try_known(&anna.name), None);
    let long_ago = Instant::now();
    let password = Password::from("secret");
    cache.insert_until(cache.begin(&anna.name), &anna, &password, long_ago);
    assert_eq!(cache.try_known(&anna.name), None);
}
