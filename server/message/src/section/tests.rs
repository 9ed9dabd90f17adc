//! The multipart of RFC 3501 6.4.5, and what a client asks of it.

use imap_proto::grammar::section::SectionText;

use super::{Resolved, header_fields, resolve};
use crate::scanner::{Limits, Scanner};
use crate::summary::{SummaryRef, summarize};

/// The parts that RFC 3501 6.4.5 lists, with bodies that name their numbers.
const EXAMPLE: &str = "\
Subject: outer\r\nContent-Type: multipart/mixed; boundary=b0\r\n\r\n\
--b0\r\nContent-Type: text/plain\r\n\r\nbody 1\r\n\
--b0\r\nContent-Type: application/octet-stream\r\n\r\nbody 2\r\n\
--b0\r\nContent-Type: message/rfc822\r\n\r\n\
Subject: three\r\nContent-Type: multipart/mixed; boundary=b3\r\n\r\n\
--b3\r\nContent-Type: text/plain\r\n\r\nbody 3.1\r\n\
--b3\r\nContent-Type: application/octet-stream\r\n\r\nbody 3.2\r\n--b3--\r\n\
--b0\r\nContent-Type: multipart/mixed; boundary=b4\r\n\r\n\
--b4\r\nContent-Type: image/gif\r\n\r\nbody 4.1\r\n\
--b4\r\nContent-Type: message/rfc822\r\nX-Mime: 4.2\r\n\r\n\
Subject: four two\r\nContent-Type: multipart/mixed; boundary=b42\r\n\r\n\
--b42\r\nContent-Type: text/plain\r\n\r\nbody 4.2.1\r\n\
--b42\r\nContent-Type: multipart/alternative; boundary=b422\r\n\r\n\
--b422\r\nContent-Type: text/plain\r\n\r\nbody 4.2.2.1\r\n\
--b422\r\nContent-Type: text/richtext\r\n\r\nbody 4.2.2.2\r\n\
--b422--\r\n--b42--\r\n--b4--\r\n--b0--\r\n";

fn stored(mail: &str) -> Vec<u8> {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(mail.as_bytes());
    summarize(&scanner.finish()).encode()
}

fn fetch(mail: &str, part: &[u32], text: &SectionText) -> Option<String> {
    let bytes = stored(mail);
    let summary = SummaryRef::decode(&bytes).unwrap();
    let slice = |range: std::ops::Range<u64>| {
        let range = range.start.try_into().unwrap()..range.end.try_into().unwrap();
        let range: std::ops::Range<usize> = range;
        &mail[range]
    };
    match (resolve(&summary, part, text), text) {
        (Resolved::Missing, _) => None,
        (Resolved::Range(range), _) => Some(slice(range).to_owned()),
        (Resolved::HeaderToFilter(range), SectionText::HeaderFields(names)) => {
            let out = header_fields(slice(range).as_bytes(), names, false);
            Some(String::from_utf8(out).unwrap())
        }
        (Resolved::HeaderToFilter(range), SectionText::HeaderFieldsNot(names)) => {
            let out = header_fields(slice(range).as_bytes(), names, true);
            Some(String::from_utf8(out).unwrap())
        }
        (Resolved::HeaderToFilter(_), _) => panic!("only field lists are filtered"),
    }
}

#[track_caller]
fn check(mail: &str, part: &[u32], text: SectionText, expected: Option<&str>) {
    assert_eq!(
        fetch(mail, part, &text).as_deref(),
        expected,
        "{part:?} {text:?}"
    );
}

#[test]
fn every_leaf_of_the_example_is_found_by_its_numbers() {
    let parts: [&[u32]; 8] = [
        &[1],
        &[2],
        &[3, 1],
        &[3, 2],
        &[4, 1],
        &[4, 2, 1],
        &[4, 2, 2, 1],
        &[4, 2, 2, 2],
    ];
    for part in parts {
        let numbers: Vec<_> = part.iter().map(u32::to_string).collect();
        let body = format!("body {}", numbers.join("."));
        check(EXAMPLE, part, SectionText::All, Some(&body));
        check(EXAMPLE, part, SectionText::Text, None);
        check(EXAMPLE, part, SectionText::Header, None);
    }
}

