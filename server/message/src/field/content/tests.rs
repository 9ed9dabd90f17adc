use super::{ContentType, Encoding, disposition, languages};

#[track_caller]
fn check(value: &str, expected: &str) {
    let parsed = ContentType::parse(value.as_bytes());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut shown = format!("{}/{}", text(&parsed.media_type), text(&parsed.subtype));
    for (name, value) in &parsed.params {
        shown.push_str(&format!("|{}={}", text(name), text(value)));
    }
    assert_eq!(shown, expected, "{value:?}");
}

#[test]
fn types_are_read_leniently() {
    check("text/plain; charset=utf-8", "text/plain|charset=utf-8");
    check(
        "TEXT/Plain;charset=\"utf-8\" ;format = flowed",
        "TEXT/Plain|charset=utf-8|format=flowed",
    );
    check(
        "text / html (a (nested) comment); a=b (c); d=\"e;\\\"f\"",
        "text/html|a=b|d=e;\"f",
    );
    check(
        "application/pdf; name=my file.pdf; x",
        "application/pdf|name=my file.pdf",
    );
    check("text", "text/plain");
    check("multipart; boundary=x", "multipart/mixed|boundary=x");
    check("pdf", "application/octet-stream");
    check("", "text/plain");
    check(";;;a=1;=2;b", "text/plain|a=1");
    check("text/plain; a=\"unclosed", "text/plain|a=unclosed");
    check("text/plain charset=x; b=c", "text/plain|b=c");
    check("text/plain (unclosed; a=b", "text/plain");
}

#[test]
fn boundaries_may_come_in_pieces() {
    let check = |value: &str, boundary: Option<&str>| {
        let parsed = ContentType::parse(value.as_bytes()).boundary();
        assert_eq!(parsed.as_deref(), boundary.map(str::as_bytes), "{value:?}");
    };
    check("multipart/mixed; boundary=\"a b \"", Some("a b"));
    check("multipart/mixed; boundary*1=b; boundary*0=a", Some("ab"));
    check("multipart/mixed; boundary*=us-ascii'en'a%62", Some("ab"));
    check("multipart/mixed; boundary=\"\"", None);
    check("multipart/mixed", None);
}

#[test]
fn encodings_dispositions_and_languages() {
    let check = |header: &str, encoding: Encoding| {
        assert_eq!(Encoding::of(header.as_bytes()), encoding, "{header:?}");
    };
    check("", Encoding::Identity);
    check("Content-Transfer-Encoding: BASE64\r\n", Encoding::Base64);
    check(
        "content-transfer-encoding: quoted-printable (x)\r\n",
        Encoding::QuotedPrintable,
    );
    check("content-transfer-encoding: x-uue\r\n", Encoding::Identity);
    let found = disposition(b"Content-Disposition: attachment; filename=\"a b\"\r\n").unwrap();
    assert_eq!(found.kind, b"attachment");
    assert_eq!(found.params, [(b"filename".to_vec(), b"a b".to_vec())]);
    let unnamed = disposition(b"Content-Disposition: ; filename=x\r\n").unwrap();
    assert_eq!(unnamed.kind, b"attachment");
    assert_eq!(disposition(b"Subject: x\r\n"), None);
    assert_eq!(
        languages(b"Content-Language: en, de-AT (x),,fr\r\n"),
        ["en", "de-AT", "fr"].map(Vec::from)
    );
}
