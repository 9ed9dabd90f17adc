use super::*;
use std::time::Duration;

#[track_caller]
fn check(line: &str, expected: Result<(&str, usize, Option<Quota>, bool), &str>) {
    let parsed = parse_line(line, "example.org");
    let seen = parsed.as_ref().map(|(name, entry)| match &entry.proof {
        Proof::Secrets(secrets) => (name.as_str(), secrets.len(), entry.quota, entry.enabled),
        Proof::Bind(_) => unreachable!("a file has secrets"),
    });
    assert_eq!(seen.map_err(|error| *error), expected, "{line}");
}

fn bytes(bytes: u64) -> Option<Quota> {
    let bytes = Some(bytes);
    Some(Quota {
        bytes,
        messages: None,
    })
}

#[test]
fn lines_are_accounts_with_their_quota() {
    let anna = |secrets, quota, enabled| Ok(("anna@example.org", secrets, quota, enabled));
    check("anna:{PLAIN}secret", anna(1, None, true));
    check("anna:{PLAIN}secret::::::", anna(1, None, true));
    check(
        "anna::1000:1000:Anna:/home/anna:/bin/sh",
        anna(0, None, true),
    );
    check("anna:{NTLM}abc", anna(0, None, true));
    check(
        "bert@b.example:{PLAIN}x",
        Ok(("bert@b.example", 1, None, true)),
    );
    let with = |extra: &str| format!("anna:{{PLAIN}}x:1:2:g:/h:/s:{extra}");
    let rule = |rule: &str| with(&format!("userdb_quota_rule=*:{rule}"));
    check(&with("nologin"), anna(1, None, false));
    check(
        &with("nologin=n userdb_mail=maildir:~/x"),
        anna(1, None, true),
    );
    check(&rule("storage=1G"), anna(1, bytes(1 << 30), true));
    check(&rule("storage=1000"), anna(1, bytes(1_024_000), true));
    check(&rule("bytes=1000"), anna(1, bytes(1000), true));
    check(&rule("bytes=0"), anna(1, Some(Quota::default()), true));
    let both = Quota {
        bytes: Some(1 << 20),
        messages: Some(7),
    };
    check(&rule("storage=1M:messages=7"), anna(1, Some(both), true));
    check(
        &with("userdb_quota_storage_size=2M"),
        anna(1, bytes(2 << 20), true),
    );
    check(&rule("storage=much"), Err("the quota rule cannot be read"));
    check(":{PLAIN}x", Err("the name is no name"));
    check("an na:{PLAIN}x", Err("the name is no name"));
}

#[test]
fn of_two_lines_the_first_counts_and_others_are_no_accounts() {
    let text = "# comment\n\nanna:{PLAIN}a\r\nno name:x\nanna:{PLAIN}b:::::: nologin\n";
    let accounts = parse(text, "x");
    assert_eq!(accounts.len(), 1);
    assert!(accounts.values().all(|entry| entry.enabled));
}

fn names(file: &PasswdFile) -> Vec<String> {
    let executor = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let accounts = executor.block_on(file.accounts()).unwrap();
    let mut names: Vec<String> = accounts
        .keys()
        .map(|name| name.local().to_owned())
        .collect();
    names.sort();
    names
}

/// What was looked at is looked at again, as if the time were over.
fn forget_the_time(file: &PasswdFile) {
    let mut loaded = file.loaded.write().unwrap();
    let loaded = loaded.as_mut().unwrap();
    loaded.looked = loaded.looked.checked_sub(PASSWD_FILE_EVERY).unwrap();
}

fn write(path: &Path, text: &str, age: Duration) {
    std::fs::write(path, text).unwrap();
    let file = File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - age).unwrap();
}

#[test]
fn the_file_is_read_again_when_it_has_changed_and_is_at_rest() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("passwd");
    let (old, settled) = (Duration::from_secs(60), Duration::from_secs(5));
    write(&path, "a:\n", old);
    let file = PasswdFile::new(path.clone(), "x".to_owned());
    assert_eq!(names(&file), ["a"]);
    write(&path, "a:\nb:\n", settled);
    assert_eq!(names(&file), ["a"], "it was looked at a moment ago");
    forget_the_time(&file);
    assert_eq!(names(&file), ["a", "b"]);
    write(&path, "b", Duration::ZERO);
    forget_the_time(&file);
    assert_eq!(names(&file), ["a", "b"], "it may be half written");
    write(&path, "b:\nc:\n", settled);
    forget_the_time(&file);
    assert_eq!(names(&file), ["b", "c"]);
}

#[test]
fn a_missing_file_is_a_back_end_that_is_down() {
    let directory = tempfile::tempdir().unwrap();
    let file = PasswdFile::new(directory.path().join("passwd"), "x".to_owned());
    let executor = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let error = executor.block_on(file.accounts()).unwrap_err();
    assert!(matches!(error, BackendError::Unavailable(_)), "{error}");
}
