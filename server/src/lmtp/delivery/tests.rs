use super::*;
use std::cell::Cell;

#[track_caller]
fn check_split(local: &str, delimiter: Option<char>, expected: Option<(&str, &str)>) {
    assert_eq!(split(local, delimiter), expected, "{local:?}");
}

#[test]
fn an_address_is_split_at_the_first_delimiter() {
    check_split("user", Some('+'), None);
    check_split("user+Lists", Some('+'), Some(("user", "Lists")));
    check_split("user+Lists/Rust", Some('+'), Some(("user", "Lists/Rust")));
    check_split("user+a+b", Some('+'), Some(("user", "a+b")));
    check_split("user+", Some('+'), Some(("user", "")));
    check_split("+folder", Some('+'), None);
    check_split("user-box", Some('-'), Some(("user", "box")));
    check_split("user+box", Some('-'), None);
    check_split("user+box", None, None);
}

#[track_caller]
fn check_room(bytes_max: Option<u64>, messages_max: Option<u64>, size: Option<u64>, room: bool) {
    let limit = Limit {
        bytes_max,
        messages_max,
        ..Limit::default()
    };
    assert_eq!(has_room(&limit, 900, 9, size), room, "{limit:?} {size:?}");
}

#[test]
fn room_is_counted_with_what_was_announced() {
    check_room(None, None, Some(u64::MAX), true);
    check_room(Some(1_000), None, Some(100), true);
    check_room(Some(1_000), None, Some(101), false);
    check_room(Some(1_000), None, Some(u64::MAX), false);
    check_room(Some(901), None, None, true);
    check_room(Some(900), None, None, false);
    check_room(Some(900), None, Some(0), false);
    check_room(None, Some(10), Some(5), true);
    check_room(None, Some(9), Some(5), false);
}

fn recipient(address: &str) -> Recipient {
    Recipient {
        address: address.to_owned(),
        account: AccountId([0; 16]),
        target: Target::Name("INBOX".to_owned()),
        limit: Limit::default(),
    }
}

fn fields(recipients: &[Recipient]) -> String {
    let mail = Mail {
        sender: "s@example.org".to_owned(),
        size: None,
        smtputf8: true,
    };
    let origin = Origin {
        helo: "mx.example.org",
        peer: Peer::Unix { uid: None },
        host: "store.example.org",
        id: "0123",
        now_s: 1_795_559_145,
    };
    String::from_utf8(trace_fields(&mail, recipients, &origin)).expect("UTF-8")
}

#[test]
fn trace_fields_tell_the_way_but_not_who_else_got_the_message() {
    let single = fields(&[recipient("u@b")]);
    assert!(single.starts_with("Return-Path: <s@example.org>\r\nReceived: from mx.example.org"));
    assert!(single.ends_with("\r\n"), "{single:?}");
    assert!(
        single.contains("with UTF8LMTP") && single.contains("for <u@b>"),
        "{single:?}"
    );
    assert!(single.contains("24 Nov 2026"), "{single:?}");
    let several = fields(&[recipient("u@b"), recipient("v@b")]);
    assert!(
        !several.contains("u@b") && !several.contains("v@b"),
        "{several:?}"
    );
}

#[test]
fn dates_have_the_form_of_mail() {
    assert_eq!(header_date(0), "Thu, 1 Jan 1970 00:00:00 +0000");
    assert_eq!(
        header_date(1_795_559_145),
        "Tue, 24 Nov 2026 22:25:45 +0000"
    );
}

#[test]
fn results_come_in_order_whatever_ends_first() {
    let turns = Cell::new(0_u32);
    let turns = &turns;
    let waits = [3_u32, 1, 2, 0, 5];
    let futures = waits.iter().map(|&wait| async move {
        let end = wait;
        poll_fn(|context| {
            turns.set(turns.get() + 1);
            if turns.get() / 5 >= end {
                Poll::Ready(())
            } else {
                context.waker().wake_by_ref();
                Poll::Pending
            }
        })
        .await;
        wait
    });
    assert_eq!(futures_lite::future::block_on(side_by_side(futures)), waits);
}
