use super::*;

fn alert(number: u64) -> Alert {
    Alert {
        number,
        posted_s: 1_000,
        text: format!("alert {number}"),
    }
}

fn numbers<'a>(alerts: impl Iterator<Item = &'a Alert>) -> Vec<u64> {
    let mut numbers: Vec<u64> = alerts.map(|alert| alert.number).collect();
    numbers.sort_unstable();
    numbers
}

#[test]
fn each_account_is_shown_what_is_for_its_domain_and_for_all() {
    let domain = |name: &str| Audience::Domain(name.to_owned());
    let set = AlertSet::new([
        (Audience::Server, alert(1)),
        (domain("a.example"), alert(2)),
        (domain("b.example"), alert(3)),
        (Audience::Server, alert(4)),
    ]);
    assert_eq!(numbers(set.after("a.example", 0)), [1, 2, 4]);
    assert_eq!(numbers(set.after("b.example", 1)), [3, 4]);
    assert!(numbers(set.after("c.example", 4)).is_empty());
    assert_eq!(set.newest("a.example"), 4);
    assert_eq!(AlertSet::default().newest("a.example"), 0);
}

#[test]
fn a_text_becomes_one_line_of_bounded_length() {
    let long = "x".repeat(ALERT_TEXT_BYTES_MAX);
    for (written, text) in [
        ("maintenance at six", "maintenance at six"),
        (" two\r\nlines\tand \u{7}bell ", "two lines and bell"),
        (long.as_str(), long.as_str()),
    ] {
        assert_eq!(alert_text(written).as_deref(), Ok(text));
    }
    let longer = format!("{long}x");
    for bad in ["", " \r\n ", longer.as_str()] {
        assert!(alert_text(bad).is_err(), "{bad}");
    }
}

#[test]
fn there_are_so_many_alerts_for_each_audience_and_no_more() {
    let full = (1..).take(ALERTS_EACH_MAX);
    let set = AlertSet::new(full.map(|number| (Audience::Server, alert(number))));
    assert!(set.check_room(&Audience::Server).is_err());
    assert!(
        set.check_room(&Audience::Domain("a.example".into()))
            .is_ok()
    );
}
