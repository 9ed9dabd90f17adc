//! Rules that hold whatever the order in which a server does things.

use super::Mailbox;
use crate::fault::FaultKind;
use crate::reply::Flags;
use crate::reply::digest::{Certificate, Literal};

fn mailbox() -> Mailbox {
    let mut mailbox = Mailbox::default();
    for uid in [3, 5, 9] {
        mailbox.listed(uid, 600, Flags::default(), None).unwrap();
    }
    mailbox
}

fn kind(result: Result<(), crate::fault::Fault>) -> Option<FaultKind> {
    result.err().map(|fault| fault.kind)
}

#[test]
fn a_store_that_was_alone_is_judged_by_its_flags() {
    let mut mailbox = mailbox();
    let ticket = mailbox.begin_store(1, 40).unwrap();
    assert_eq!((ticket.uid, ticket.is_flagged), (5, true));
    let wrong = mailbox.end_store(&ticket, Some(false));
    assert_eq!(kind(wrong), Some(FaultKind::WrongFlags));
    let ticket = mailbox.begin_store(1, 40).unwrap();
    assert_eq!(kind(mailbox.end_store(&ticket, Some(true))), None);
    // It is flagged now, so the next one clears it.
    assert!(!mailbox.begin_store(1, 40).unwrap().is_flagged);
}

#[test]
fn stores_that_overlap_may_end_either_way() {
    let mut mailbox = mailbox();
    let one = mailbox.begin_store(0, 40).unwrap();
    let other = mailbox.begin_store(0, 40).unwrap();
    assert_eq!(kind(mailbox.end_store(&one, Some(false))), None);
    assert_eq!(kind(mailbox.end_store(&other, Some(false))), None);
    // The next one is alone again.
    let ticket = mailbox.begin_store(0, 40).unwrap();
    let wrong = mailbox.end_store(&ticket, Some(false));
    assert_eq!(kind(wrong), Some(FaultKind::WrongFlags));
}

#[test]
fn a_store_after_one_of_another_session_may_tell_nothing() {
    let mut mailbox = mailbox();
    let ticket = mailbox.begin_store(0, 40).unwrap();
    let silent = mailbox.end_store(&ticket, None);
    assert_eq!(kind(silent), Some(FaultKind::Missing), "the first is told");
    let ticket = mailbox.begin_store(0, 41).unwrap();
    assert_eq!(kind(mailbox.end_store(&ticket, None)), None);
    let ticket = mailbox.begin_store(0, 41).unwrap();
    let silent = mailbox.end_store(&ticket, None);
    assert_eq!(kind(silent), Some(FaultKind::Missing), "its own is told");
}

#[test]
fn uids_are_given_once_and_ascend() {
    let mut mailbox = mailbox();
    assert_eq!(kind(mailbox.appended(12, 700, 1, 9)), None);
    let again = mailbox.appended(12, 700, 2, 9);
    assert_eq!(kind(again), Some(FaultKind::WrongUid));
    let below = mailbox.appended(9, 700, 3, 9);
    assert_eq!(kind(below), Some(FaultKind::WrongUid));
    assert_eq!(kind(mailbox.validity(7)), None);
    assert_eq!(kind(mailbox.validity(8)), Some(FaultKind::WrongUid));
}

#[test]
fn bodies_do_not_change() {
    let literal = |bytes, crc, certificate| Literal {
        bytes,
        crc,
        certificate,
    };
    let kept = Certificate::Kept { number: 1 };
    let mut mailbox = mailbox();
    assert_eq!(kind(mailbox.body(5, &literal(600, 77, kept))), None);
    assert_eq!(kind(mailbox.body(5, &literal(600, 77, kept))), None);
    for (bytes, crc, certificate, expected) in [
        (599, 77, kept, FaultKind::WrongLength),
        (600, 78, kept, FaultKind::WrongBody),
        (
            600,
            77,
            Certificate::Kept { number: 2 },
            FaultKind::WrongBody,
        ),
        (
            600,
            77,
            Certificate::Broken { number: 1 },
            FaultKind::WrongBody,
        ),
        (600, 77, Certificate::Absent, FaultKind::WrongBody),
    ] {
        let told = mailbox.body(5, &literal(bytes, crc, certificate));
        assert_eq!(kind(told), Some(expected), "{bytes} {crc} {certificate:?}");
    }
    assert_eq!(kind(mailbox.size(5, 601)), Some(FaultKind::WrongLength));
}

#[test]
fn every_idler_is_waited_for() {
    let mut mailbox = mailbox();
    mailbox.idlers = 2;
    let ticket = mailbox.begin_store(2, 40).unwrap();
    mailbox.begin_notice(40, &ticket);
    let flagged = Flags::default().with(Flags::FLAGGED, true);
    assert_eq!(mailbox.hear(2, flagged), None, "another message");
    assert_eq!(mailbox.hear(3, Flags::default()), None, "the state before");
    assert_eq!(mailbox.hear(3, flagged), Some((None, 40)));
    assert_eq!(mailbox.notice_done(1_000), 1, "one heard before the writer");
    assert_eq!(mailbox.notice_left(), 1);
    assert_eq!(mailbox.hear(3, flagged), Some((Some(1_000), 40)));
    assert_eq!(mailbox.notice_left(), 0);
}
