use super::parse;

/// One address as `name|route|mailbox|host`, a dash for NIL.
#[track_caller]
fn check(value: &str, expected: &[&str]) {
    let shown: Vec<_> = parse(value.as_bytes(), 100)
        .iter()
        .map(|address| {
            [&address.name, &address.adl, &address.mailbox, &address.host]
                .map(|field| match field {
                    Some(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                    None => "-".to_owned(),
                })
                .join("|")
        })
        .collect();
    assert_eq!(shown, expected, "{value:?}");
}

#[test]
fn addresses_of_the_standard() {
    check("joe@example.org", &["-|-|joe|example.org"]);
    check(
        "Joe Q. Public <joe@example.org>",
        &["Joe Q. Public|-|joe|example.org"],
    );
    check(
        "\"Joe, \\\"Q\\\"\" <joe@example.org>",
        &["Joe, \"Q\"|-|joe|example.org"],
    );
    check(
        "joe@example.org (Joe), <b@c>",
        &["Joe|-|joe|example.org", "-|-|b|c"],
    );
    check("\"joe blow\"@example.org", &["-|-|joe blow|example.org"]);
    check("joe . q @ example . org", &["-|-|joe.q|example.org"]);
    check(
        "Joe <@a.org,@b.org:joe@c.org>",
        &["Joe|@a.org,@b.org|joe|c.org"],
    );
    check("x@[10.0.0.1]", &["-|-|x|[10.0.0.1]"]);
    check("=?utf-8?q?J=C3=B6?= <j@x>", &["=?utf-8?q?J=C3=B6?=|-|j|x"]);
}

#[test]
fn groups_are_two_marks() {
    check(
        "Team: a@b, C <c@d>;, e@f",
        &["-|-|Team|-", "-|-|a|b", "C|-|c|d", "-|-|-|-", "-|-|e|f"],
    );
    check(
        "undisclosed-recipients:;",
        &["-|-|undisclosed-recipients|-", "-|-|-|-"],
    );
    check("Open: a@b", &["-|-|Open|-", "-|-|a|b", "-|-|-|-"]);
}

#[test]
fn broken_addresses_lose_nothing() {
    check("", &[]);
    check(" , ,", &[]);
    check("root", &["-|-|root|"]);
    check("<>", &["-|-||"]);
    check("Joe <joe>", &["Joe|-|joe|"]);
    check("Joe joe@x", &["Joe|-|joe|x"]);
    check("a@b@c", &["-|-|a@b|c"]);
    check("<a@b", &["-|-|a|b"]);
    check("<a@b, c@d", &["-|-|a|b", "-|-|c|d"]);
    check("a@b c@d", &["-|-|a|b", "-|-|c|d"]);
    check("Joe <a@b> Joe2 <c@d>", &["Joe|-|a|b", "Joe2|-|c|d"]);
    check("\"unclosed <a@b>", &["-|-|unclosed <a@b>|"]);
    check("(unclosed", &[]);
    check("a@", &["-|-|a|"]);
    check("@b", &["-|-||b"]);
}

#[test]
fn a_list_is_cut_at_its_bound() {
    assert_eq!(parse("a@b,".repeat(1000).as_bytes(), 10).len(), 10);
    assert_eq!(parse(b"x:;x:;", 1).len(), 1);
}
