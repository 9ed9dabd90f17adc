//! Names through the routing table: logins, referrals, deliveries.

use super::*;
use crate::route::ExternalAddress;

fn with_routes(directory: &tempfile::TempDir, routes: &[(&str, &str)]) -> DirectoryHandle {
    let handle = open(directory).handle();
    for (source, target) in routes {
        block_on(handle.route_set(source, target)).unwrap();
    }
    handle
}

fn moved(text: &str) -> AuthError {
    AuthError::Moved(ExternalAddress::parse(text, "x").unwrap())
}

fn destination(handle: &DirectoryHandle, name: &str, unknown: UnknownNames) -> Destination {
    block_on(handle.destination(name, unknown)).unwrap()
}

#[test]
fn an_alias_logs_in_as_its_account_and_is_cached() {
    let directory = tempfile::tempdir().unwrap();
    let handle = with_routes(
        &directory,
        &[("a.smith", "anna"), ("@old.org", "@example.org")],
    );
    let anna = add(&handle, "anna", password("secret"));
    for name in ["a.smith", "Anna@old.org"] {
        assert_eq!(log_in(&handle, name, "secret"), Ok(anna.clone()), "{name}");
        assert_eq!(
            cached(&handle, name, "secret"),
            Some(anna.clone()),
            "{name}"
        );
    }
    block_on(handle.route_remove("a.smith")).unwrap();
    assert_eq!(cached(&handle, "a.smith", "secret"), None);
    let gone = log_in(&handle, "a.smith", "secret");
    assert_eq!(gone, Err(AuthError::BadCredentials));
}

#[test]
fn failures_by_an_alias_count_for_the_account() {
    let directory = tempfile::tempdir().unwrap();
    let handle = with_routes(&directory, &[("one", "anna"), ("two", "anna")]);
    add(&handle, "anna", password("secret"));
    for name in ["anna", "one", "two"] {
        let refused = log_in(&handle, name, "wrong");
        assert_eq!(refused, Err(AuthError::BadCredentials));
    }
    assert_eq!(log_in(&handle, "anna", "secret"), Err(AuthError::Throttled));
    assert_eq!(log_in(&handle, "one", "secret"), Err(AuthError::Throttled));
    assert_eq!(cached(&handle, "one", "secret"), None);
}

#[test]
fn a_bare_record_refers_everybody_and_counts() {
    let directory = tempfile::tempdir().unwrap();
    let handle = with_routes(&directory, &[("j.smith", "John@othercompany.com")]);
    for _ in 0..3 {
        let referred = log_in(&handle, "J.Smith", "anything");
        assert_eq!(referred, Err(moved("John@othercompany.com")));
    }
    let referred = log_in(&handle, "j.smith", "anything");
    assert_eq!(referred, Err(AuthError::Throttled));
}

/// RFC 2221 6: no referral after an authentication that failed.
#[test]
fn a_kept_secret_is_checked_before_the_referral() {
    let directory = tempfile::tempdir().unwrap();
    let handle = with_routes(
        &directory,
        &[("info", "anna"), ("anna", "Anna@new.example")],
    );
    add(&handle, "anna", password("secret"));
    for name in ["anna", "info"] {
        let wrong = log_in(&handle, name, "wrong");
        assert_eq!(wrong, Err(AuthError::BadCredentials), "{name}");
    }
    assert_eq!(
        log_in(&handle, "info", "secret"),
        Err(moved("Anna@new.example"))
    );
    assert_eq!(cached(&handle, "info", "secret"), None);
    // Two failures and a referral: all three counted.
    assert_eq!(log_in(&handle, "anna", "secret"), Err(AuthError::Throttled));
}

#[test]
fn names_that_nobody_has_log_in_where_their_domain_says() {
    let directory = tempfile::tempdir().unwrap();
    let handle = with_routes(&directory, &[("*@example.org", "desk")]);
    let desk = add(&handle, "desk", password("secret"));
    let anna = add(&handle, "anna", password("other"));
    assert_eq!(log_in(&handle, "nobody", "secret"), Ok(desk));
    assert_eq!(log_in(&handle, "anna", "other"), Ok(anna));
    block_on(handle.route_set("*@example.org", "@new.example")).unwrap();
    assert_eq!(
        log_in(&handle, "nobody", "secret"),
        Err(moved("nobody@new.example"))
    );
    block_on(handle.route_set("*@example.org", "reject:")).unwrap();
    let refused = log_in(&handle, "nobody", "secret");
    assert_eq!(refused, Err(AuthError::BadCredentials));
}

#[test]
fn mail_follows_the_same_records() {
    let directory = tempfile::tempdir().unwrap();
    let routes = [
        ("info", "anna"),
        ("gone", "Gone@new.example"),
        ("spam", "reject:No more"),
        ("*@example.org", "desk"),
        ("round", "round"),
    ];
    let handle = with_routes(&directory, &routes);
    let anna = add(&handle, "anna", password("secret"));
    let desk = add(&handle, "desk", password("secret"));
    let check = |name: &str, unknown, expected: Destination| {
        assert_eq!(destination(&handle, name, unknown), expected, "{name}");
    };
    check("info", UnknownNames::Refuse, Destination::Account(anna));
    let new = ExternalAddress::parse("Gone@new.example", "x").unwrap();
    check("gone", UnknownNames::Refuse, Destination::Moved(new));
    check(
        "spam",
        UnknownNames::Refuse,
        Destination::Rejected("No more".into()),
    );
    check("nobody", UnknownNames::Refuse, Destination::Nobody);
    check("nobody", UnknownNames::Reroute, Destination::Account(desk));
    check("round", UnknownNames::Reroute, Destination::Nobody);
    check("a b", UnknownNames::Reroute, Destination::Nobody);
    let tested = block_on(handle.route_test("round")).unwrap();
    assert!(tested.is_circle);
}

#[test]
fn records_survive_a_restart_and_are_listed_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let opened = open(&directory);
    let handle = opened.handle();
    block_on(handle.route_set("b", "anna")).unwrap();
    block_on(handle.route_set("a", "reject:Gone")).unwrap();
    block_on(handle.route_set("b", "Berta@new.example")).unwrap();
    let bad = block_on(handle.route_set("a b", "c"));
    assert!(matches!(bad, Err(ChangeError::Name(_))), "{bad:?}");
    assert_eq!(
        block_on(handle.route_remove("none")),
        Err(ChangeError::NoSuchRoute)
    );
    opened.close();
    let handle = open(&directory).handle();
    let listed = block_on(handle.route_list("")).unwrap();
    let lines: Vec<String> = listed
        .iter()
        .map(|record| format!("{} = {}", record.source, record.target))
        .collect();
    let expected = [
        "a@example.org = reject:Gone",
        "b@example.org = Berta@new.example",
    ];
    assert_eq!(lines, expected);
    let rest = block_on(handle.route_list("a@example.org")).unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(log_in(&handle, "b", "x"), Err(moved("Berta@new.example")));
}

#[test]
fn a_domain_that_is_added_makes_its_names_ours() {
    let directory = tempfile::tempdir().unwrap();
    let handle = with_routes(&directory, &[("a", "b@new.example")]);
    block_on(handle.domain_add("new.example", None)).unwrap();
    let b = add(&handle, "b@new.example", password("secret"));
    assert_eq!(log_in(&handle, "a", "secret"), Ok(b));
}
