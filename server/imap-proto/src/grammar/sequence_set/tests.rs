use super::*;

fn parse(wire: &str) -> SequenceSet {
    let mut cursor = Cursor::new(wire.as_bytes());
    let set = sequence_set(&mut cursor).unwrap();
    assert!(cursor.rest().is_empty(), "{wire}");
    let mut out = Vec::new();
    set.encode(&mut out);
    assert_eq!(String::from_utf8(out).unwrap(), wire);
    set
}

#[test]
fn sets_resolve_against_the_largest_number() {
    type Case = (&'static str, u32, &'static [(u32, u32)]);
    let cases: [Case; 12] = [
        // RFC 3501 section 9: with 15 messages this is 2, 4 to 7, 9, 12 to 15.
        ("2,4:7,9,12:*", 15, &[(2, 2), (4, 7), (9, 9), (12, 15)]),
        ("*:4,5:7", 10, &[(4, 10)]),
        ("2:4", 10, &[(2, 4)]),
        ("4:2", 10, &[(2, 4)]),
        ("*", 10, &[(10, 10)]),
        ("559:*", 10, &[(10, 10)]),
        ("5,3,4,9", 10, &[(3, 5), (9, 9)]),
        ("1:20", 10, &[(1, 10)]),
        ("20:30", 10, &[]),
        ("1:*", 0, &[]),
        ("1,1,1", 3, &[(1, 1)]),
        ("4294967295", u32::MAX, &[(u32::MAX, u32::MAX)]),
    ];
    for (wire, max, expected) in cases {
        let resolved: Vec<(u32, u32)> = parse(wire)
            .resolve(max)
            .iter()
            .map(|range| (range.first, range.last))
            .collect();
        assert_eq!(resolved, expected, "{wire} of {max}");
    }
}

#[test]
fn a_number_beyond_the_mailbox_is_seen() {
    assert!(parse("1,11").exceeds(10));
    assert!(!parse("11:*").exceeds(10));
    assert!(parse("*").exceeds(0));
    assert!(!parse("10").exceeds(10));
}

#[test]
fn wrong_sets_are_refused() {
    for wire in ["", "0", "1:0", ":1", "a", "4294967296"] {
        assert!(
            sequence_set(&mut Cursor::new(wire.as_bytes())).is_err(),
            "{wire}"
        );
    }
    let many = vec!["1"; SEQUENCE_RANGES_MAX + 1].join(",");
    assert!(sequence_set(&mut Cursor::new(many.as_bytes())).is_err());
}

#[test]
fn number_sets_grow_ranges_and_keep_order() {
    let set: NumberSet = [1, 2, 3, 7, 5, 6].into_iter().collect();
    let mut out = Vec::new();
    set.encode(&mut out);
    assert_eq!(out, b"1:3,7,5:6");
    assert_eq!(set.iter().collect::<Vec<u32>>(), [1, 2, 3, 7, 5, 6]);
}
