use super::{
    Needle, Progress, Scope, Scratch, TextKeys, TextSearch, body_contains, header_contains,
    text_contains,
};
use crate::scanner::{Limits, Scanner};
use crate::summary::{SummaryRef, summarize};

mod random;
mod reference;

fn with_summary<T>(mail: &[u8], look: impl Fn(&SummaryRef<'_>) -> T) -> T {
    let mut scanner = Scanner::new(Limits::default());
    scanner.feed(mail);
    let bytes = summarize(&scanner.finish()).encode();
    look(&SummaryRef::decode(&bytes).unwrap())
}

#[track_caller]
fn check_body(mail: &[u8], needle: &str, found: bool) {
    let shown = String::from_utf8_lossy(mail).into_owned();
    let needle_text = needle;
    let needle = Needle::new(needle);
    let result = with_summary(mail, |summary| body_contains(mail, summary, &needle));
    assert_eq!(result, found, "{needle_text:?} in {shown:?}");
}

#[track_caller]
fn check_header(header: &str, name: &str, needle: &str, found: bool) {
    let result = header_contains(header.as_bytes(), name, &Needle::new(needle));
    assert_eq!(result, found, "{needle:?} in {name} of {header:?}");
}

#[test]
fn headers_are_searched_decoded() {
    let header = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= aus\r\n Wien\r\nX-Empty:\r\n\
        From: \"J\" <j@x>\r\nSubject: second\r\n\r\nSubject: body";
    check_header(header, "SUBJECT", "GR\u{dc}\u{df}E AUS WIEN", true);
    check_header(header, "subject", "second", true);
    check_header(header, "subject", "=C3", false);
    check_header(header, "subject", "body", false);
    check_header(header, "from", "<J@X>", true);
    check_header(header, "x-empty", "", true);
    check_header(header, "x-empty", "a", false);
    check_header(header, "x-other", "", false);
}

#[test]
fn bodies_are_searched_decoded() {
    check_body(b"Subject: s\r\n\r\nHello World\r\n", "lo wor", true);
    check_body(b"Subject: s\r\n\r\nHello World\r\n", "subject", false);
    check_body(b"Subject: s\r\n\r\nHello World\r\n", "", true);
    let mail = b"Content-Type: text/plain; charset=koi8-r\r\n\r\n\xd0\xd2\xc9\xd7\xc5\xd4";
    check_body(mail, "\u{41f}\u{440}\u{418}\u{432}\u{435}\u{442}", true);
    let mail = b"Content-Transfer-Encoding: quoted-printable\r\n\r\nfo=\r\no =C3=A4";
    check_body(mail, "foo \u{c4}", true);
    let mail = b"Content-Type: text/plain; charset=utf-16le\r\n\
        Content-Transfer-Encoding: base64\r\n\r\naABlAGwA\r\nbABvAA==\r\n";
    check_body(mail, "hello", true);
    check_body(mail, "aABl", false);
    check_body(
        b"Content-Type: text/plain; charset=utf-7\r\n\r\n+AOQ-",
        "\u{e4}",
        true,
    );
    check_body(
        b"Content-Type: x/y; charset=nonsense\r\n\r\nabc \xe4",
        "ABC \u{e4}",
        true,
    );
    check_body(b"Content-Type: image/png\r\n\r\nabc", "abc", false);
}

#[test]
fn html_is_searched_as_written_and_as_read() {
    let mail = b"Content-Type: text/html\r\n\r\n<p class=x>Caf&eacute; <b>no</b>ir</p>";
    check_body(mail, "CAF\u{c9} noir", true);
    check_body(mail, "class=x", true);
    check_body(mail, "other", false);
}

#[test]
fn parts_and_messages_inside_are_searched() {
    let mail = b"Subject: outer\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
        --b\r\nContent-Type: text/plain; name=file.txt\r\n\r\none\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: =?utf-8?q?in=6Eer?=\r\n\r\n\
        two\r\n--b--\r\n";
    check_body(mail, "one", true);
    check_body(mail, "two", true);
    check_body(mail, "inner", true);
    check_body(mail, "outer", false);
    check_body(mail, "file.txt", false);
    for (needle, found) in [
        ("outer", true),
        ("file.txt", true),
        ("two", true),
        ("three", false),
    ] {
        let result = with_summary(mail, |summary| {
            text_contains(mail, summary, &Needle::new(needle))
        });
        assert_eq!(result, found, "{needle}");
    }
}

#[test]
fn a_message_shorter_than_its_summary_shows_less() {
    let mail = b"Subject: s\r\n\r\nHello World\r\n";
    let found = with_summary(mail, |summary| {
        (0..mail.len()).any(|end| body_contains(&mail[..end], summary, &Needle::new("World\r\n")))
    });
    assert!(!found);
}
