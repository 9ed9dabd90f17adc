use super::*;
use crate::grammar::{Flag, SearchKey, Section, SectionText, SequenceSet, SpecialUse, StatusItem};
use crate::request::LiteralKind;

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
        parse("A003 CREATE owatagusiam/"),
        Ok(Command::Create(Create {
            mailbox: name("owatagusiam/"),
            special_use: vec![]
        }))
    );
    // RFC 6154 5.2.
    assert_eq!(
        parse("t2 CREATE MySpecial (USE (\\Drafts \\Sent))"),
        Ok(Command::Create(Create {
            mailbox: name("MySpecial"),
            special_use: vec![SpecialUse::Drafts, SpecialUse::Sent],
        }))
    );
    assert!(parse("t CREATE x (QUOTA (y))").is_err());
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

fn append(wire: &str) -> Result<Append, SyntaxError> {
    let literal = LiteralHeader {
        bytes: 310,
        kind: LiteralKind::Synchronizing,
        binary: false,
    };
    match Command::parse(&Request::up_to_message_literal(wire, literal)) {
        Ok((_, Command::Append(append))) => {
            assert_eq!(append.literal, literal);
            Ok(append)
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.error),
    }
}

#[test]
fn append_up_to_its_message() {
    let example = append("A003 APPEND saved-messages (\\Seen) ").unwrap();
    assert_eq!(
        (example.mailbox, example.flags),
        (name("saved-messages"), vec![Flag::Seen])
    );
    let bare = append("A APPEND {5}\r\nINBOX ").unwrap();
    assert_eq!((bare.mailbox, bare.flags), (name("INBOX"), vec![]));
    let full = append("A APPEND x (\\Draft $Label) \" 5-Nov-2020 10:00:00 +0100\" ").unwrap();
    assert_eq!(full.flags, [Flag::Draft, Flag::Keyword("$Label".into())]);
    assert_eq!(full.internal_date.unwrap().to_unix_seconds(), 1_604_566_800);
    assert!(append("A APPEND x").is_err());
    assert!(append("A APPEND x junk ").is_err());
    assert!(append("A APPEND x (\\Seen ").is_err());
    assert_eq!(append("A LOGIN x y ").err(), Some(SyntaxError::Trailing));
    assert!(parse("A APPEND x (\\Seen)").is_err());
}

#[test]
fn fetch_items_and_macros() {
    use FetchAttribute as A;
    let fetch = |wire: &str| match parse(wire) {
        Ok(Command::Fetch(fetch)) => fetch,
        other => panic!("{wire}: {other:?}"),
    };
    let example = fetch("A654 FETCH 2:4 (FLAGS BODY[HEADER.FIELDS (DATE FROM)])");
    assert_eq!(example.set, set("2:4"));
    let fields = SectionText::HeaderFields(vec![b"DATE".to_vec(), b"FROM".to_vec()]);
    let section = Section {
        part: vec![],
        text: fields,
    };
    assert_eq!(
        example.attributes,
        [
            A::Flags,
            A::BodySection {
                section,
                partial: None,
                peek: false
            }
        ]
    );
    assert_eq!(
        fetch("a FETCH 1 fast").attributes,
        [A::Flags, A::InternalDate, A::Rfc822Size]
    );
    assert_eq!(fetch("a FETCH 1 ALL").attributes.last(), Some(&A::Envelope));
    assert_eq!(fetch("a FETCH 1 FULL").attributes.len(), 5);
    let peek = fetch("a UID FETCH 1:* BODY.PEEK[1.2.TEXT]<10.20>");
    assert_eq!(peek.numbering, Numbering::Uid);
    match &peek.attributes[..] {
        [
            A::BodySection {
                section,
                partial: Some(partial),
                peek: true,
            },
        ] => {
            assert_eq!(
                (section.part.as_slice(), &section.text),
                (&[1, 2][..], &SectionText::Text)
            );
            assert_eq!((partial.offset, partial.bytes), (10, 20));
        }
        other => panic!("{other:?}"),
    }
    let words = "(UID RFC822 RFC822.HEADER RFC822.TEXT RFC822.SIZE BODY BODYSTRUCTURE MODSEQ \
                 ENVELOPE INTERNALDATE FLAGS BODY[])";
    assert_eq!(fetch(&format!("a FETCH * {words}")).attributes.len(), 12);
    // RFC 7162 3.1.4.1.
    assert_eq!(
        fetch("s100 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 12345)").changed_since,
        Some(12345)
    );
    for wrong in [
        "a FETCH 1",
        "a FETCH 1 ()",
        "a FETCH 1 FOO",
        "a FETCH 1 RFC822[]",
        "a FETCH 0 FLAGS",
        "a FETCH 1 (FLAGS",
        "a FETCH 1 FLAGS UID",
        "a FETCH 1 (FLAGS) (VANISHED)",
        "a FETCH 1 BODY[]<1>",
        "a FETCH 1 BODY.PEEK",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn store_in_each_form() {
    let store = |wire: &str| match parse(wire) {
        Ok(Command::Store(store)) => store,
        other => panic!("{wire}: {other:?}"),
    };
    let example = store("A003 STORE 2:4 +FLAGS (\\Deleted)");
    assert_eq!((example.action, example.silent), (StoreAction::Add, false));
    assert_eq!(example.flags, [Flag::Deleted]);
    let silent = store("a uid store 1 -flags.silent \\Seen $A");
    assert_eq!((silent.action, silent.silent), (StoreAction::Remove, true));
    assert_eq!(silent.flags, [Flag::Seen, Flag::Keyword("$A".into())]);
    assert_eq!(store("a STORE 1 FLAGS ()").flags, []);
    // RFC 7162 3.1.3.
    let conditional =
        store("a103 UID STORE 6,4,8 (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)");
    assert_eq!(conditional.unchanged_since, Some(12_121_230_045));
    assert_eq!(
        store("d STORE 7 (UNCHANGEDSINCE 0) FLAGS (x)").unchanged_since,
        Some(0)
    );
    for wrong in [
        "a STORE 1 FLAGS",
        "a STORE 1 FLAG (x)",
        "a STORE 1 (X 1) FLAGS ()",
        "a STORE 1 FLAGS.LOUD (x)",
    ] {
        assert!(parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn search_with_its_options() {
    let search = |wire: &str| match parse(wire) {
        Ok(Command::Search(search)) => search,
        other => panic!("{wire}: {other:?}"),
    };
    assert_eq!(
        search("A284 SEARCH CHARSET UTF-8 TEXT {6}\r\n\u{43f}\u{440}\u{438}"),
        Search {
            numbering: Numbering::Sequence,
            returns: None,
            charset: Some("UTF-8".into()),
            key: SearchKey::Text("\u{43f}\u{440}\u{438}".into()),
        }
    );
    // RFC 4731.
    let returns = search("C283 UID SEARCH RETURN (MIN COUNT) FLAGGED")
        .returns
        .unwrap();
    assert!(returns.min && returns.count && !returns.max && !returns.all);
    assert!(search("C SEARCH RETURN () FLAGGED").returns.unwrap().all);
    assert!(parse("a SEARCH").is_err());
    assert!(parse("a SEARCH RETURN (FOO) ALL").is_err());
    assert!(parse("a SEARCH CHARSET UTF-8").is_err());
}

#[test]
fn the_remaining_commands() {
    assert_eq!(
        parse("A003 COPY 2:4 MEETING"),
        Ok(Command::Copy(Copy {
            numbering: Numbering::Sequence,
            set: set("2:4"),
            mailbox: name("MEETING"),
        }))
    );
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
