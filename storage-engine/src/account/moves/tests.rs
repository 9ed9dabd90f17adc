//! Rules of moves in one account, one by one; `tests/moves.rs` has two accounts and crashes.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::account::Form;
use crate::actor::Actor;
use crate::ids::SessionKey;
use crate::request::*;

const OTHER: AccountId = AccountId([9; 16]);
const INBOX: MailboxId = MailboxId(1);

fn do_it(state: &mut AccountState, operation: Operation) -> Result<ReplyDraft, Refusal> {
    let context = PlanContext {
        actor: &Actor::Owner,
        now_s: 1_000,
        uploads: &HashMap::new(),
    };
    let planned = state.plan(&operation, &context)?;
    let records = planned.records.iter();
    records.for_each(|record| state.apply(record));
    Ok(planned.draft)
}

fn messages(count: usize) -> Vec<NewMessage> {
    let message = NewMessage {
        flags: FlagNames {
            system: Flags::DELETED,
            keywords: Vec::new(),
        },
        internal_date_s: 5,
        internal_date_zone_min: 0,
        size: 1,
        body: NewBody::Inline(Arc::from(&b"x"[..])),
        summary: Arc::from(&b""[..]),
    };
    vec![message; count]
}

fn account(count: usize) -> AccountState {
    let mut state = AccountState::default();
    let mailboxes = Vec::new();
    do_it(&mut state, Operation::CreateAccount { mailboxes }).unwrap();
    let append = Operation::Append {
        mailbox: Target::Name("INBOX".to_owned()),
        messages: messages(count),
        replaces: None,
        limit: Limit::default(),
    };
    do_it(&mut state, append).unwrap();
    state
}

fn ranges(first: u32, last: u32) -> Vec<UidRange> {
    vec![UidRange {
        first: Uid(first),
        last: Uid(last),
    }]
}

fn take_out(uids: Vec<UidRange>, gone: GoneMessages) -> Operation {
    Operation::TakeOut(TakeOut {
        mailbox: INBOX,
        uids,
        gone,
        moves_to: Some(OTHER),
    })
}

fn uids(state: &AccountState, mailbox: MailboxId) -> Vec<u32> {
    let index = &state.mailboxes[&mailbox].index;
    index.iter().map(|entry| entry.uid.0).collect()
}

#[test]
fn what_is_on_its_way_is_gone_to_every_plan_and_back_if_it_was_not_taken() {
    let mut state = account(4);
    do_it(&mut state, take_out(ranges(2, 3), GoneMessages::Refuse)).unwrap();
    let store = Operation::Store(Store {
        mailbox: INBOX,
        uids: ranges(1, 4),
        action: StoreAction::Add,
        flags: FlagNames {
            system: Flags::SEEN,
            keywords: Vec::new(),
        },
        unchanged_since: None,
        session: SessionKey {
            shard: 0,
            session: 1,
        },
        silent: false,
    });
    let stored = do_it(&mut state, store).unwrap();
    assert!(matches!(stored, ReplyDraft::Stored { gone, .. } if gone == [Uid(2), Uid(3)]));
    let again = take_out(ranges(3, 4), GoneMessages::Refuse);
    assert_eq!(
        do_it(&mut state, again).map(drop),
        Err(Refusal::MessageGone)
    );
    let copy = Operation::Transfer(Transfer {
        from: INBOX,
        uids: ranges(1, 2),
        to: "INBOX".to_owned(),
        kind: TransferKind::Copy,
        gone: GoneMessages::Refuse,
        limit: Limit::default(),
    });
    assert_eq!(do_it(&mut state, copy).map(drop), Err(Refusal::MessageGone));
    let expunge = Operation::Expunge {
        mailbox: INBOX,
        uids: None,
    };
    do_it(&mut state, expunge.clone()).unwrap();
    assert_eq!(uids(&state, INBOX), [2, 3]);
    let rename = Operation::RenameMailbox {
        from: "INBOX".to_owned(),
        to: "old".to_owned(),
        limit: Limit::default(),
    };
    do_it(&mut state, rename).unwrap();
    assert_eq!(uids(&state, INBOX), [2, 3]);
    let (number, taken) = (1, false);
    do_it(&mut state, Operation::EndMove { number, taken }).unwrap();
    do_it(&mut state, expunge).unwrap();
    assert_eq!(uids(&state, INBOX), [0; 0]);
}

