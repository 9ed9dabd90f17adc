use super::*;

#[test]
fn names_survive_both_ways() {
    let pairs = [
        // RFC 3501 5.1.3.
        (
            "~peter/mail/&U,BTFw-/&ZeVnLIqe-",
            "~peter/mail/\u{53f0}\u{5317}/\u{65e5}\u{672c}\u{8a9e}",
        ),
        ("Entw&APw-rfe", "Entw\u{fc}rfe"),
        ("R&-D", "R&D"),
        ("&-", "&"),
        ("&-&AOk-", "&\u{e9}"),
        ("&AOk-&-", "\u{e9}&"),
        ("&2D3eAA-", "\u{1f600}"),
        ("plain", "plain"),
        ("", ""),
    ];
    for (wire, name) in pairs {
        assert_eq!(decode(wire.as_bytes()).as_deref(), Ok(name), "{wire}");
        assert_eq!(encode(name), wire, "{name}");
    }
}

#[test]
fn raw_utf8_is_let_pass() {
    assert_eq!(
        decode("Entw\u{fc}rfe".as_bytes()).as_deref(),
        Ok("Entw\u{fc}rfe")
    );
}

#[test]
fn what_is_not_canonical_is_refused() {
    let bad = [
        "R&D",
        "&",
        "&AP",
        "&!!-",
        "&AGE-",
        "&AC8-",
        "&2D0-",
        "&AOk=-",
        "&AOk-&AOk-",
        "&A-",
        "&AOl-",
        "&AAo-",
    ];
    for wire in bad {
        assert!(decode(wire.as_bytes()).is_err(), "{wire}");
    }
    assert_eq!(decode(b"\xff"), Err(MailboxNameError::Utf8));
    assert_eq!(decode(b"a\r\nb"), Err(MailboxNameError::Control));
    assert_eq!(decode(&[b'a'; 2000]), Err(MailboxNameError::TooLong));
}

#[test]
fn inbox_has_one_spelling() {
    assert_eq!(MailboxName::new("iNbOx"), MailboxName::new("INBOX"));
    assert!(MailboxName::new("inbox").is_inbox());
    assert!(!MailboxName::new("inbox/x").is_inbox());
}
