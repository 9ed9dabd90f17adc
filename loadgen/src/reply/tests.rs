//! Every response is read the same whatever pieces it comes in.

use super::reader::{Framing, ReplyReader};
use super::{Code, Fetched, Flags, Reply, Status, Untagged};
use crate::fault::FaultKind;

fn read(pieces: &[&[u8]]) -> Result<Vec<String>, FaultKind> {
    let mut reader = ReplyReader::default();
    let mut lines = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        while let Some(line) = reader.next(&mut input, None).map_err(|fault| fault.kind)? {
            Reply::parse(line).map_err(|fault| fault.kind)?;
            lines.push(String::from_utf8_lossy(line).into_owned());
        }
    }
    Ok(lines)
}

/// Reads `bytes` whole, cut in two at every place, and a byte at a time.
fn check(bytes: &str, expected: Result<&[&str], FaultKind>) {
    let bytes = bytes.as_bytes();
    let expected = expected.map(|lines| {
        lines
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<String>>()
    });
    assert_eq!(read(&[bytes]), expected, "whole");
    for cut in 0..=bytes.len() {
        let (front, back) = bytes.split_at(cut);
        assert_eq!(read(&[front, back]), expected, "cut at {cut}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(read(&single), expected, "byte by byte");
}

#[test]
fn responses_are_read_whole_at_every_split() {
    check("* OK ready\r\n", Ok(&["* OK ready"]));
    check(
        "* 3 EXISTS\r\n+ go on\r\nA1 OK done\r\n",
        Ok(&["* 3 EXISTS", "+ go on", "A1 OK done"]),
    );
    check(
        "* 1 FETCH (UID 7 BODY[] {12}\r\nA2 OK not\r\nx)\r\nA2 OK yes\r\n",
        Ok(&["* 1 FETCH (UID 7 BODY[] {12})", "A2 OK yes"]),
    );
    check(
        "* 1 FETCH (BODY[] {0}\r\n UID 7)\r\n",
        Ok(&["* 1 FETCH (BODY[] {0} UID 7)"]),
    );
    check(
        "* 1 FETCH (BODY[] {1}\r\na RFC822.HEADER {2}\r\n\r\n UID 7)\r\n",
        Ok(&["* 1 FETCH (BODY[] {1} RFC822.HEADER {2} UID 7)"]),
    );
}

#[test]
fn text_for_people_announces_no_literal() {
    check(
        "* OK see {3}\r\nA1 NO see {3}\r\n",
        Ok(&["* OK see {3}", "A1 NO see {3}"]),
    );
}

#[test]
fn broken_framing_is_malformed() {
    let malformed = Err(FaultKind::Malformed);
    check("* OK bare line feed\n", malformed);
    check("* 1 FETCH (BODY[] {x}\r\n", malformed);
    check("* 1 FETCH (BODY[] {99999999999}\r\n", malformed);
    // The literal is a byte shorter than announced, and the parenthesis went into it.
    check("* 1 FETCH (BODY[] {3}\r\nab)\r\nA1 OK done\r\n", malformed);
    // It is a byte longer, and its last byte stands where a space or parenthesis must.
    check(
        "* 1 FETCH (BODY[] {3}\r\nabcd)\r\nA1 OK done\r\n",
        malformed,
    );
    // It takes in what follows, and the end of the next response looks like a literal.
    check(
        "* 1 FETCH (BODY[] {6}\r\nabc)\r\nA1 OK see {3}\r\n",
        malformed,
    );
    check("* 1 FETCH (UID 0)\r\n", malformed);
    check("* 1 FETCH (UID 4\r\n", malformed);
    check("A1 MAYBE done\r\n", malformed);
    check("\r\n", malformed);
}

#[test]
fn a_line_without_end_is_given_up() {
    let long = vec![b'a'; 4 * 1024 * 1024 + 1];
    assert_eq!(read(&[&long]), Err(FaultKind::Malformed));
}

fn parsed(line: &str, expected: Reply<'_>) {
    assert_eq!(Reply::parse(line.as_bytes()), Ok(expected), "{line}");
}

#[test]
fn responses_mean_what_they_say() {
    parsed("+ idling", Reply::Continuation);
    parsed(
        "a7 ok [READ-WRITE] done",
        Reply::Tagged {
            tag: b"a7",
            status: Status::Ok,
            code: Code::Other,
        },
    );
    parsed(
        "a8 OK [APPENDUID 5 77] done",
        Reply::Tagged {
            tag: b"a8",
            status: Status::Ok,
            code: Code::AppendUid {
                validity: 5,
                uid: 77,
            },
        },
    );
    parsed(
        "* BYE so long",
        Reply::Untagged(Untagged::Status(Status::Bye, Code::Other)),
    );
    parsed(
        "* OK [CAPABILITY IMAP4rev1 IDLE] ready",
        Reply::Untagged(Untagged::Status(
            Status::Ok,
            Code::Capability(b"IMAP4rev1 IDLE"),
        )),
    );
    parsed(
        "* OK [HIGHESTMODSEQ 90] so",
        Reply::Untagged(Untagged::Status(Status::Ok, Code::HighestModSeq(90))),
    );
    parsed("* 12 EXISTS", Reply::Untagged(Untagged::Exists(12)));
    parsed("* 12 EXPUNGE", Reply::Untagged(Untagged::Expunge(12)));
    parsed("* 12 RECENT", Reply::Untagged(Untagged::Other));
    parsed("* SEARCH", Reply::Untagged(Untagged::Search(b"")));
    parsed("* search 4 5", Reply::Untagged(Untagged::Search(b"4 5")));
    parsed("* FLAGS (\\Seen)", Reply::Untagged(Untagged::Other));
}

#[test]
fn messages_say_what_is_asked_of_them() {
    let flagged = Flags::default().with(Flags::FLAGGED, true);
    parsed(
        "* 12 FETCH (FLAGS (\\Seen \\flagged) UID 4 RFC822.SIZE 900)",
        Reply::Untagged(Untagged::Fetch(Fetched {
            sequence: 12,
            uid: Some(4),
            size_bytes: Some(900),
            flags: Some(flagged.with(Flags::SEEN, true)),
            ..Fetched::default()
        })),
    );
    parsed(
        "* 2 FETCH (MODSEQ (9) ENVELOPE (\"a)\" ((NIL) b)) FLAGS () BODY[] \"abc\" UID 4)",
        Reply::Untagged(Untagged::Fetch(Fetched {
            sequence: 2,
            uid: Some(4),
            flags: Some(Flags::default()),
            mod_seq: Some(9),
            body_bytes: Some(3),
            has_envelope: true,
            ..Fetched::default()
        })),
    );
    parsed(
        "* 3 FETCH (BODY[HEADER.FIELDS (DATE FROM)] {77} UID 5)",
        Reply::Untagged(Untagged::Fetch(Fetched {
            sequence: 3,
            uid: Some(5),
            header_bytes: Some(77),
            ..Fetched::default()
        })),
    );
}

#[test]
fn lmtp_has_no_literals() {
    let mut reader = ReplyReader::new(Framing::Lmtp);
    let mut input: &[u8] = b"250-SIZE {3}\r\n250 {4}\r\n";
    assert_eq!(
        reader.next(&mut input, None),
        Ok(Some(&b"250-SIZE {3}"[..]))
    );
    assert_eq!(reader.next(&mut input, None), Ok(Some(&b"250 {4}"[..])));
    assert_eq!(reader.next(&mut input, None), Ok(None));
}
