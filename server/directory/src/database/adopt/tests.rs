use super::*;
use crate::template::Template;

fn open(directory: &tempfile::TempDir) -> Database {
    let path = directory.path().join("directory.sqlite");
    Database::open(&path, "example.org", Template::default()).unwrap()
}

fn name(text: &str) -> AccountName {
    AccountName::parse(text, "example.org").unwrap()
}

fn claim(local: &str, stable_id: Option<&str>) -> Claim {
    Claim {
        name: name(local),
        stable_id: stable_id.map(str::to_owned),
        quota: None,
        settings: Vec::new(),
    }
}

/// Adopts as far as the engine would, and says which account it is.
fn adopt(database: &mut Database, claim: &Claim) -> AccountId {
    match database.adopt(claim).unwrap().adopted {
        Adopted::Active(account) => account.id,
        Adopted::Reserved(reserved) => {
            database.commit(&[reserved.id]).unwrap();
            reserved.id
        }
        Adopted::Closed => panic!("it is being deleted"),
    }
}

fn names(database: &Database) -> Vec<String> {
    let all = database.list(&crate::ListRange::default(), None).unwrap();
    all.into_iter()
        .map(|entry| entry.name.to_string())
        .collect()
}

#[test]
fn a_new_account_is_reserved_until_the_engine_knows_it_and_keeps_its_id() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let anna = claim("anna@new.example", None);
    let Adopted::Reserved(first) = database.adopt(&anna).unwrap().adopted else {
        panic!("it is new");
    };
    // A crash came: the step is repeated with the same id.
    let Adopted::Reserved(again) = database.adopt(&anna).unwrap().adopted else {
        panic!("the engine does not know it");
    };
    assert_eq!(
        (first.id, &first.template),
        (again.id, &Template::default())
    );
    database.commit(&[first.id]).unwrap();
    let adoption = database.adopt(&anna).unwrap();
    assert!(matches!(adoption.adopted, Adopted::Active(account) if account.id == first.id));
    assert!(adoption.changed.is_empty());
    assert_eq!(database.is_local(&anna.name).unwrap(), Some(false));
    assert_eq!(database.is_local(&name("bert")).unwrap(), None);
}

#[test]
fn no_password_is_that_of_an_account_of_a_back_end() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    adopt(&mut database, &claim("anna", None));
    let known = database.find(&name("anna")).unwrap().unwrap();
    for password in ["", "anna", "{SHA512}"] {
        assert!(!known.secret.verify(&crate::Password::from(password)));
    }
}

#[test]
fn a_renamed_account_keeps_its_mail() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let id = adopt(&mut database, &claim("anna", Some("ldap:1")));
    let adoption = database.adopt(&claim("anna.b", Some("ldap:1"))).unwrap();
    assert_eq!(adoption.changed, [name("anna"), name("anna.b")]);
    assert_eq!(adopt(&mut database, &claim("anna.b", Some("ldap:1"))), id);
    assert_eq!(names(&database), ["anna.b@example.org"]);
}

#[test]
fn a_later_account_of_the_same_name_inherits_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let first = adopt(&mut database, &claim("anna", Some("ldap:1")));
    let second = adopt(&mut database, &claim("anna", Some("ldap:2")));
    assert_ne!(first, second);
    let mark = first.to_string()[..8].to_owned();
    assert_eq!(
        names(&database),
        [
            "anna@example.org".to_owned(),
            format!("anna#{mark}@example.org")
        ]
    );
    // The first comes back under another name, and has its mail.
    assert_eq!(
        adopt(&mut database, &claim("old.anna", Some("ldap:1"))),
        first
    );
    // The two exchange their names.
    assert_eq!(adopt(&mut database, &claim("anna", Some("ldap:1"))), first);
    assert_eq!(
        adopt(&mut database, &claim("old.anna", Some("ldap:2"))),
        second
    );
    assert_eq!(
        names(&database),
        ["anna@example.org", "old.anna@example.org"]
    );
}

#[test]
fn without_an_id_or_with_one_of_another_kind_the_name_decides() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let id = adopt(&mut database, &claim("anna", None));
    for stable_id in [Some("ldap:1"), None, Some("sql:7"), Some("sql:7")] {
        assert_eq!(
            adopt(&mut database, &claim("anna", stable_id)),
            id,
            "{stable_id:?}"
        );
    }
    assert_ne!(adopt(&mut database, &claim("anna", Some("sql:8"))), id);
}

#[test]
fn an_account_that_was_added_here_stays_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let prepared = super::super::Prepared {
        name: name("anna"),
        secret: crate::StoredHash::parse("{PLAIN}secret").unwrap(),
        quota: Quota::default(),
    };
    database.reserve(vec![prepared]).unwrap()[0]
        .as_ref()
        .unwrap();
    assert_eq!(database.is_local(&name("anna")).unwrap(), Some(true));
    for stable_id in [None, Some("ldap:1")] {
        let refused = database.adopt(&claim("anna", stable_id));
        assert!(matches!(refused, Err(ChangeError::NameTaken)));
    }
}

#[test]
fn a_quota_of_the_back_end_replaces_the_one_here() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    adopt(&mut database, &claim("anna", None));
    let quota = |bytes| Quota {
        bytes: Some(bytes),
        messages: None,
    };
    database.set_quota(&name("anna"), quota(1)).unwrap();
    let mut check = |said: Option<Quota>, expected: Quota, changes: usize| {
        let claim = Claim {
            quota: said,
            ..claim("anna", None)
        };
        let adoption = database.adopt(&claim).unwrap();
        assert_eq!(adoption.changed.len(), changes);
        assert!(
            matches!(adoption.adopted, Adopted::Active(account) if account.quota == expected),
            "{said:?}"
        );
    };
    check(None, quota(1), 0);
    check(Some(quota(2)), quota(2), 1);
    check(Some(quota(2)), quota(2), 0);
    check(None, quota(2), 0);
}

#[test]
fn settings_of_the_back_end_are_those_of_the_account() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let said = |key: &str, text: &str| Claim {
        settings: vec![(key.to_owned(), text.to_owned())],
        ..claim("anna", None)
    };
    adopt(&mut database, &said("mailboxes-max", "5"));
    let max = |database: &Database| {
        let known = database.find(&name("anna")).unwrap().unwrap();
        known.account.settings.mailboxes_max
    };
    assert_eq!(max(&database), Some(5));
    for (claim, changes, expected) in [
        (said("mailboxes-max", "7"), 1, 7),
        (said("mailboxes-max", "7"), 0, 7),
        (said("mailboxes-max", "many"), 0, 7),
        (claim("anna", None), 0, 7),
    ] {
        assert_eq!(database.adopt(&claim).unwrap().changed.len(), changes);
        assert_eq!(max(&database), Some(expected));
    }
}

#[test]
fn a_deletion_that_is_under_way_is_finished_first() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let id = adopt(&mut database, &claim("anna", Some("ldap:1")));
    database.mark_deleted(&name("anna")).unwrap();
    let adoption = database.adopt(&claim("anna", Some("ldap:1"))).unwrap();
    assert!(matches!(adoption.adopted, Adopted::Closed));
    database.remove(id).unwrap();
    assert_ne!(adopt(&mut database, &claim("anna", Some("ldap:1"))), id);
}