#[test]
fn messages_in_the_example_have_header_and_text() {
    let three = "Subject: three\r\nContent-Type: multipart/mixed; boundary=b3\r\n\r\n";
    check(EXAMPLE, &[], SectionText::All, Some(EXAMPLE));
    check(EXAMPLE, &[3], SectionText::Header, Some(three));
    let text = fetch(EXAMPLE, &[3], &SectionText::Text).unwrap();
    assert!(
        text.starts_with("--b3\r\n") && text.ends_with("--b3--"),
        "{text:?}"
    );
    check(
        EXAMPLE,
        &[3],
        SectionText::All,
        Some(&format!("{three}{text}")),
    );
    check(
        EXAMPLE,
        &[3],
        SectionText::Mime,
        Some("Content-Type: message/rfc822\r\n\r\n"),
    );
    let mime = "Content-Type: message/rfc822\r\nX-Mime: 4.2\r\n\r\n";
    check(EXAMPLE, &[4, 2], SectionText::Mime, Some(mime));
    let subject = SectionText::HeaderFields(vec![b"SUBJECT".to_vec(), b"From".to_vec()]);
    check(
        EXAMPLE,
        &[4, 2],
        subject.clone(),
        Some("Subject: four two\r\n\r\n"),
    );
    check(
        EXAMPLE,
        &[],
        subject.clone(),
        Some("Subject: outer\r\n\r\n"),
    );
    check(EXAMPLE, &[4], subject, None);
    let not = SectionText::HeaderFieldsNot(vec![b"content-type".to_vec()]);
    check(EXAMPLE, &[3], not, Some("Subject: three\r\n\r\n"));
    let header = fetch(EXAMPLE, &[], &SectionText::Header).unwrap();
    let text = fetch(EXAMPLE, &[], &SectionText::Text).unwrap();
    assert_eq!(header + &text, EXAMPLE);
}

#[test]
fn parts_that_are_not_there_are_missing() {
    for part in [
        &[5][..],
        &[0],
        &[1, 1],
        &[3, 3],
        &[4, 3],
        &[4, 2, 2, 3],
        &[1; 1000],
    ] {
        check(EXAMPLE, part, SectionText::All, None);
    }
    check(EXAMPLE, &[], SectionText::Mime, None);
}

#[test]
fn a_message_without_parts_has_a_part_1() {
    let mail = "Subject: s\r\n\r\nbody\r\n";
    check(mail, &[1], SectionText::All, Some("body\r\n"));
    check(mail, &[1], SectionText::Mime, Some("Subject: s\r\n\r\n"));
    check(mail, &[1], SectionText::Header, None);
    check(mail, &[2], SectionText::All, None);
    check(mail, &[1, 1], SectionText::All, None);
    // The whole message may be a message/rfc822 part.
    let mail = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody";
    check(
        mail,
        &[1],
        SectionText::All,
        Some("Subject: in\r\n\r\nbody"),
    );
    check(mail, &[1], SectionText::Header, Some("Subject: in\r\n\r\n"));
    check(mail, &[1, 1], SectionText::All, Some("body"));
}

#[test]
fn a_part_without_body_keeps_its_empty_line() {
    let mail =
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nA: b\r\n\r\n--b\r\nA: c\r\n--b--";
    check(mail, &[1], SectionText::Mime, Some("A: b\r\n\r\n"));
    check(mail, &[1], SectionText::All, Some(""));
    check(mail, &[2], SectionText::Mime, Some("A: c"));
    check(mail, &[2], SectionText::All, Some(""));
}

#[test]
fn field_lists_end_with_an_empty_line_whatever_the_mail_has() {
    let check = |header: &str, names: &[&str], not: bool, expected: &str| {
        let out = header_fields(header.as_bytes(), names, not);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            expected,
            "{header:?} {names:?} {not}"
        );
    };
    check(
        "A: 1\r\n 2\r\nB: 3\r\n\r\n",
        &["a"],
        false,
        "A: 1\r\n 2\r\n\r\n",
    );
    check("A: 1\r\n 2\r\nB: 3\r\n\r\n", &["a"], true, "B: 3\r\n\r\n");
    check("A: 1\nB: 3\n\n", &["b"], false, "B: 3\n\n");
    check("A: 1\r\nB: 3", &["b"], false, "B: 3\r\n\r\n");
    check("A: 1\r\nB: 3\r\n", &["b"], false, "B: 3\r\n\r\n");
    check("A: 1\r\n\r\n", &["x"], false, "\r\n");
    check("", &["x"], true, "\r\n");
    check(
        "A : 1\r\nA: 2\r\njunk\r\n\r\n",
        &["A"],
        false,
        "A : 1\r\nA: 2\r\n\r\n",
    );
    check(
        "A : 1\r\nA: 2\r\njunk\r\n\r\n",
        &["A"],
        true,
        "junk\r\n\r\n",
    );
}
