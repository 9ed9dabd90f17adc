use super::*;
use crate::grammar::{
    AclIdentifier, Flag, ListValue, QuotaResource, SearchKey, Section, SectionText, SequenceSet,
    SpecialUse, StatusItem,
};
use crate::request::LiteralKind;

mod acl;
mod messages;

fn parse(wire: &str) -> Result<Command, SyntaxError> {
    match Command::parse(&Request::new(wire)) {
        Ok((tag, command)) => {
            assert!(wire.as_bytes().starts_with(&tag));
            Ok(command)
        }
        Err(error) => Err(error.error),
    }
}

fn set(wire: &str) -> SequenceSet {
    crate::grammar::sequence_set::sequence_set(&mut Cursor::new(wire.as_bytes())).unwrap()
}

fn name(name: &str) -> MailboxName {
    MailboxName::new(name)
}

#[test]
fn every_row_is_the_row_of_its_command() {
    let examples = [
        "a CAPABILITY",
        "a NOOP",
        "a LOGOUT",
        "a STARTTLS",
        "a AUTHENTICATE PLAIN",
        "a LOGIN a b",
        "a ENABLE X",
        "a ID NIL",
        "a SELECT x",
        "a EXAMINE x",
        "a CREATE x",
        "a DELETE x",
        "a RENAME x y",
        "a SUBSCRIBE x",
        "a UNSUBSCRIBE x",
        "a LIST \"\" *",
        "a XLIST \"\" *",
        "a LSUB \"\" *",
        "a NAMESPACE",
        "a STATUS x (MESSAGES)",
        "a SETACL x y lr",
        "a DELETEACL x y",
        "a GETACL x",
        "a LISTRIGHTS x y",
        "a MYRIGHTS x",
        "a GETQUOTA x",
        "a GETQUOTAROOT x",
        "a SETQUOTA x ()",
        "a CHECK",
        "a CLOSE",
        "a UNSELECT",
        "a EXPUNGE",
        "a UID EXPUNGE 1",
        "a SEARCH ALL",
        "a UID SEARCH ALL",
        "a FETCH 1 FLAGS",
        "a UID FETCH 1 FLAGS",
        "a STORE 1 FLAGS ()",
        "a UID STORE 1 FLAGS ()",
        "a COPY 1 x",
        "a UID COPY 1 x",
        "a MOVE 1 x",
        "a UID MOVE 1 x",
        "a IDLE",
    ];
    for wire in examples {
        let command = parse(wire).unwrap();
        let (verb, numbering) = command.verb();
        assert_eq!(
            (command.row().verb, command.row().numbering),
            (verb, numbering),
            "{wire}"
        );
        assert!(wire.to_ascii_uppercase().contains(verb));
    }
    // APPEND has no complete form without its literal.
    assert_eq!(examples.len() + 1, table::TABLE.len());
    for (index, row) in table::TABLE.iter().enumerate() {
        let found = table::find(row.verb.as_bytes(), row.numbering).unwrap();
        assert!(
            std::ptr::eq(found, &table::TABLE[index]),
            "{} stands twice",
            row.verb
        );
    }
}

#[test]
fn facts_of_the_table_follow_rfc3501() {
    for wire in ["a FETCH 1 FLAGS", "a STORE 1 FLAGS ()", "a SEARCH ALL"] {
        assert!(!parse(wire).unwrap().row().may_tell_expunge, "{wire}");
    }
    for wire in [
        "a UID FETCH 1 FLAGS",
        "a UID STORE 1 FLAGS ()",
        "a UID SEARCH ALL",
        "a NOOP",
    ] {
        assert!(parse(wire).unwrap().row().may_tell_expunge, "{wire}");
    }
}

