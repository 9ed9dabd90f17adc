//! Ugly mails as a table: what the scanner says about each, one line a part.

use super::{Kind, Limits, Scanner, Structure};

fn scan(mail: &str) -> Structure {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(mail.as_bytes());
    scanner.finish()
}

/// One line a part: depth as dots, number, kind, the body quoted, its lines.
fn show(mail: &str) -> Vec<String> {
    let structure = scan(mail);
    let line = |part: &super::Part| {
        let range = part.body_start.try_into().unwrap()..part.body_end.try_into().unwrap();
        let body: &str = &mail[range];
        let dots = ".".repeat(part.depth);
        match part.kind {
            Kind::Multipart => format!("{dots}{} multipart", part.number),
            Kind::Message => format!("{dots}{} message {}", part.number, part.lines),
            kind => format!("{dots}{} {kind:?} {body:?} {}", part.number, part.lines),
        }
    };
    structure.parts().iter().map(line).collect()
}

#[track_caller]
fn check(mail: &str, expected: &[&str]) {
    assert_eq!(show(mail), expected, "{mail:?}");
    // The same mail with bare line feeds has the same parts.
    let bare = mail.replace("\r\n", "\n");
    let expected: Vec<_> = expected
        .iter()
        .map(|line| line.replace("\\r\\n", "\\n"))
        .collect();
    assert_eq!(show(&bare), expected, "{bare:?}");
    // And however it is cut in two.
    let whole = scan(mail);
    for cut in 0..=mail.len() {
        let (first, second) = mail.as_bytes().split_at(cut);
        let mut scanner = Scanner::new(Limits::default());
        scanner.feed(first);
        scanner.feed(second);
        assert_eq!(scanner.finish(), whole, "cut at {cut}");
    }
    let mut scanner = Scanner::new(Limits::default());
    mail.as_bytes()
        .chunks(1)
        .for_each(|octet| scanner.feed(octet));
    assert_eq!(scanner.finish(), whole, "one octet at a time");
}

const MIXED: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

#[test]
fn mail_without_parts_is_one_leaf() {
    check("", &["1 Leaf \"\" 0"]);
    check("\r\n", &["1 Leaf \"\" 0"]);
    check("\r\nbody", &["1 Leaf \"body\" 0"]);
    check("A: b\r\n\r\nbody\r\n", &["1 Leaf \"body\\r\\n\" 1"]);
    check("A: b\r\n", &["1 Leaf \"\" 0"]);
    check("A: b", &["1 Leaf \"\" 0"]);
    check("A: b\r\n--b\r\n\r\n--b\r\n", &["1 Leaf \"--b\\r\\n\" 1"]);
}

#[test]
fn the_line_break_before_a_delimiter_belongs_to_the_delimiter() {
    check(
        &format!("{MIXED}pre\r\n--b\r\n\r\none\r\n\r\n--b\r\nA: b\r\n\r\ntwo\r\n--b--\r\nepi\r\n"),
        &[
            "1 multipart",
            ".1 Leaf \"one\\r\\n\" 1",
            ".2 Leaf \"two\" 0",
        ],
    );
}

#[test]
fn parts_may_be_empty_in_every_way() {
    check(
        &format!("{MIXED}--b\r\n--b\r\n\r\n--b\r\nA: b\r\n\r\n--b\r\nA: b\r\n--b--"),
        &[
            "1 multipart",
            ".1 Leaf \"\" 0",
            ".2 Leaf \"\" 0",
            ".3 Leaf \"\" 0",
            ".4 Leaf \"\" 0",
        ],
    );
}

#[test]
fn a_last_part_without_an_empty_line_is_kept() {
    check(
        &format!("{MIXED}--b\r\n\r\none\r\n--b\r\nContent-Type: text/html"),
        &["1 multipart", ".1 Leaf \"one\" 0", ".2 Leaf \"\" 0"],
    );
    let mail = format!("{MIXED}--b\r\n\r\none\r\n--b\r\nContent-Type: text/html");
    let structure = scan(&mail);
    let last = structure.parts().last().unwrap();
    assert_eq!(structure.header(last), b"Content-Type: text/html");
}

#[test]
fn an_outer_delimiter_ends_an_inner_multipart_that_is_not_closed() {
    check(
        &format!(
            "{MIXED}--b\r\nContent-Type: multipart/alternative; boundary=\"i n\"\r\n\r\n\
             --i n\r\n\r\nin\r\n--b\r\n\r\nout\r\n--i n\r\nstill out\r\n--b--\r\n"
        ),
        &[
            "1 multipart",
            ".1 multipart",
            "..1 Leaf \"in\" 0",
            ".2 Leaf \"out\\r\\n--i n\\r\\nstill out\" 2",
        ],
    );
}

#[test]
fn delimiters_may_have_white_space_and_look_alike() {
    check(
        &format!("{MIXED}--b \t\r\n\r\none\r\n--bb\r\n-- b\r\n--\r\n--b--  \r\n--b\r\nepilogue"),
        &[
            "1 multipart",
            ".1 Leaf \"one\\r\\n--bb\\r\\n-- b\\r\\n--\" 3",
        ],
    );
    // A boundary that is another one with dashes.
    check(
        &format!(
            "{MIXED}--b\r\nContent-Type: multipart/mixed; boundary=b--\r\n\r\n\
             --b--\r\n\r\nin\r\n--b----\r\n--b\r\n\r\nout\r\n--b--\r\n"
        ),
        &[
            "1 multipart",
            ".1 multipart",
            "..1 Leaf \"in\" 0",
            ".2 Leaf \"out\" 0",
        ],
    );
}

