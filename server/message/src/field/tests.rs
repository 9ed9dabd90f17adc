use super::{fields, first, unfold, unfolded};

#[test]
fn fields_are_split_and_folded_lines_stay_together() {
    let header = b"A: 1\r\nB : 2\r\n 3\r\nno field\r\nC:\n4\r\n\r\nD: body\r\n";
    let found: Vec<_> = fields(header)
        .map(|field| (field.name.to_vec(), field.raw.len()))
        .collect();
    let expected: Vec<(Vec<u8>, usize)> = vec![
        (b"A".to_vec(), 6),
        (b"B".to_vec(), 11),
        (b"".to_vec(), 10),
        (b"C".to_vec(), 3),
        (b"".to_vec(), 3),
    ];
    assert_eq!(found, expected);
    assert_eq!(first(header, b"b"), Some(&b" 2\r\n 3\r\n"[..]));
    assert_eq!(first(header, b"D"), None);
}

#[test]
fn unfolding_removes_line_breaks_only() {
    assert_eq!(unfold(b" a\r\n\tb \r\n"), b"a\tb");
    assert_eq!(unfold(b"\r\n"), b"");
    assert_eq!(unfold(b" a\n b\n"), b"a b");
    assert_eq!(unfolded(b"Subject: \r\n", b"subject"), None);
}