#[test]
fn login_and_authenticate() {
    let login = |wire: &str| match parse(wire) {
        Ok(Command::Login(login)) => (login.user, login.password),
        other => panic!("{wire}: {other:?}"),
    };
    assert_eq!(
        login("a001 LOGIN SMITH SESAME"),
        (b"SMITH".to_vec(), b"SESAME".to_vec())
    );
    assert_eq!(
        login("A001 LOGIN {11}\r\nFRED FOOBAR {7}\r\nfat man"),
        (b"FRED FOOBAR".to_vec(), b"fat man".to_vec())
    );
    assert_eq!(
        login("a LOGIN \"a\\\"b\" \"c\\\\d\""),
        (b"a\"b".to_vec(), b"c\\d".to_vec())
    );
    let sasl = |wire: &str| match parse(wire) {
        Ok(Command::Authenticate(sasl)) => (sasl.mechanism, sasl.initial_response),
        other => panic!("{wire}: {other:?}"),
    };
    assert_eq!(
        sasl("A001 AUTHENTICATE GSSAPI"),
        ("GSSAPI".to_owned(), None)
    );
    // RFC 4959.
    assert_eq!(
        sasl("D01 authenticate plain dGVzdAB0ZXN0AHRlc3Q="),
        ("PLAIN".to_owned(), Some(b"test\0test\0test".to_vec()))
    );
    assert_eq!(
        sasl("a AUTHENTICATE EXTERNAL ="),
        ("EXTERNAL".to_owned(), Some(Vec::new()))
    );
    assert_eq!(parse("a AUTHENTICATE PLAIN !!"), Err(SyntaxError::Base64));
    assert_eq!(SaslLine::parse(b"*"), Ok(SaslLine::Cancel));
    assert_eq!(
        SaslLine::parse(b"dGVzdA"),
        Ok(SaslLine::Response(b"test".to_vec()))
    );
    assert_eq!(SaslLine::parse(b""), Ok(SaslLine::Response(Vec::new())));
}

#[test]
fn secrets_stay_out_of_debug_output() {
    let shown = format!("{:?}", parse("a LOGIN u sesame").unwrap());
    assert!(
        !shown.contains("sesame") && !shown.contains("115"),
        "{shown}"
    );
    let shown = format!("{:?}", parse("a AUTHENTICATE PLAIN c2VzYW1l").unwrap());
    assert!(!shown.contains("115"), "{shown}");
}

#[test]
fn mailbox_commands() {
    let select = |mailbox: &str, access, condstore| {
        Ok(Command::Select(Select {
            mailbox: name(mailbox),
            access,
            condstore,
        }))
    };
    assert_eq!(
        parse("A142 SELECT INBOX"),
        select("INBOX", Access::ReadWrite, false)
    );
    assert_eq!(
        parse("A932 EXAMINE blurdybloop"),
        select("blurdybloop", Access::ReadOnly, false)
    );
    assert_eq!(
        parse("A SELECT inbox (CONDSTORE)"),
        select("INBOX", Access::ReadWrite, true)
    );
    assert!(parse("A SELECT INBOX (FOO)").is_err());
    assert_eq!(
        parse("A SELECT &AOk-"),
        select("\u{e9}", Access::ReadWrite, false)
    );
    assert_eq!(
        parse("A685 DELETE foo/bar"),
        Ok(Command::Delete(name("foo/bar")))
    );
    assert_eq!(
        parse("A683 RENAME blurdybloop sarasoop"),
        Ok(Command::Rename(Rename {
            from: name("blurdybloop"),
            to: name("sarasoop")
        }))
    );
    assert_eq!(
        parse("A002 SUBSCRIBE #news.comp.mail.mime"),
        Ok(Command::Subscribe(name("#news.comp.mail.mime")))
    );
    assert_eq!(
        parse("A UNSUBSCRIBE \"a b\""),
        Ok(Command::Unsubscribe(name("a b")))
    );
    assert_eq!(
        parse("A042 STATUS blurdybloop (UIDNEXT MESSAGES)"),
        Ok(Command::Status(Status {
            mailbox: name("blurdybloop"),
            items: vec![StatusItem::UidNext, StatusItem::Messages],
        }))
    );
    assert!(parse("a STATUS x ()").is_err());
    assert!(parse("a SELECT \"\"").is_err());
}

#[test]
fn create_with_its_parameters() {
    assert_eq!(
        parse("A003 CREATE owatagusiam/"),
        Ok(Command::Create(Create {
            mailbox: name("owatagusiam/"),
            special_use: vec![],
            class: None,
        }))
    );
    // RFC 6154 5.2.
    assert_eq!(
        parse("t2 CREATE MySpecial (USE (\\Drafts \\Sent))"),
        Ok(Command::Create(Create {
            mailbox: name("MySpecial"),
            special_use: vec![SpecialUse::Drafts, SpecialUse::Sent],
            class: None,
        }))
    );
    let contacts = Ok(Command::Create(Create {
        mailbox: name("People"),
        special_use: vec![],
        class: Some("IPF.Contact".into()),
    }));
    assert_eq!(parse("t CREATE People (CLASS \"IPF.Contact\")"), contacts);
    assert_eq!(
        parse("t CREATE People (USE () CLASS IPF.Contact)"),
        contacts
    );
    assert!(parse("t CREATE x (CLASS a CLASS b)").is_err());
    assert!(parse("t CREATE x ()").is_err());
    assert!(parse("t CREATE x (QUOTA (y))").is_err());
}

