use super::parse;

#[track_caller]
fn check(value: &str, expected: Option<(u16, u8, u8, i64)>) {
    let found = parse(value.as_bytes()).map(|sent| {
        (
            sent.local.year,
            sent.local.month,
            sent.local.day,
            sent.unix_seconds,
        )
    });
    assert_eq!(found, expected, "{value:?}");
}

#[test]
fn dates_of_the_standard_keep_their_local_day() {
    check(
        "Fri, 21 Nov 1997 09:55:06 -0600",
        Some((1997, 11, 21, 880_127_706)),
    );
    check("21 Nov 97 09:55:06 GMT", Some((1997, 11, 21, 880_106_106)));
    check("Thu, 1 Jan 1970 00:00:00 +0000", Some((1970, 1, 1, 0)));
    check(
        "Wed, 31 Dec 1969 19:00:00 -0500 (EST)",
        Some((1969, 12, 31, 0)),
    );
    check("31 Dec 1969 19:00 EST", Some((1969, 12, 31, 0)));
    check(
        " Mon,\r\n 2 Feb 2004\r\n 12:00:00 +1300",
        Some((2004, 2, 2, 1_075_676_400)),
    );
}

#[test]
fn dates_of_broken_mailers_are_read() {
    check("Thu Jan  1 00:00:10 1970", Some((1970, 1, 1, 10)));
    check("01-Jan-1970 00:00:00 +0000", Some((1970, 1, 1, 0)));
    check(
        "Thu, 1 January 1970 01:00:00 GMT+0100",
        Some((1970, 1, 1, 0)),
    );
    check("1 Jan 70 00:00:60", Some((1970, 1, 1, 59)));
    check("1 Jan 104", Some((2004, 1, 1, 1_072_915_200)));
    check(
        "1 Jan 2004 25:00:00 +0000",
        Some((2004, 1, 1, 1_072_915_200)),
    );
    check(
        "1 Jan 2004 00:00:00 +9999",
        Some((2004, 1, 1, 1_072_915_200)),
    );
}

#[test]
fn what_is_no_date_is_none() {
    check("", None);
    check("yesterday", None);
    check("30 Feb 2004 00:00:00 +0000", None);
    check("1 Jan", None);
    check("1 Jan 99999999999 10:00", None);
    check("(1 Jan 2004", None);
}