#[test]
fn a_multipart_that_cannot_be_split_is_readable() {
    check(
        "Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\none\r\n",
        &["1 NoBoundary \"--b\\r\\n\\r\\none\\r\\n\" 3"],
    );
    check(
        &format!("{MIXED}no delimiter\r\n"),
        &["1 multipart", ".1 NoBoundary \"no delimiter\\r\\n\" 1"],
    );
    check(
        &format!("{MIXED}--b--\r\n"),
        &["1 multipart", ".1 NoBoundary \"--b--\\r\\n\" 1"],
    );
    let long = "x".repeat(300);
    let mail = format!("Content-Type: multipart/mixed; boundary={long}\r\n\r\n--{long}\r\n");
    assert_eq!(scan(&mail).parts().len(), 1);
    assert_eq!(scan(&mail).parts()[0].kind, Kind::Opaque);
}

#[test]
fn messages_inside_are_looked_into_unless_they_are_encoded() {
    let inner = "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nbody\r\n";
    check(
        &format!("{MIXED}--b\r\n{inner}--b--\r\n"),
        &["1 multipart", ".1 message 2", "..1 Leaf \"body\" 0"],
    );
    check(inner, &["1 message 3", ".1 Leaf \"body\\r\\n\" 1"]);
    check(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nU3ViamVjdDo=",
        &["1 Opaque \"U3ViamVjdDo=\" 0"],
    );
    // An inner message whose own line break belongs to the delimiter.
    check(
        &format!("{MIXED}--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\n--b--\r\n"),
        &["1 multipart", ".1 message 1", "..1 Leaf \"\" 0"],
    );
}

#[test]
fn a_digest_holds_messages_unless_they_say_otherwise() {
    check(
        "Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nSubject: a\r\n\r\none\r\n\
         --b\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--b\r\n--b--\r\n",
        &[
            "1 multipart",
            ".1 message 2",
            "..1 Leaf \"one\" 0",
            ".2 Leaf \"two\" 0",
            ".3 message 0",
            "..1 Leaf \"\" 0",
        ],
    );
}

#[test]
fn a_message_inside_may_hold_a_multipart_that_ends_with_the_outer_one() {
    check(
        &format!(
            "{MIXED}--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\
             Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c\r\n--b\r\n\r\ny"
        ),
        &[
            "1 multipart",
            ".1 message 6",
            "..1 multipart",
            "...1 Leaf \"x\" 0",
            "...2 Leaf \"\" 0",
            ".2 Leaf \"y\" 0",
        ],
    );
}

#[test]
fn only_fields_that_matter_are_kept_folded_as_they_are() {
    let mail = "X-Junk: 1\r\n more\r\nSubject: a\r\n b\r\nno field\r\n folded\r\nTO : x\r\n\r\n";
    let structure = scan(mail);
    let header = structure.header(&structure.parts()[0]);
    assert_eq!(header, b"Subject: a\r\n b\r\nTO : x\r\n");
}

#[test]
fn a_long_header_leaves_room_for_the_type() {
    let to = " someone@example.org,\r\n".repeat(20_000);
    let mail = format!("To:{to}Subject: s\r\n{MIXED}--b\r\n\r\none\r\n--b--\r\n");
    let structure = scan(&mail);
    let root = &structure.parts()[0];
    assert!(root.header_cut);
    assert_eq!(root.kind, Kind::Multipart);
    assert!(structure.header(root).len() <= Limits::default().part_header_bytes_max);
    assert!(structure.header(root).ends_with(b"boundary=b\r\n"));
    assert_eq!(structure.parts().len(), 2);
}

#[test]
fn lines_of_any_length_cost_nothing() {
    let long = "x".repeat(100_000);
    let mail = format!("Subject: {long}\r\n{MIXED}--b{long}\r\n--b\r\n\r\n{long}\r\n--b--\r\n");
    let structure = scan(&mail);
    assert_eq!(structure.parts().len(), 2);
    assert_eq!(structure.parts()[1].octets(), 100_000);
    assert_eq!(
        structure.header(&structure.parts()[0]),
        &MIXED.as_bytes()[..MIXED.len() - 2]
    );
}

#[test]
fn parts_beyond_the_bound_are_one_part() {
    let mut mail = MIXED.to_owned();
    for number in 0..10 {
        mail.push_str(&format!("--b\r\n\r\n{number}\r\n"));
    }
    mail.push_str("--b--\r\n");
    let mut scanner = Scanner::new(Limits {
        parts_max: 4,
        ..Limits::default()
    });
    scanner.feed(mail.as_bytes());
    let structure = scanner.finish();
    let parts = structure.parts();
    assert_eq!(parts.len(), 4);
    let last = &parts[3];
    assert_eq!((last.kind, last.number), (Kind::Opaque, 3));
    let body = &mail[last.body_start.try_into().unwrap()..last.body_end.try_into().unwrap()];
    assert!(body.starts_with("\r\n2\r\n--b\r\n\r\n3\r\n"), "{body:?}");
    assert!(body.ends_with("9\r\n--b--\r\n"));
    assert_eq!(
        u64::try_from(body.matches('\n').count()).unwrap(),
        last.lines
    );
}

#[test]
fn levels_beyond_the_bound_are_one_part() {
    let mail = "Content-Type: message/rfc822\r\n\r\n".repeat(10);
    let mut scanner = Scanner::new(Limits {
        depth_max: 3,
        ..Limits::default()
    });
    scanner.feed(mail.as_bytes());
    let structure = scanner.finish();
    let kinds: Vec<_> = structure.parts().iter().map(|part| part.kind).collect();
    assert_eq!(
        kinds,
        [Kind::Message, Kind::Message, Kind::Message, Kind::Opaque]
    );
    assert_eq!(structure.parts()[3].octets(), 6 * 32);
}