#[test]
fn list_in_its_old_and_new_forms() {
    let list = |wire: &str| match parse(wire) {
        Ok(Command::List(list)) => list,
        other => panic!("{wire}: {other:?}"),
    };
    let plain = list("A102 LIST \"#news.comp.mail.misc\" \"\"");
    assert_eq!(
        (plain.reference.as_str(), plain.patterns),
        ("#news.comp.mail.misc", vec![String::new()])
    );
    assert!(!plain.extended);
    assert_eq!(list("A202 LIST ~/Mail/ %").patterns, ["%"]);
    assert_eq!(list("A LIST \"\" INBOX.%]*").patterns, ["INBOX.%]*"]);
    assert_eq!(list("A LIST \"\" &AOk-*").patterns, ["\u{e9}*"]);
    assert_eq!(list("A LIST \"\" &AO%").patterns, ["&AO%"]);
    // RFC 5258 section 5.
    assert!(
        list("A02 LIST (SUBSCRIBED) \"\" \"*\"")
            .selection
            .subscribed
    );
    assert!(
        list("A03 LIST () \"\" \"%\" RETURN (CHILDREN)")
            .returns
            .children
    );
    let wide = list("A06 LIST (REMOTE RECURSIVEMATCH SUBSCRIBED) \"\" (\"INBOX\" Drafts %)");
    assert_eq!(wide.patterns, ["INBOX", "Drafts", "%"]);
    assert!(wide.selection.recursive_match && wide.selection.remote && wide.extended);
    // RFC 5819 section 4.
    let status = list("A01 LIST \"\" % RETURN (STATUS (MESSAGES UNSEEN) SPECIAL-USE SUBSCRIBED)");
    assert_eq!(
        status.returns.status,
        [StatusItem::Messages, StatusItem::Unseen]
    );
    assert!(status.returns.special_use && status.returns.subscribed);
    let values = list("A001 LIST (CHILDREN CLASS UNSEEN INTERNALSIZE UNSEEN) \"\" \"ma%\"").returns;
    assert!(values.children && values.in_front && values.status.is_empty());
    assert_eq!(
        values.values,
        [ListValue::Class, ListValue::Unseen, ListValue::InternalSize]
    );
    let values = list("a LIST \"\" * RETURN (OLDEST UNSEENMEDIA UIDNEXT)").returns;
    assert!(!values.in_front && !values.children);
    assert_eq!(values.values.len(), 3);
    assert!(parse("a LIST (RECURSIVEMATCH) \"\" *").is_err());
    assert!(parse("a LIST (FOO) \"\" *").is_err());
    assert!(parse("a LIST \"\" * RETURN (FOO)").is_err());
    assert!(parse("a LIST \"\" ()").is_err());
    assert_eq!(
        parse("A002 LSUB \"#news.\" \"comp.mail.*\""),
        Ok(Command::Lsub(Lsub {
            reference: "#news.".into(),
            pattern: "comp.mail.*".into()
        }))
    );
}

