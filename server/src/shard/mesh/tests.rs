use super::*;
use futures_lite::future::{block_on, or, poll_once};
use storage_engine::request::Refusal;

use super::super::message::Answer;

fn message(id: usize) -> Message {
    let answer = Answer::Done(Err(Refusal::Unknown));
    Message::Answer { id, answer }
}

fn ids(batch: Vec<Message>) -> Vec<usize> {
    let id = |message| match message {
        Message::Answer { id, .. } => id,
        other => panic!("{other:?}"),
    };
    batch.into_iter().map(id).collect()
}

#[test]
fn what_is_pushed_in_one_turn_travels_as_one_batch_in_order() {
    let (sender, receiver) = bounded(1);
    let outbox = Outbox::new(sender);
    (0..3).for_each(|id| outbox.push(message(id)));
    let mut flush = Box::pin(outbox.flush());
    assert!(block_on(poll_once(&mut flush)).is_none());
    assert_eq!(ids(block_on(receiver.recv()).unwrap()), [0, 1, 2]);
    outbox.push(message(3));
    assert!(block_on(poll_once(&mut flush)).is_none());
    assert_eq!(ids(block_on(receiver.recv()).unwrap()), [3]);
}

#[test]
fn a_peer_that_does_not_read_is_felt_and_its_reading_lets_go() {
    let (sender, receiver) = bounded(1);
    let outbox = Outbox::new(sender);
    let mut flush = Box::pin(outbox.flush());
    outbox.push(message(0));
    assert!(
        block_on(poll_once(&mut flush)).is_none(),
        "fills the channel"
    );
    outbox.push(message(1));
    assert!(block_on(poll_once(&mut flush)).is_none(), "waits for room");
    (0..limits::OUTBOX_MESSAGES_MAX).for_each(|id| outbox.push(message(id)));
    let mut room = Box::pin(outbox.room());
    assert!(block_on(poll_once(&mut room)).is_none());
    block_on(receiver.recv()).unwrap();
    block_on(or(&mut room, async {
        flush.as_mut().await;
        panic!("nobody has closed the channel");
    }));
}

#[test]
fn a_peer_that_is_gone_holds_nobody_up() {
    let (sender, receiver) = bounded(1);
    let outbox = Outbox::new(sender);
    (0..limits::OUTBOX_MESSAGES_MAX).for_each(|id| outbox.push(message(id)));
    let mut room = Box::pin(outbox.room());
    assert!(block_on(poll_once(&mut room)).is_none());
    drop(receiver);
    block_on(outbox.flush());
    block_on(room);
    outbox.push(message(0));
    assert_eq!(outbox.waiting(), 0, "nothing piles up for it");
}
