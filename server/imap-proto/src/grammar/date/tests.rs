use super::*;

#[test]
fn date_times_survive_both_ways() {
    for wire in [
        "\"17-Jul-1996 02:44:25 -0700\"",
        "\" 1-Jan-1970 00:00:00 +0000\"",
        "\"29-Feb-2024 23:59:60 +0530\"",
        "\"31-Dec-9999 23:59:59 -1200\"",
    ] {
        let parsed = date_time(&mut Cursor::new(wire.as_bytes())).unwrap();
        let mut out = Vec::new();
        parsed.encode(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), wire);
    }
}

#[test]
fn days_and_seconds_agree_with_the_calendar() {
    let cases = [
        ("\"01-Jan-1970 00:00:00 +0000\"", 0),
        ("\"31-Dec-1969 23:59:59 +0000\"", -1),
        ("\"01-Jan-1970 01:00:00 +0100\"", 0),
        ("\"17-Jul-1996 02:44:25 -0700\"", 837_596_665),
        ("\"29-Feb-2000 12:00:00 +0000\"", 951_825_600),
        ("\"01-Mar-1900 00:00:00 +0000\"", -2_203_891_200),
    ];
    for (wire, seconds) in cases {
        let parsed = date_time(&mut Cursor::new(wire.as_bytes())).unwrap();
        assert_eq!(parsed.to_unix_seconds(), seconds, "{wire}");
        assert_eq!(
            DateTime::from_unix_seconds(seconds, parsed.zone_minutes),
            parsed,
            "{wire}"
        );
    }
}

#[test]
fn every_day_of_four_centuries_follows_the_one_before() {
    let start = Date::new(1800, 1, 1).unwrap().to_unix_days();
    let mut before = Date::from_unix_days(start - 1);
    for days in start..start + 146_097 {
        let day = Date::from_unix_days(days);
        assert_eq!(day.to_unix_days(), days);
        assert_eq!(Date::new(day.year, day.month, day.day), Some(day));
        assert!(before < day);
        before = day;
    }
    assert_eq!(before, Date::new(2199, 12, 31).unwrap());
}

#[test]
fn moments_outside_the_calendar_are_cut() {
    assert_eq!(DateTime::from_unix_seconds(i64::MAX, 0).date.year, 9999);
    assert_eq!(DateTime::from_unix_seconds(i64::MIN, 0).date.year, 0);
}

#[test]
fn wrong_dates_are_refused() {
    for wire in [
        "30-Feb-2024",
        "0-Jan-2024",
        "1-Foo-2024",
        "1-Jan-24",
        "1-Jan-20244",
        "\"1-Jan-2024",
    ] {
        assert!(date(&mut Cursor::new(wire.as_bytes())).is_err(), "{wire}");
    }
    for wire in [
        "\"1-Jan-2024 24:00:00 +0000\"",
        "\"1-Jan-2024 00:00:00\"",
        "\"1-Jan-2024 +1:00:00 +0000\"",
    ] {
        assert!(
            date_time(&mut Cursor::new(wire.as_bytes())).is_err(),
            "{wire}"
        );
    }
}
