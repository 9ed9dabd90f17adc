use super::*;
use futures_lite::future::{block_on, poll_once};

fn done() -> Answer {
    Answer::Done(Ok(()))
}

fn is_done(answer: Option<Answer>) -> bool {
    matches!(answer, Some(Answer::Done(Ok(()))))
}

fn is_unknown(answer: Option<Answer>) -> bool {
    matches!(answer, Some(Answer::Done(Err(Refusal::Unknown))))
}

fn slots(calls: &Calls) -> usize {
    calls.0.borrow().slots.len()
}

#[test]
fn answers_find_their_calls_in_any_order() {
    let calls = Calls::default();
    let (mut one, mut other) = (calls.open(1), calls.open(2));
    assert!(block_on(poll_once(&mut one)).is_none());
    calls.answer(other.id(), done());
    assert!(block_on(poll_once(&mut one)).is_none());
    assert!(is_done(block_on(poll_once(&mut other))));
    calls.answer(one.id(), done());
    assert!(is_done(block_on(poll_once(&mut one))));
    drop((one, other));
    assert_eq!(slots(&calls), 0);
}

#[test]
fn a_dropped_call_keeps_its_slot_until_the_answer_has_come() {
    let calls = Calls::default();
    let call = calls.open(1);
    let id = call.id();
    drop(call);
    assert_eq!(slots(&calls), 1, "else its answer could reach another call");
    calls.answer(id, done());
    assert_eq!(slots(&calls), 0);
    let call = calls.open(1);
    calls.answer(call.id(), done());
    drop(call);
    assert_eq!(slots(&calls), 0, "answered, never looked at");
}

#[test]
fn a_peer_that_is_gone_leaves_nobody_waiting() {
    let calls = Calls::default();
    let (mut one, mut other, abandoned) = (calls.open(1), calls.open(2), calls.open(1));
    drop(abandoned);
    assert!(block_on(poll_once(&mut one)).is_none());
    calls.peer_gone(1);
    assert!(is_unknown(block_on(poll_once(&mut one))));
    assert!(is_unknown(block_on(poll_once(&mut calls.open(1)))));
    assert!(block_on(poll_once(&mut other)).is_none(), "another peer");
    assert_eq!(slots(&calls), 1);
}
