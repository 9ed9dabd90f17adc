//! Runs against a server in this process that answers rightly, or wrongly in one way.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use super::{Plan, run};
use crate::fault::FaultKind;
use crate::op::Operation;
use crate::op::store::Company;
use crate::report::Report;
use crate::session::Script;

/// RFC822.SIZE of the server's messages; one is larger than a receive buffer, one is empty.
const SIZES: [usize; 3] = [40_000, 0, 5];
/// UID of the first message; the others follow.
const FIRST_UID: usize = 11;
const CONNECTIONS: usize = 5;

/// What the server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    Nothing,
    RefusesLogin,
    RefusesCommands,
    AnswersWithOldTag,
    ClosesAfterLogin,
    NeverAnswers,
    LosesAMessage,
    SendsShortBody,
    AnnouncesMoreThanItSends,
    AnnouncesLessThanItSends,
    SendsNoBody,
    SendsBodyTwice,
    SendsOtherUid,
    IgnoresStore,
    TellsNothingOfStore,
}

/// Starts a server; its threads end with the test's process.
fn serve(mistake: Mistake) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            // A client that goes away is no failure of the server's.
            thread::spawn(move || serve_one(stream.unwrap(), mistake).ok());
        }
    });
    address
}

fn serve_one(mut stream: TcpStream, mistake: Mistake) -> std::io::Result<()> {
    let mut flagged = [false, true, false];
    let mut reader = BufReader::new(stream.try_clone()?);
    stream.write_all(b"* OK [CAPABILITY IMAP4rev1] see {3}\r\n")?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 0 {
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = answer(&words, mistake, &mut flagged);
        if mistake == Mistake::NeverAnswers && words[1] != "LOGIN" {
            continue;
        }
        stream.write_all(&answer)?;
        if words[1] == "LOGOUT" || mistake == Mistake::ClosesAfterLogin {
            break;
        }
        line.clear();
    }
    Ok(())
}

fn answer(words: &[&str], mistake: Mistake, flagged: &mut [bool; 3]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut status = "OK";
    match (words[1], words.get(2)) {
        ("LOGIN", _) if mistake == Mistake::RefusesLogin => status = "NO",
        ("LOGIN", _) => assert_eq!(words[2..], ["reader", "\"a", "word\""]),
        _ if mistake == Mistake::RefusesCommands => status = "BAD",
        ("SELECT", _) => out.extend_from_slice(b"* 3 EXISTS\r\n* FLAGS (\\Flagged)\r\n"),
        ("FETCH", _) => survey(mistake, flagged, &mut out),
        ("UID", Some(&"FETCH")) => body(index(words), mistake, &mut out),
        ("UID", Some(&"STORE")) => {
            let index = index(words);
            if mistake != Mistake::IgnoresStore {
                flagged[index] = words[4] == "+FLAGS";
            }
            if mistake != Mistake::TellsNothingOfStore {
                // Somebody else's message comes first, and is nobody's business.
                out.extend_from_slice(b"* 9 FETCH (UID 99 FLAGS ())\r\n");
                flags(index, flagged[index], "", &mut out);
            }
        }
        ("LOGOUT", _) => out.extend_from_slice(b"* BYE\r\n"),
        ("NOOP", _) => out.extend_from_slice(b"* 4 EXISTS\r\n"),
        other => panic!("unexpected command {other:?}"),
    }
    let tag = match mistake {
        Mistake::AnswersWithOldTag if words[1] != "LOGIN" => "L1",
        _ => words[0],
    };
    out.extend_from_slice(format!("{tag} {status} see {{3}}\r\n").as_bytes());
    out
}

fn index(words: &[&str]) -> usize {
    words[3].parse::<usize>().unwrap() - FIRST_UID
}

fn survey(mistake: Mistake, flagged: &[bool; 3], out: &mut Vec<u8>) {
    let last = if mistake == Mistake::LosesAMessage {
        2
    } else {
        3
    };
    for index in 0..last {
        let size = format!(" RFC822.SIZE {}", SIZES[index]);
        flags(index, flagged[index], &size, out);
    }
}

fn flags(index: usize, flagged: bool, more: &str, out: &mut Vec<u8>) {
    let flags = if flagged { "\\Seen \\Flagged" } else { "" };
    let (number, uid) = (index + 1, index + FIRST_UID);
    let line = format!("* {number} FETCH (UID {uid} FLAGS ({flags}){more})\r\n");
    out.extend_from_slice(line.as_bytes());
}

fn body(index: usize, mistake: Mistake, out: &mut Vec<u8>) {
    let size = SIZES[index];
    let (announced, sent) = match mistake {
        Mistake::SendsShortBody => (size.saturating_sub(1), size.saturating_sub(1)),
        // The octets that lack are taken from what follows, down to the end of the answer.
        Mistake::AnnouncesMoreThanItSends => (size + 3, size),
        Mistake::AnnouncesLessThanItSends => (size, size + 1),
        _ => (size, size),
    };
    let uid = index + FIRST_UID + usize::from(mistake == Mistake::SendsOtherUid);
    let times = match mistake {
        Mistake::SendsNoBody => 0,
        Mistake::SendsBodyTwice => 2,
        _ => 1,
    };
    for _ in 0..times {
        let line = format!(
            "* {} FETCH (UID {uid} BODY[] {{{announced}}}\r\n",
            index + 1
        );
        out.extend_from_slice(line.as_bytes());
        out.extend(std::iter::repeat_n(b'x', sent));
        out.extend_from_slice(b")\r\n");
    }
}