#[test]
fn a_move_that_was_taken_expunges_once_and_its_number_never_comes_again() {
    let mut state = account(3);
    for (number, uid) in [(1, 1), (2, 3)] {
        do_it(&mut state, take_out(ranges(uid, uid), GoneMessages::Refuse)).unwrap();
        let end = || Operation::EndMove {
            number,
            taken: true,
        };
        let ended = do_it(&mut state, end()).unwrap();
        assert!(matches!(ended, ReplyDraft::Expunged { .. }), "{ended:?}");
        let again = do_it(&mut state, end()).unwrap();
        assert!(matches!(again, ReplyDraft::Done), "{again:?}");
        assert_eq!(state.open_moves(), []);
    }
    assert_eq!(uids(&state, INBOX), [2]);
    assert_eq!(state.moves.last, 2);
}

#[test]
fn a_move_of_nothing_is_none_and_one_of_too_much_is_refused() {
    let mut state = account(TAKEN_OUT_MESSAGES_MAX);
    let nothing = take_out(ranges(5_000, 6_000), GoneMessages::PassOver);
    do_it(&mut state, nothing).unwrap();
    assert_eq!(state.open_moves(), []);
    let append = Operation::Append {
        mailbox: Target::Name("INBOX".to_owned()),
        messages: messages(1),
        replaces: None,
        limit: Limit::default(),
    };
    do_it(&mut state, append).unwrap();
    let all = do_it(&mut state, take_out(ranges(1, 5_000), GoneMessages::Refuse));
    assert!(matches!(all, Err(Refusal::Limit(_))), "{all:?}");
    assert_eq!(state.open_moves(), []);
}

#[test]
fn who_was_asked_takes_no_more_and_forgets_when_it_is_told() {
    let mut state = account(1);
    let (from, number) = (OTHER, 7);
    let ask = || Operation::AskMove { from, number };
    let receive = |number| {
        Operation::Receive(Receive {
            mailbox: "INBOX".to_owned(),
            messages: messages(1),
            limit: Limit::default(),
            move_of: Some((from, number)),
        })
    };
    let asked = do_it(&mut state, ask()).unwrap();
    assert!(matches!(asked, ReplyDraft::MoveState(false)), "{asked:?}");
    let late = do_it(&mut state, receive(7));
    assert!(matches!(late, Err(Refusal::NotAllowed(_))), "{late:?}");
    do_it(&mut state, receive(8)).unwrap();
    let number = 8;
    let asked = do_it(&mut state, Operation::AskMove { from, number }).unwrap();
    assert!(matches!(asked, ReplyDraft::MoveState(true)), "{asked:?}");
    assert_eq!(state.open_moves().len(), 2);
    for number in [7, 8] {
        do_it(&mut state, Operation::ForgetMove { from, number }).unwrap();
    }
    assert_eq!(state.open_moves(), []);
}

#[test]
fn open_moves_are_restated_and_keep_their_messages_away() {
    let mut state = account(3);
    do_it(&mut state, take_out(ranges(2, 2), GoneMessages::Refuse)).unwrap();
    let (from, number) = (OTHER, 7);
    do_it(&mut state, Operation::AskMove { from, number }).unwrap();
    let bytes = state.encode(Form::Whole).unwrap();
    let read = AccountState::decode(&bytes).unwrap();
    assert_eq!(read.moves, state.moves);
    assert!(read.mailboxes[&INBOX].is_moving(Uid(2)));
    assert!(!read.mailboxes[&INBOX].is_moving(Uid(3)));
}