#[test]
fn the_remaining_commands() {
    assert_eq!(
        parse("A003 COPY 2:4 MEETING"),
        Ok(Command::Copy(Copy {
            numbering: Numbering::Sequence,
            set: set("2:4"),
            mailbox: name("MEETING"),
            encrypted: None,
        }))
    );
    let encrypted = |wire: &str| match parse(wire) {
        Ok(Command::Copy(copy)) => copy.encrypted,
        other => panic!("{wire}: {other:?}"),
    };
    let to = |text: &str| Some(Encrypted::To(text.into()));
    assert_eq!(encrypted("a COPY 1 x ENCRYPTED *"), Some(Encrypted::Own));
    assert_eq!(encrypted("a UID COPY 1 x encrypted MA+/="), to("MA+/="));
    assert_eq!(encrypted("a COPY 1 x ENCRYPTED \"MA\""), to("MA"));
    assert_eq!(
        encrypted("a COPY 1 x ENCRYPTED {4}\r\nMA\r\n"),
        to("MA\r\n")
    );
    assert_eq!(encrypted("a COPY 1 x "), None);
    assert!(parse("a COPY 1 x ENCRYPTED").is_err());
    assert!(parse("a COPY 1 x ENCRYPTED * y").is_err());
    assert!(parse("a COPY 1 x SIGNED *").is_err());
    assert!(parse("a MOVE 1 x ENCRYPTED *").is_err());
    assert_eq!(
        parse("a UID MOVE 42:69 foo"),
        Ok(Command::Move(Move {
            numbering: Numbering::Uid,
            set: set("42:69"),
            mailbox: name("foo"),
        }))
    );
    assert_eq!(
        parse("A003 UID EXPUNGE 3000:3002"),
        Ok(Command::Expunge(Expunge {
            uids: Some(set("3000:3002"))
        }))
    );
    assert!(parse("a EXPUNGE 1").is_err());
    assert!(parse("a UID EXPUNGE").is_err());
    assert_eq!(
        parse("a023 ID (\"name\" \"sodr\" \"version\" NIL)"),
        Ok(Command::Id(Id {
            fields: vec![
                (b"name".to_vec(), Some(b"sodr".to_vec())),
                (b"version".to_vec(), None)
            ],
        }))
    );
    assert_eq!(
        parse("t1 ENABLE condstore X-GOOD-IDEA "),
        Ok(Command::Enable(Enable {
            capabilities: vec!["CONDSTORE".into(), "X-GOOD-IDEA".into()],
        }))
    );
    assert_eq!(parse("a idle"), Ok(Command::Idle));
    assert_eq!(parse("a noop "), Ok(Command::Noop));
}

#[test]
fn nonsense_is_refused_with_the_tag_it_had() {
    let tag = |wire: &str| Command::parse(&Request::new(wire)).unwrap_err().tag;
    assert_eq!(tag("a1 FOO"), Some(b"a1".to_vec()));
    assert_eq!(tag("a1"), Some(b"a1".to_vec()));
    assert_eq!(tag("a1 UID NOOP"), Some(b"a1".to_vec()));
    assert_eq!(tag("a1 NOOP extra"), Some(b"a1".to_vec()));
    assert_eq!(tag(""), None);
    assert_eq!(tag("+ NOOP"), None);
    assert_eq!(tag("\u{e9} NOOP"), None);
    assert_eq!(tag(&format!("{} NOOP", "a".repeat(200))), None);
    // Strings end at the line: a quoted string with a line end is no argument.
    assert!(parse("a LOGIN \"x{3}\r\nabc y").is_err());
}

#[test]
fn quotas_are_set_for_known_resources_once_each() {
    let limits = |wire: &str| match parse(wire) {
        Ok(Command::SetQuota(set)) => Ok((String::from_utf8(set.root).unwrap(), set.limits)),
        Ok(other) => panic!("{wire}: {other:?}"),
        Err(error) => Err(error),
    };
    let (storage, message) = (QuotaResource::Storage, QuotaResource::Message);
    // RFC 9208 4.1.3.
    assert_eq!(
        limits("A001 SETQUOTA \"\" (STORAGE 512)"),
        Ok((String::new(), vec![(storage, 512)]))
    );
    assert_eq!(
        limits("a SETQUOTA user@example.org (message 5 storage 9223372036854775807)"),
        Ok((
            "user@example.org".to_owned(),
            vec![(message, 5), (storage, u64::MAX >> 1)]
        ))
    );
    assert_eq!(limits("a SETQUOTA x ()"), Ok(("x".to_owned(), Vec::new())));
    let unknown = Err(SyntaxError::Unknown("quota resource"));
    assert_eq!(limits("a SETQUOTA x (ANNOTATION-STORAGE 1)"), unknown);
    let twice = Err(SyntaxError::Conflict("A resource is named twice"));
    assert_eq!(limits("a SETQUOTA x (STORAGE 1 storage 2)"), twice);
    assert_eq!(
        limits("a SETQUOTA x (STORAGE 9223372036854775808)"),
        Err(SyntaxError::Number)
    );
    assert!(limits("a SETQUOTA x (STORAGE)").is_err());
    assert!(limits("a SETQUOTA x STORAGE 1").is_err());
    assert_eq!(
        parse("a GETQUOTA \"a b\""),
        Ok(Command::GetQuota(b"a b".to_vec()))
    );
    assert_eq!(
        parse("a GETQUOTAROOT inbox"),
        Ok(Command::GetQuotaRoot(name("INBOX")))
    );
}
