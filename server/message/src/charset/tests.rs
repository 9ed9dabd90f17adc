use super::{SUPPORTED, decode_charset, decode_leniently};

#[test]
fn charsets_of_mail_are_decoded() {
    let check = |name: &str, bytes: &[u8], text: &str| {
        assert_eq!(decode_charset(name, bytes).as_deref(), Some(text), "{name}");
    };
    check("utf-8", "\u{e4}".as_bytes(), "\u{e4}");
    check("US-ASCII", b"a", "a");
    check("iso-8859-1", b"\xe4", "\u{e4}");
    check("KOI8-R", b"\xd0\xd2", "\u{43f}\u{440}");
    check("utf-7", b"+AOQ-", "\u{e4}");
    check("cp850", b"\x84", "\u{e4}");
    check("ISO-2022-JP", b"\x1b$B$\"\x1b(B", "\u{3042}");
    check("Shift_JIS", b"\x82\xa0", "\u{3042}");
    check("gb18030", b"\xc4\xe3", "\u{4f60}");
    assert_eq!(decode_charset("x-unknown", b"a"), None);
    assert_eq!(decode_charset("", b"a"), None);
    assert_eq!(decode_charset(&"x".repeat(100), b"a"), None);
}

#[test]
fn every_name_that_is_offered_works() {
    for name in SUPPORTED {
        assert!(decode_charset(name, b"a").is_some(), "{name}");
    }
}

#[test]
fn text_is_decoded_whatever_its_header_claims() {
    let check = |name: &str, bytes: &[u8], text: &str| {
        assert_eq!(
            decode_leniently(name.as_bytes(), bytes),
            text,
            "{name} {bytes:?}"
        );
    };
    check("", "\u{e4}".as_bytes(), "\u{e4}");
    check("us-ascii", "\u{e4}".as_bytes(), "\u{e4}");
    check("us-ascii", b"\xe4", "\u{e4}");
    check("x-unknown", b"\xe4", "\u{e4}");
    check("x-unknown", "\u{e4}".as_bytes(), "\u{e4}");
    check("utf-8", b"a\xe4", "a\u{fffd}");
    check("utf-7", b"+AOQ-", "\u{e4}");
}
