use super::*;

fn table(records: &[(&str, &str)]) -> RouteTable {
    let records = records.iter().map(|(source, target)| {
        let source = RouteSource::parse(source, "ours.org").unwrap();
        let target = RouteTarget::parse(target, source.domain()).unwrap();
        RouteRecord { source, target }
    });
    let domains = ["ours.org", "also.org"].map(str::to_owned);
    RouteTable::new(domains, records.collect::<Vec<_>>())
}

fn name(text: &str) -> AccountName {
    AccountName::parse(text, "ours.org").unwrap()
}

fn show(routing: &Routing) -> String {
    match &routing.route {
        Route::Local(name) => format!("local {name}"),
        Route::External(address) => format!("external {address}"),
        Route::Rejected(text) => format!("rejected {text}"),
        Route::Unknown => "unknown".to_owned(),
    }
}

#[track_caller]
fn check(records: &[(&str, &str)], asked: &str, expected: &str) {
    assert_eq!(
        show(&table(records).route(&name(asked))),
        expected,
        "{asked}"
    );
}

/// As [`check`], where no account has the name that is reached.
#[track_caller]
fn check_unknown(records: &[(&str, &str)], asked: &str, expected: &str) {
    let table = table(records);
    let routing = table.reroute_unknown(table.route(&name(asked)));
    assert_eq!(show(&routing), expected, "{asked}");
}

#[test]
fn a_name_without_a_record_is_itself() {
    check(&[], "Anna", "local anna@ours.org");
    check(&[], "anna@also.org", "local anna@also.org");
}

#[test]
fn a_foreign_name_that_no_record_has_leads_nowhere() {
    check_unknown(&[], "anna@elsewhere.org", "unknown");
}

#[test]
fn the_record_of_an_account_that_moved_keeps_the_case_of_its_new_name() {
    let moved = [("j.smith", "John@OtherCompany.com")];
    check(&moved, "J.Smith", "external John@othercompany.com");
}

#[test]
fn an_alias_leads_to_its_account_and_further() {
    let records = [
        ("info", "sales"),
        ("sales", "anna@also.org"),
        ("anna@also.org", "Anna@new.example"),
    ];
    check(&records, "info", "external Anna@new.example");
    check(&records[..2], "info", "local anna@also.org");
}

#[test]
fn a_domain_is_an_alias_of_another() {
    let records = [("@old.org", "@ours.org"), ("anna@old.org", "berta")];
    check(&records, "carla@old.org", "local carla@ours.org");
    // The target of a record without a domain is one of its source's.
    check(&records, "anna@old.org", "local berta@ours.org");
    check(
        &[("@old.org", "@new.example")],
        "x@old.org",
        "external x@new.example",
    );
    check(
        &[("@old.org", "desk@ours.org")],
        "x@old.org",
        "local desk@ours.org",
    );
}

#[test]
fn a_refusal_has_its_text() {
    check(
        &[("spam", "reject:Gone since 2020")],
        "spam",
        "rejected Gone since 2020",
    );
    check(
        &[("@ours.org", "reject:")],
        "x",
        "rejected This address is not in use",
    );
}

#[test]
fn names_that_nobody_has_go_where_their_domain_says() {
    check_unknown(&[], "nobody", "unknown");
    let records = [("*@ours.org", "desk"), ("*@also.org", "@new.example")];
    check_unknown(&records, "nobody", "local desk@ours.org");
    check_unknown(&records, "nobody@also.org", "external nobody@new.example");
    check_unknown(&records, "nobody@elsewhere.org", "unknown");
    check_unknown(
        &[("*@ours.org", "reject:No such person")],
        "x",
        "rejected No such person",
    );
}

#[test]
fn circles_end() {
    for records in [
        &[("a", "b"), ("b", "a")][..],
        &[("a", "a")],
        &[("@ours.org", "@also.org"), ("@also.org", "@ours.org")],
    ] {
        let routing = table(records).route(&name("a"));
        assert_eq!(routing.route, Route::Unknown, "{records:?}");
        assert!(routing.is_circle());
        assert!(routing.via.len() <= ROUTE_STEPS_MAX);
    }
}

#[test]
fn a_catch_all_that_nobody_has_ends_too() {
    let table = table(&[("*@ours.org", "desk")]);
    let mut routing = table.route(&name("nobody"));
    for _ in 0..100 {
        routing = table.reroute_unknown(routing);
    }
    assert_eq!(routing.route, Route::Unknown);
    assert!(routing.via.len() <= ROUTE_STEPS_MAX);
}

#[test]
fn the_way_is_told() {
    let table = table(&[("a", "b"), ("b", "C@else.org")]);
    let routing = table.route(&name("a"));
    assert_eq!(routing.via, [name("a"), name("b")]);
    assert!(!routing.is_circle());
}

#[test]
fn records_are_read_as_they_are_written() {
    for source in ["a@x.org", "@x.org", "*@x.org"] {
        assert_eq!(RouteSource::parse(source, "d").unwrap().to_string(), source);
    }
    for target in ["A.b@x.org", "@x.org", "reject:No more"] {
        assert_eq!(RouteTarget::parse(target, "d").unwrap().to_string(), target);
    }
    assert_eq!(RouteTarget::parse("b", "d").unwrap().to_string(), "b@d");
    let newline = RouteTarget::parse("reject:a\r\nb", "d");
    assert_eq!(newline, Err(RouteError::Text));
    assert!(RouteTarget::parse("a b@x", "d").is_err());
    assert!(RouteSource::parse("*@", "d").is_err());
}
