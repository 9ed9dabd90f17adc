use super::*;

fn written(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out);
    out
}

#[test]
fn numbers_are_decimal() {
    for value in [0, 1, 9, 10, 4_294_967_295, u64::MAX] {
        assert_eq!(
            written(|out| number64(out, value)),
            value.to_string().into_bytes()
        );
    }
}

#[test]
fn strings_take_the_form_that_carries_them() {
    let cases: [(&[u8], &[u8]); 5] = [
        (b"", b"\"\""),
        (b"plain", b"\"plain\""),
        (b"a\"b\\c", b"\"a\\\"b\\\\c\""),
        (b"a\r\nb", b"{4}\r\na\r\nb"),
        (b"\xc3\xa9", b"{2}\r\n\xc3\xa9"),
    ];
    for (value, wire) in cases {
        assert_eq!(written(|out| string(out, value)), wire);
    }
    let long = vec![b'x'; 5000];
    assert!(written(|out| string(out, &long)).starts_with(b"{5000}\r\n"));
}

#[test]
fn an_astring_that_reads_as_nil_is_quoted() {
    assert_eq!(written(|out| astring(out, b"nil")), b"\"nil\"");
    assert_eq!(written(|out| astring(out, b"atom")), b"atom");
    assert_eq!(written(|out| astring(out, b"two words")), b"\"two words\"");
    assert_eq!(written(|out| astring(out, b"")), b"\"\"");
}

#[test]
fn no_text_can_break_its_line() {
    assert_eq!(
        written(|out| text(out, "a\r\n* BYE \u{e9}\0")),
        b"a??* BYE ??"
    );
}

#[test]
fn no_literal_carries_nul() {
    let check = |octets: &[u8], sent: &[u8]| {
        let mut out = b"\0".to_vec();
        literal_octets(&mut out, octets);
        assert_eq!(out, [b"\0", sent].concat());
    };
    check(b"", b"");
    check(b"a\xff\r\n", b"a\xff\r\n");
    check(b"\0a\0\0", b"?a??");
    let mut out = Vec::new();
    string(&mut out, b"a\0b");
    assert_eq!(out, b"{3}\r\na?b");
}
