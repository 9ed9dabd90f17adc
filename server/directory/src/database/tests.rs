use super::*;
use std::os::unix::fs::PermissionsExt;

fn open(directory: &tempfile::TempDir) -> Database {
    let path = directory.path().join("directory.sqlite");
    Database::open(&path, "example.org", Template::default()).unwrap()
}

fn prepared(name: &str) -> Prepared {
    Prepared {
        name: AccountName::parse(name, "example.org").unwrap(),
        secret: StoredHash::parse("{PLAIN}secret").unwrap(),
        quota: Quota {
            bytes: Some(1 << 30),
            messages: None,
        },
    }
}

#[test]
fn accounts_and_steps_survive_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let added = database.reserve(vec![prepared("anna"), prepared("berta"), prepared("carl")]);
    let ids: Vec<AccountId> = added
        .unwrap()
        .into_iter()
        .map(|outcome| outcome.unwrap().id)
        .collect();
    database.commit(&ids[..2]).unwrap();
    database.mark_deleted(&prepared("berta").name).unwrap();
    drop(database);

    let database = open(&directory);
    let anna = database.find(&prepared("anna").name).unwrap().unwrap();
    assert_eq!((anna.account.id, anna.state), (ids[0], State::Active));
    assert_eq!(anna.account.quota.bytes, Some(1 << 30));
    let mut pending = database.pending().unwrap();
    pending.sort_by_key(|pending| pending.name.clone());
    let steps: Vec<_> = pending
        .iter()
        .map(|pending| (pending.id, pending.step))
        .collect();
    assert_eq!(
        steps,
        [(ids[1], PendingStep::Delete), (ids[2], PendingStep::Add)]
    );
}

#[test]
fn each_account_of_a_batch_has_its_own_outcome() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let batch = ["anna", "ANNA@example.org", "carl@elsewhere.org"].map(prepared);
    let outcomes = database.reserve(batch.into()).unwrap();
    assert!(outcomes[0].is_ok());
    assert_eq!(outcomes[1], Err(ChangeError::NameTaken));
    assert_eq!(outcomes[2], Err(ChangeError::NoSuchDomain));
}

#[test]
fn steps_may_be_repeated() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let anna = prepared("anna").name;
    let id = database
        .reserve(vec![prepared("anna")])
        .unwrap()
        .remove(0)
        .unwrap()
        .id;
    database.commit(&[id]).unwrap();
    database.commit(&[id]).unwrap();
    assert_eq!(database.mark_deleted(&anna).unwrap().id, id);
    assert_eq!(database.mark_deleted(&anna).unwrap().id, id);
    assert_eq!(
        database.commit(&[id]),
        Err(ChangeError::NoSuchAccount),
        "no way back"
    );
    database.remove(id).unwrap();
    database.remove(id).unwrap();
    assert!(database.find(&anna).unwrap().is_none());
    let again = database
        .reserve(vec![prepared("anna")])
        .unwrap()
        .remove(0)
        .unwrap()
        .id;
    assert_ne!(again, id, "ids are never used again");
}

#[test]
fn an_active_account_is_not_removed() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let id = database
        .reserve(vec![prepared("anna")])
        .unwrap()
        .remove(0)
        .unwrap()
        .id;
    database.commit(&[id]).unwrap();
    database.remove(id).unwrap();
    assert!(database.find(&prepared("anna").name).unwrap().is_some());
}

#[test]
fn domains_have_templates_and_are_deleted_when_empty() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let template = Template {
        mailboxes: Vec::new(),
    };
    database
        .domain_add("Plain.example", Some(&template))
        .unwrap();
    let taken = database.domain_add("plain.example", None);
    assert_eq!(taken, Err(ChangeError::DomainTaken));
    let batch = vec![prepared("a@plain.example"), prepared("a")];
    let outcomes = database.reserve(batch).unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap().template, template);
    assert_eq!(outcomes[1].as_ref().unwrap().template, Template::default());
    assert_eq!(
        database.domain_list().unwrap(),
        ["example.org", "plain.example"]
    );
    assert_eq!(
        database.domain_delete("plain.example"),
        Err(ChangeError::DomainNotEmpty)
    );
    database.remove(outcomes[0].as_ref().unwrap().id).unwrap();
    database.domain_delete("plain.example").unwrap();
    assert_eq!(
        database.domain_delete("plain.example"),
        Err(ChangeError::NoSuchDomain)
    );
}

#[test]
fn listings_come_in_pages() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    let batch = (0..LIST_PAGE_MAX + 5)
        .map(|i| prepared(&format!("a{i:05}")))
        .collect();
    database.reserve(batch).unwrap();
    let range = ListRange::default();
    let first = database.list(&range, None).unwrap();
    assert_eq!(first.len(), LIST_PAGE_MAX);
    let rest = database
        .list(&range, first.last().map(|entry| &entry.name))
        .unwrap();
    assert_eq!(rest.len(), 5);
    assert!(
        database
            .list(&range, rest.last().map(|entry| &entry.name))
            .unwrap()
            .is_empty()
    );
    let elsewhere = ListRange {
        domain: Some("else.where".to_owned()),
        after: None,
    };
    assert!(database.list(&elsewhere, None).unwrap().is_empty());
}

#[test]
fn a_file_of_a_newer_program_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(&directory));
    let path = directory.path().join("directory.sqlite");
    let connection = Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = Database::open(&path, "example.org", Template::default())
        .err()
        .unwrap();
    assert!(
        matches!(
            error,
            OpenError::Newer {
                found: 99,
                known: schema::VERSION,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn only_the_owner_may_read_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = open(&directory);
    database
        .reserve(vec![prepared("anna")])
        .unwrap()
        .remove(0)
        .unwrap();
    for name in ["directory.sqlite", "directory.sqlite-wal"] {
        let mode = directory
            .path()
            .join(name)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