fn report(operation: Operation, mistake: Mistake) -> Report {
    let reply_timeout_ms = if mistake == Mistake::NeverAnswers {
        100
    } else {
        10_000
    };
    run(Plan {
        target: serve(mistake),
        users: vec!["reader".to_owned(); CONNECTIONS],
        script: Script {
            operation,
            password: "a word".to_owned(),
            mailbox: "INBOX".to_owned(),
            company: Company::Alone,
        },
        duration: Duration::from_millis(300),
        reply_timeout: Duration::from_millis(reply_timeout_ms),
        seed: 7,
        command: String::new(),
        interval_log: None,
        is_quiet: true,
    })
    .unwrap()
}

/// A server that makes no mistake is measured; of one that does, only that mistake is reported.
fn check(operation: Operation, mistake: Mistake, expected: Option<FaultKind>) {
    let report = report(operation, mistake);
    let shown = format!("{operation:?} {mistake:?}\n{}", report.text());
    match expected {
        None => {
            assert_eq!(report.errors(), 0, "{shown}");
            assert!(
                report.count() > 20 && report.total.rate_per_s > 0.0,
                "{shown}"
            );
        }
        Some(kind) => {
            assert!(report.errors_of(kind.name()) > 0, "{shown}");
            assert_eq!(report.errors_of(kind.name()), report.errors(), "{shown}");
        }
    }
}

#[test]
fn right_answers_are_measured() {
    for operation in [
        Operation::Noop,
        Operation::Login,
        Operation::Fetch,
        Operation::Store,
    ] {
        check(operation, Mistake::Nothing, None);
    }
}

#[test]
fn wrong_answers_are_errors() {
    for (operation, mistake, kind) in [
        (Operation::Noop, Mistake::RefusesLogin, FaultKind::Refused),
        (Operation::Login, Mistake::RefusesLogin, FaultKind::Refused),
        (
            Operation::Noop,
            Mistake::RefusesCommands,
            FaultKind::Refused,
        ),
        (
            Operation::Login,
            Mistake::RefusesCommands,
            FaultKind::Refused,
        ),
        (
            Operation::Noop,
            Mistake::AnswersWithOldTag,
            FaultKind::WrongTag,
        ),
        (
            Operation::Login,
            Mistake::ClosesAfterLogin,
            FaultKind::Closed,
        ),
        (Operation::Noop, Mistake::NeverAnswers, FaultKind::TimedOut),
        (Operation::Fetch, Mistake::LosesAMessage, FaultKind::Missing),
        (Operation::Fetch, Mistake::SendsNoBody, FaultKind::Missing),
        (
            Operation::Fetch,
            Mistake::SendsBodyTwice,
            FaultKind::Surplus,
        ),
        (Operation::Fetch, Mistake::SendsOtherUid, FaultKind::Surplus),
        (
            Operation::Fetch,
            Mistake::AnnouncesLessThanItSends,
            FaultKind::Malformed,
        ),
        (
            Operation::Store,
            Mistake::IgnoresStore,
            FaultKind::WrongFlags,
        ),
        (
            Operation::Store,
            Mistake::TellsNothingOfStore,
            FaultKind::Missing,
        ),
    ] {
        check(operation, mistake, Some(kind));
    }
}

#[test]
fn a_body_of_another_length_is_an_error() {
    for mistake in [Mistake::SendsShortBody, Mistake::AnnouncesMoreThanItSends] {
        let report = report(Operation::Fetch, mistake);
        // The empty message may be right by chance; the others never are.
        let found = report.errors_of(FaultKind::WrongLength.name())
            + report.errors_of(FaultKind::Malformed.name());
        assert!(found > 0, "{mistake:?}\n{}", report.text());
        assert_eq!(found, report.errors(), "{mistake:?}\n{}", report.text());
    }
}

#[test]
fn a_server_that_is_not_there_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = listener.local_addr().unwrap();
    drop(listener);
    let plan = Plan {
        target,
        users: vec!["reader".to_owned(); CONNECTIONS],
        script: Script {
            operation: Operation::Noop,
            password: "a word".to_owned(),
            mailbox: "INBOX".to_owned(),
            company: Company::Shared,
        },
        duration: Duration::from_millis(50),
        reply_timeout: Duration::from_secs(5),
        seed: 7,
        command: String::new(),
        interval_log: None,
        is_quiet: true,
    };
    let report = run(plan).unwrap();
    assert_eq!((report.count(), report.ready), (0, 0), "{}", report.text());
    assert_eq!(
        report.errors_of(FaultKind::Connect.name()),
        5,
        "{}",
        report.text()
    );
}
