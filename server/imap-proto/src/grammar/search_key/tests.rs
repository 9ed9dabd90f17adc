use super::*;
use crate::grammar::{SequenceBound, SequenceRange};

fn parse(wire: &str) -> Parsed<SearchKey> {
    search_keys(&mut Cursor::new(wire.as_bytes()))
}

fn header(field: &str, value: &str) -> SearchKey {
    SearchKey::Header {
        field: field.into(),
        value: value.into(),
    }
}

#[test]
fn rfc3501_examples_are_read() {
    // RFC 3501 6.4.4.
    assert_eq!(
        parse("FLAGGED SINCE 1-Feb-1994 NOT FROM \"Smith\""),
        Ok(SearchKey::And(vec![
            SearchKey::HasFlag(Flag::Flagged),
            SearchKey::Since(Date {
                year: 1994,
                month: 2,
                day: 1
            }),
            SearchKey::Not(Box::new(header("FROM", "Smith"))),
        ]))
    );
    assert_eq!(
        parse("TEXT {6}\r\nabcdef"),
        Ok(SearchKey::Text(b"abcdef".to_vec()))
    );
}

#[test]
fn every_key_is_read_in_any_case() {
    for wire in [
        "ALL",
        "answered",
        "BCC a",
        "BEFORE 1-Jan-2000",
        "BODY \"x y\"",
        "CC a",
        "DELETED",
        "DRAFT",
        "FLAGGED",
        "FROM a",
        "HEADER Message-ID \"\"",
        "KEYWORD $Junk",
        "LARGER 10",
        "NEW",
        "NOT ALL",
        "OLD",
        "ON \"1-Jan-2000\"",
        "OR SEEN DRAFT",
        "RECENT",
        "SEEN",
        "SENTBEFORE 1-Jan-2000",
        "SENTON 1-Jan-2000",
        "SENTSINCE 1-Jan-2000",
        "SINCE 1-Jan-2000",
        "SMALLER 1",
        "SUBJECT a",
        "TEXT a",
        "TO a",
        "UID 1:*",
        "UNANSWERED",
        "UNDELETED",
        "UNDRAFT",
        "UNFLAGGED",
        "UNKEYWORD a",
        "UNSEEN",
        "1,3:5",
        "*",
        "MODSEQ 620162338",
        "MODSEQ \"/flags/\\\\draft\" all 620162338",
        "(SEEN (DRAFT))",
    ] {
        assert!(parse(wire).is_ok(), "{wire}");
    }
}

#[test]
fn nesting_keeps_its_meaning() {
    let set = SequenceSet::new(vec![SequenceRange {
        start: SequenceBound::Number(1),
        end: SequenceBound::Star,
    }]);
    assert_eq!(
        parse("OR (1:* SEEN) NOT OR DRAFT NEW"),
        Ok(SearchKey::Or(
            Box::new(SearchKey::And(vec![
                SearchKey::Sequence(set.unwrap()),
                SearchKey::HasFlag(Flag::Seen)
            ])),
            Box::new(SearchKey::Not(Box::new(SearchKey::Or(
                Box::new(SearchKey::HasFlag(Flag::Draft)),
                Box::new(SearchKey::New)
            ))))
        ))
    );
}

#[test]
fn mod_seq_is_found_wherever_it_stands() {
    assert!(
        parse("NOT (SEEN OR MODSEQ 1 DRAFT)")
            .unwrap()
            .names_mod_seq()
    );
    assert!(!parse("SEEN").unwrap().names_mod_seq());
}

#[test]
fn wrong_keys_are_refused() {
    for wire in [
        "", "FOO", "FROM", "NOT", "OR SEEN", "()", "(SEEN", "SEEN)", "0", "LARGER x", "SEENX",
    ] {
        assert!(parse(wire).is_err(), "{wire}");
    }
}

#[test]
fn depth_and_count_are_bounded() {
    let deep = format!("{}SEEN{}", "(".repeat(100_000), ")".repeat(100_000));
    assert_eq!(parse(&deep), Err(SyntaxError::TooDeep("search keys")));
    let negated = format!("{}SEEN", "NOT ".repeat(100_000));
    assert_eq!(parse(&negated), Err(SyntaxError::TooDeep("search keys")));
    let many = vec!["SEEN"; SEARCH_KEYS_MAX + 1].join(" ");
    assert_eq!(parse(&many), Err(SyntaxError::TooMany("search keys")));
}
