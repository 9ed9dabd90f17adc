//! Commands that name messages, and APPEND.

use super::*;

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
fn append_in_the_place_of_another_message() {
    let replaces = |wire: &str| {
        let replaces = append(wire).unwrap_or_else(|e| panic!("{wire}: {e}"));
        replaces.replaces.map(|it| (it.uid, it.must_exist))
    };
    let whole = "A001 APPEND \"Drafts\" (\\Seen \\Draft) \"20-JAN-2010\" \
                 (REPLACESUID(30675) CHECKOLDEXISTS) ";
    assert_eq!(replaces(whole), Some((30_675, true)));
    let parsed = append(whole).unwrap();
    assert_eq!(parsed.flags, [Flag::Seen, Flag::Draft]);
    let date = parsed.internal_date.unwrap();
    assert_eq!(
        (date.to_unix_seconds(), date.zone_minutes),
        (1_263_945_600, 0)
    );
    for (wire, expected) in [
        ("a APPEND x (replacesuid(7)) ", Some((7, false))),
        (
            "a APPEND x \"1-Jan-2010\" (REPLACESUID(7)) ",
            Some((7, false)),
        ),
        (
            "a APPEND x () (CHECKOLDEXISTS REPLACESUID(7)) ",
            Some((7, true)),
        ),
        ("a APPEND x (Replacesuid2) ", None),
    ] {
        assert_eq!(replaces(wire), expected, "{wire}");
    }
    for wire in [
        "a APPEND x (CHECKOLDEXISTS) ",
        "a APPEND x (\\Seen) (CHECKOLDEXISTS) ",
        "a APPEND x (REPLACESUID(0)) ",
        "a APPEND x (REPLACESUID(4294967296)) ",
        "a APPEND x (REPLACESUID) ",
        "a APPEND x (REPLACESUID(1) REPLACESUID(2)) ",
        "a APPEND x (REPLACESUID(1)) (\\Seen) ",
        "a APPEND x () () ",
        "a APPEND x \"20-JAN-10\" ",
        "a APPEND x \"20-JAN-2010 \" ",
    ] {
        assert!(append(wire).is_err(), "{wire}");
    }
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
    let fast = [A::Flags, A::InternalDate, A::Rfc822Size];
    assert_eq!(fetch("a FETCH 1 fast").attributes, fast);
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
