//! Runs against a server in this process that answers rightly, or wrongly in one way.

mod fake;

use std::net::TcpListener;

use clap::Parser;

use self::fake::{Mistake, serve, serve_lmtp};
use super::{run, scenario, seats};
use crate::fault::FaultKind;
use crate::options::{CommandLine, Options, Verb};
use crate::report::Report;
use crate::scenario::Scenario;

fn options(words: &str) -> (String, Options) {
    let line = format!("loadgen run {words} --password p --quiet");
    match CommandLine::try_parse_from(line.split_whitespace())
        .unwrap()
        .verb
    {
        Verb::Run { scenario, options } => (scenario, options),
        other => panic!("{other:?}"),
    }
}

/// Runs a scenario for a short time.
fn report(name: &str, mistake: Mistake, connections: u32, more: &str) -> Report {
    let target = if name == "lmtp" {
        serve_lmtp(mistake)
    } else {
        serve(mistake)
    };
    let timeout_s = 1;
    let (name, options) = options(&format!(
        "{name} --target {target} --user u --duration-s 1 --messages 3 \
         --reply-timeout-s {timeout_s} --seed 7 --connections {connections} {more}"
    ));
    let scenario = scenario(&name, &options).unwrap();
    run(&name, &scenario, &options, false).unwrap()
}

/// A server that makes no mistake is measured; of one that does, only that mistake is reported.
fn check(name: &str, mistake: Mistake, expected: &[FaultKind]) {
    let report = report(name, mistake, 5, "");
    let shown = format!("{name} {mistake:?}\n{}", report.text());
    let found: Vec<&str> = report.faults.iter().map(|fault| fault.kind).collect();
    if expected.is_empty() {
        assert_eq!(report.errors(), 0, "{shown}");
        assert!(report.total.count > 4, "{shown}");
    } else {
        assert!(report.errors() > 0, "{shown}");
        let expected: Vec<&str> = expected.iter().map(|kind| kind.name()).collect();
        assert!(found.iter().all(|kind| expected.contains(kind)), "{shown}");
    }
}

#[test]
fn right_answers_are_measured() {
    for name in [
        "noop",
        "login-logout",
        "list",
        "fetch-headers",
        "fetch-body",
        "store-flags",
        "append",
        "search",
        "sync",
        "idle-notify",
        "idle",
        "lmtp",
    ] {
        check(name, Mistake::Nothing, &[]);
    }
}

#[test]
fn what_every_command_must_keep_is_checked() {
    use FaultKind::{Closed, Malformed, Refused, TimedOut, WrongTag};
    check("noop", Mistake::RefusesLogin, &[Refused]);
    check("login-logout", Mistake::RefusesLogin, &[Refused]);
    check("noop", Mistake::RefusesCommands, &[Refused]);
    check("noop", Mistake::AnswersWithOldTag, &[WrongTag]);
    check("login-logout", Mistake::ClosesAfterLogin, &[Closed]);
    check("noop", Mistake::NeverAnswers, &[TimedOut]);
    check(
        "fetch-body",
        Mistake::AnnouncesLessThanItSends,
        &[Malformed],
    );
}

#[test]
fn what_messages_must_be_is_checked() {
    use FaultKind::{Malformed, Missing, Surplus, WrongBody, WrongLength, WrongUid};
    check("fetch-body", Mistake::SendsNoBody, &[Missing]);
    check("fetch-body", Mistake::SendsBodyTwice, &[Surplus]);
    check("fetch-body", Mistake::SendsOtherUid, &[Surplus]);
    check("fetch-body", Mistake::SendsShortBody, &[WrongLength]);
    check(
        "fetch-body",
        Mistake::SendsOtherBody,
        &[WrongLength, WrongBody],
    );
    check("fetch-body", Mistake::FlipsABit, &[WrongBody]);
    let lengths = [WrongLength, Malformed];
    check("fetch-body", Mistake::AnnouncesMoreThanItSends, &lengths);
    check("fetch-headers", Mistake::LosesAMessage, &[Missing]);
    check("fetch-headers", Mistake::ListsOutOfOrder, &[WrongUid]);
}

#[test]
fn what_changes_must_do_is_checked() {
    use FaultKind::{Missing, NotTold, Refused, WrongFlags, WrongModSeq, WrongResult, WrongUid};
    check("store-flags", Mistake::TellsNothingOfStore, &[Missing]);
    check("append", Mistake::GivesAUidTwice, &[WrongUid]);
    check("search", Mistake::FindsTooMuch, &[WrongResult]);
    check("search", Mistake::FindsNothing, &[WrongResult]);
    check("sync", Mistake::ForgetsModSeqs, &[WrongModSeq]);
    check("idle-notify", Mistake::TellsNoIdler, &[NotTold]);
    check("lmtp", Mistake::RefusesCommands, &[Refused]);
    // Sessions share the mailbox, so only a store that was alone can be judged: here it always is.
    let alone = report("store-flags", Mistake::IgnoresStore, 1, "");
    let judged = alone.errors_of(WrongFlags.name());
    assert!(judged > 0 && judged == alone.errors(), "{}", alone.text());
}

#[test]
fn an_open_loop_counts_from_when_it_was_meant_to() {
    let report = report("noop", Mistake::AnswersSlowly, 5, "--rate 300 --gaps fixed");
    let total = &report.total;
    let service = total
        .service
        .as_ref()
        .expect("an open loop has service times");
    // What nobody had been free to make at the end is told too.
    let kinds: Vec<&str> = report.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Dropped.name()], "{}", report.text());
    // Five connections that need 100 ms each make 50 a second, and the queue only grows.
    assert!(
        total.response.max_ms > service.max_ms * 2.0,
        "{}",
        report.text()
    );
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let (name, options) = options(&format!(
        "noop --target {target} --user u --connections 5 --duration-s 1"
    ));
    let scenario = scenario(&name, &options).unwrap();
    let report = run(&name, &scenario, &options, false).unwrap();
    assert_eq!((report.total.count, report.ready), (0, 0));
    let kinds: Vec<&str> = report.faults.iter().map(|fault| fault.kind).collect();
    assert_eq!(kinds, [FaultKind::Connect.name()], "{}", report.text());
}

#[test]
fn seats_keep_counts_and_weights() {
    let text = "about = 'x'\n[load]\nconnections = 21\nusers = 4\n\
        [[roles]]\nname = 'a'\nsteps = [{ do = 'noop' }]\nweight = 3\n\
        [[roles]]\nname = 'b'\nsteps = [{ do = 'noop' }]\ncount = 1\n\
        [[roles]]\nname = 'c'\nsteps = [{ do = 'noop' }]\nweight = 1\n";
    let seats = seats(&Scenario::parse(text).unwrap());
    let count = |role| seats.iter().filter(|seat| seat.role == role).count();
    assert_eq!((count(0), count(1), count(2)), (15, 1, 5));
    assert!(
        seats
            .iter()
            .zip(0..)
            .all(|(seat, number)| seat.user == number % 4)
    );
}
