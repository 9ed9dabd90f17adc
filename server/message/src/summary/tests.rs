use imap_proto::grammar::date::Date;

use super::{Class, Summary, SummaryError, SummaryRef, summarize};
use crate::field::content::Encoding;
use crate::scanner::{Kind, Limits, Scanner};

fn summary(mail: &str) -> Summary {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(mail.as_bytes());
    summarize(&scanner.finish())
}

#[track_caller]
fn check_envelope(mail: &str, expected: &str) {
    let envelope = summary(mail).envelope;
    assert_eq!(String::from_utf8_lossy(&envelope), expected, "{mail:?}");
}

#[track_caller]
fn check_structure(mail: &str, body: &str, body_structure: &str) {
    let summary = summary(mail);
    assert_eq!(String::from_utf8_lossy(&summary.body), body, "{mail:?}");
    assert_eq!(
        String::from_utf8_lossy(&summary.body_structure),
        body_structure,
        "{mail:?}"
    );
}

#[test]
fn envelopes_have_defaults_and_raw_values() {
    check_envelope(
        "Date: Wed, 17 Jul 1996 02:23:25 -0700\r\nFrom: Terry Gray <gray@cac.example>\r\n\
         Subject: =?utf-8?q?a?=\r\n b\r\nTo: imap@cac.example\r\nCc: x@y\r\ncc: z@w\r\n\
         Message-Id: <1@x>\r\nIn-Reply-To:\r\n\r\n",
        "(\"Wed, 17 Jul 1996 02:23:25 -0700\" \"=?utf-8?q?a?= b\" \
         ((\"Terry Gray\" NIL \"gray\" \"cac.example\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.example\")) \
         ((\"Terry Gray\" NIL \"gray\" \"cac.example\")) \
         ((NIL NIL \"imap\" \"cac.example\")) \
         ((NIL NIL \"x\" \"y\")(NIL NIL \"z\" \"w\")) NIL \"\" \"<1@x>\")",
    );
    check_envelope(
        "From: a@b\r\nSender: c@d\r\nReply-To: e@f\r\nReply-To: \r\n",
        "(NIL NIL ((NIL NIL \"a\" \"b\")) ((NIL NIL \"c\" \"d\")) ((NIL NIL \"e\" \"f\")) \
         NIL NIL NIL NIL NIL)",
    );
    check_envelope("", "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
}

#[test]
fn structures_are_rendered_in_both_forms() {
    check_structure(
        "\r\nhello\r\n",
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 7 1)",
        "(\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 7 1 NIL NIL NIL NIL)",
    );
    check_structure(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n\
         --b\r\nContent-Type: image/png; name=\"a b\"\r\nContent-ID: <i>\r\n\
         Content-Transfer-Encoding: base64\r\nContent-Description: d\r\nContent-MD5: m\r\n\
         Content-Disposition: inline; filename=f\r\nContent-Language: en, de\r\n\
         Content-Location: l\r\n\r\nAAAA\r\n--b--\r\n",
        "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 0)\
         (\"image\" \"png\" (\"name\" \"a b\") \"<i>\" \"d\" \"base64\" 4) \"mixed\")",
        "((\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)\
         (\"image\" \"png\" (\"name\" \"a b\") \"<i>\" \"d\" \"base64\" 4 \"m\" \
         (\"inline\" (\"filename\" \"f\")) (\"en\" \"de\") \"l\") \
         \"mixed\" (\"boundary\" \"b\") NIL NIL NIL)",
    );
    check_structure(
        "Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\nx\r\n",
        "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 18 \
         (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 1) 3)",
        "(\"message\" \"rfc822\" NIL NIL NIL \"7BIT\" 18 \
         (NIL \"in\" NIL NIL NIL NIL NIL NIL NIL NIL) \
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL) 3 \
         NIL NIL NIL NIL)",
    );
    // A type that could not be looked into goes by a plain name.
    check_structure(
        "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA",
        "(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 4)",
        "(\"application\" \"octet-stream\" NIL NIL NIL \"base64\" 4 NIL NIL NIL NIL)",
    );
    check_structure(
        "Content-Type: multipart/mixed\r\n\r\nx\r\n",
        "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 1)",
        "(\"text\" \"plain\" NIL NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL)",
    );
}

const MAIL: &str = "Date: 1 Jan 1970 00:00:01 +0000\r\nSubject: s\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\
    Content-Type: text/html; charset=koi8-r\r\n\
    Content-Transfer-Encoding: quoted-printable\r\n\r\none\r\n--b--\r\n";

