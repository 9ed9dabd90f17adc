use super::*;

#[test]
fn strings_are_read_in_each_form() {
    let cases: [(&[u8], &[u8]); 7] = [
        (b"atom]x rest", b"atom]x"),
        (b"\"quoted text\" rest", b"quoted text"),
        (b"\"a \\\"b\\\" \\\\c\" rest", b"a \"b\" \\c"),
        (b"\"DOM\\user\" rest", b"DOM\\user"),
        (b"{3}\r\na\"b rest", b"a\"b"),
        (b"{3+}\nabc rest", b"abc"),
        (b"\"\xc3\xa9\" rest", b"\xc3\xa9"),
    ];
    for (wire, expected) in cases {
        let mut cursor = Cursor::new(wire);
        assert_eq!(&*cursor.astring().unwrap(), expected);
        assert_eq!(cursor.rest(), b" rest");
    }
}

#[test]
fn broken_strings_are_refused() {
    let bad: [&[u8]; 8] = [
        b"\"open",
        b"\"line\r\nend\"",
        b"\"back\\",
        b"{3}\r\nab",
        b"{3}ab",
        b"{1}\r\n\0",
        b"{99999999999999999999}\r\n",
        b"(",
    ];
    for wire in bad {
        assert!(
            Cursor::new(wire).astring().is_err(),
            "{}",
            String::from_utf8_lossy(wire)
        );
    }
}

#[test]
fn nstring_knows_nil() {
    assert_eq!(Cursor::new(b"nil").nstring(), Ok(None));
    assert_eq!(
        Cursor::new(b"\"NIL\"").nstring().unwrap().as_deref(),
        Some(&b"NIL"[..])
    );
}

#[test]
fn numbers_have_their_bounds() {
    assert_eq!(Cursor::new(b"4294967295").number(), Ok(u32::MAX));
    assert!(Cursor::new(b"4294967296").number().is_err());
    assert_eq!(
        Cursor::new(b"9223372036854775807").number64(),
        Ok(u64::MAX >> 1)
    );
    assert!(Cursor::new(b"9223372036854775808").number64().is_err());
    assert!(Cursor::new(b"0").nz_number().is_err());
}

#[test]
fn lists_are_bounded() {
    let list = format!("({})", vec!["a"; 2000].join(" "));
    assert_eq!(
        Cursor::new(list.as_bytes()).list(Cursor::atom),
        Err(SyntaxError::TooMany("list items"))
    );
    assert!(Cursor::new(b"()").list(Cursor::atom).is_err());
    assert_eq!(Cursor::new(b"( a b )").list(Cursor::atom).unwrap().len(), 2);
}

#[test]
fn words_end_where_atoms_do() {
    let mut cursor = Cursor::new(b"uid2");
    assert!(!cursor.take_word("UID"));
    assert!(Cursor::new(b"uid 2").take_word("UID"));
}