#[test]
fn stored_bytes_are_read_back() {
    let summary = summary(MAIL);
    let bytes = summary.encode();
    let read = SummaryRef::decode(&bytes).unwrap();
    assert_eq!(read.size(), MAIL.len().try_into().unwrap());
    let sent = read.sent().unwrap();
    assert_eq!(
        sent.local,
        Date {
            year: 1970,
            month: 1,
            day: 1
        }
    );
    assert_eq!(sent.unix_seconds, 1);
    assert_eq!(read.envelope(), summary.envelope);
    assert_eq!(read.body(), summary.body);
    assert_eq!(read.body_structure(), summary.body_structure);
    let header = b"Date: 1 Jan 1970 00:00:01 +0000\r\nSubject: s\r\n";
    assert_eq!(read.search_header(), Some(&header[..]));
    assert_eq!(read.search_header_for(b"SUBJECT"), Some(&header[..]));
    assert_eq!(read.search_header_for(b"Content-Type"), None);
    assert_eq!(read.search_header_for(b"X-Other"), None);
    assert_eq!(read.part_count(), 2);
    assert_eq!(read.header_end(), read.root().body().start);
    let part = read.child(read.root(), 1).unwrap();
    assert_eq!(
        (part.index(), part.number(), part.parent()),
        (1, 1, Some(0))
    );
    assert_eq!((part.kind(), part.class()), (Kind::Leaf, Class::Html));
    assert_eq!(
        (part.encoding(), part.charset()),
        (Encoding::QuotedPrintable, &b"koi8-r"[..])
    );
    assert!(read.root().is_message(&read) && !part.is_message(&read));
    assert_eq!(read.child(read.root(), 2), None);
}

/// The layout is a promise to mail stored long ago: a change needs a new version.
#[test]
fn the_layout_of_version_1_does_not_change() {
    let bytes = summary("Date: 2 Mar 2001 00:00:00 +0000\r\n\r\nx\r\n").encode();
    let golden: &[u8] = &[
        1, 3, 0xd1, 0x07, 3, 2, // version, flags, 2001-03-02
        0x80, 0xe2, 0x9e, 0x3a, 0, 0, 0, 0, // 983491200
        38, 0, 0, 0, 0, 0, 0, 0, // size
        1, 0, 0, 0, 0, 0, 0, 0, // one part, no charsets
        65, 0, 0, 0, 58, 0, 0, 0, 74, 0, 0, 0, 33, 0, 0, 0, // lengths
        255, 255, 255, 255, 1, 0, 0, 0, // the message itself
        0, 0, 0, 0, 0, 0, 0, 0, 35, 0, 0, 0, 0, 0, 0, 0, 38, 0, 0, 0, 0, 0, 0, 0, // offsets
        0, 0, 0, 0, 0, 0, 0, 0, // leaf, text, identity, no charset
    ];
    assert_eq!(bytes.get(..golden.len()), Some(golden));
    let text = String::from_utf8(bytes[golden.len()..].to_vec()).unwrap();
    assert_eq!(
        text,
        "(\"2 Mar 2001 00:00:00 +0000\" NIL NIL NIL NIL NIL NIL NIL NIL NIL)\
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 1)\
         (\"text\" \"plain\" (\"charset\" \"us-ascii\") NIL NIL \"7BIT\" 3 1 NIL NIL NIL NIL)\
         Date: 2 Mar 2001 00:00:00 +0000\r\n"
    );
}

#[test]
fn damaged_bytes_are_refused() {
    let bytes = summary(MAIL).encode();
    for end in 0..bytes.len() {
        assert!(SummaryRef::decode(&bytes[..end]).is_err(), "cut to {end}");
    }
    let longer = [&bytes[..], b"x"].concat();
    assert_eq!(
        SummaryRef::decode(&longer).unwrap_err(),
        SummaryError::Length
    );
    let mut newer = bytes.clone();
    newer[0] = 2;
    assert_eq!(
        SummaryRef::decode(&newer).unwrap_err(),
        SummaryError::Version(2)
    );
    // No flipped bit leads to a part outside the message.
    for at in 0..bytes.len() * 8 {
        let mut flipped = bytes.clone();
        flipped[at / 8] ^= 1 << (at % 8);
        if let Ok(summary) = SummaryRef::decode(&flipped) {
            for part in summary.parts() {
                assert!(part.header().start <= part.body().start, "bit {at}");
                assert!(part.body().end <= summary.size(), "bit {at}");
            }
        }
    }
}

#[test]
fn long_headers_are_not_kept_for_search() {
    let to = " a@example.org,\r\n".repeat(200);
    let bytes = summary(&format!("To:{to}Subject: s\r\n\r\n")).encode();
    assert_eq!(SummaryRef::decode(&bytes).unwrap().search_header(), None);
}
