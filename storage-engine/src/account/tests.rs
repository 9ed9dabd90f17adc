//! Rules one by one, and that commands on 100,000 messages stay linear; `tests/model.rs` has the
//! rest.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::ids::{BodyId, MailboxId, SessionKey, Uid};
use crate::record::Record;
use crate::request::*;

mod alerts;

const SESSION: SessionKey = SessionKey {
    shard: 0,
    session: 1,
};

fn do_it(state: &mut AccountState, operation: Operation) -> Result<Vec<Record>, Refusal> {
    let context = PlanContext {
        actor: &Actor::Owner,
        now_s: 1_000,
        uploads: &HashMap::new(),
    };
    let planned = state.plan(&operation, &context)?;
    planned
        .records
        .iter()
        .for_each(|record| state.apply(record));
    Ok(planned.records)
}

fn account() -> AccountState {
    let mut state = AccountState::default();
    let mailboxes = vec![new_mailbox("Trash")];
    do_it(&mut state, Operation::CreateAccount { mailboxes }).unwrap();
    state
}

fn new_mailbox(name: &str) -> NewMailbox {
    NewMailbox {
        name: name.to_owned(),
        special_use: vec![SpecialUse::Trash],
        ..NewMailbox::default()
    }
}

fn create(state: &mut AccountState, name: &str) -> Result<Vec<Record>, Refusal> {
    let mailbox = new_mailbox(name);
    let limit = Limit::default();
    do_it(state, Operation::CreateMailbox { mailbox, limit })
}

fn append(name: Target, messages: usize, limit: Limit) -> Operation {
    let message = NewMessage {
        flags: FlagNames::default(),
        internal_date_s: 5,
        internal_date_zone_min: 0,
        size: 10,
        body: NewBody::Inline(Arc::from(&b"0123456789"[..])),
        summary: Arc::from(&b""[..]),
    };
    Operation::Append {
        mailbox: name,
        messages: vec![message; messages],
        replaces: None,
        limit,
    }
}

fn inbox(state: &AccountState) -> MailboxId {
    state.describe(&Actor::Owner).mailboxes[0].mailbox
}

fn store(state: &AccountState, uids: UidRange, keyword: &str) -> Operation {
    Operation::Store(Store {
        mailbox: inbox(state),
        uids: vec![uids],
        action: StoreAction::Add,
        flags: FlagNames {
            system: Flags::DELETED,
            keywords: vec![keyword.to_owned()],
        },
        unchanged_since: None,
        session: SESSION,
        silent: false,
    })
}

fn all() -> UidRange {
    UidRange {
        first: Uid(1),
        last: Uid(u32::MAX),
    }
}

#[test]
fn names_are_checked() {
    let long = "x".repeat(1001);
    let deep = ["a"; 65].join("/");
    let bad = [
        "", "/a", "a/", "a//b", "a%", "a*b", "a\rb", "inbox", &long, &deep,
    ];
    for name in bad {
        assert!(create(&mut account(), name).is_err(), "{name}");
    }
    for name in ["a", "a/b/c", "\u{e9}", "INBOX/x", "Inbox2"] {
        assert!(create(&mut account(), name).is_ok(), "{name}");
    }
}

#[test]
fn inbox_is_the_same_in_any_case_and_can_not_be_deleted() {
    let mut state = account();
    let delete = |name: &str| Operation::DeleteMailbox { name: name.into() };
    let refused = do_it(&mut state, delete("inBox"));
    assert!(matches!(refused, Err(Refusal::NotAllowed(_))));
    create(&mut state, "InBox/x").unwrap();
    assert_eq!(do_it(&mut state, delete("INBOX/x")).unwrap().len(), 1);
}

#[test]
fn an_account_id_is_used_once() {
    let mut state = account();
    let again = || Operation::CreateAccount {
        mailboxes: Vec::new(),
    };
    assert_eq!(do_it(&mut state, again()), Err(Refusal::AccountExists));
    assert_eq!(
        do_it(&mut state, Operation::DeleteAccount).unwrap().len(),
        1
    );
    assert_eq!(do_it(&mut state, Operation::DeleteAccount).unwrap(), []);
    assert_eq!(do_it(&mut state, again()), Err(Refusal::AccountExists));
    assert_eq!(
        do_it(&mut state, Operation::Describe),
        Err(Refusal::NoSuchAccount)
    );
    assert!(state.deleted() && !state.exists());
    let bytes = state.encode(Form::Pages).unwrap();
    assert!(AccountState::decode(&bytes).unwrap().deleted());
}

#[test]
fn uid_validity_never_comes_twice_though_the_clock_stands_still() {
    let mut state = account();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..5 {
        let made = create(&mut state, "x").unwrap();
        let Record::MailboxCreated { uid_validity, .. } = &made[0] else {
            panic!("{made:?}");
        };
        assert!(seen.insert(*uid_validity));
        do_it(&mut state, Operation::DeleteMailbox { name: "x".into() }).unwrap();
    }
}

#[test]
fn limits_of_the_account_refuse_growth_but_not_moves() {
    let mut state = account();
    let limit = Limit {
        bytes_max: Some(35),
        messages_max: Some(3),
        ..Limit::default()
    };
    let name = || Target::NameOrInbox("no/such".into());
    do_it(&mut state, append(name(), 3, limit)).unwrap();
    assert_eq!(
        do_it(&mut state, append(name(), 1, limit)),
        Err(Refusal::OverQuota)
    );
    let transfer = |kind| {
        Operation::Transfer(Transfer {
            from: MailboxId(1),
            uids: vec![all()],
            to: "Trash".into(),
            kind,
            gone: GoneMessages::PassOver,
            limit,
        })
    };
    let refused = do_it(&mut state, transfer(TransferKind::Copy));
    assert_eq!(refused, Err(Refusal::OverQuota));
    do_it(&mut state, transfer(TransferKind::Move)).unwrap();
    assert_eq!(state.describe(&Actor::Owner).mailboxes[1].messages, 3);
}

#[test]
fn the_keyword_table_has_59_places() {
    let mut state = account();
    do_it(
        &mut state,
        append(Target::Name("INBOX".into()), 1, Limit::default()),
    )
    .unwrap();
    for n in 0..59 {
        let operation = store(&state, all(), &format!("k{n}"));
        do_it(&mut state, operation).unwrap();
    }
    let known = store(&state, all(), "K7");
    assert_eq!(do_it(&mut state, known).unwrap(), []);
    let new = store(&state, all(), "one-too-many");
    assert!(matches!(do_it(&mut state, new), Err(Refusal::Limit(_))));
}

#[test]
fn commands_on_100_000_messages_are_small_records() {
    let mut state = account();
    for _ in 0..100 {
        let thousand = append(Target::Name("INBOX".into()), 1_000, Limit::default());
        do_it(&mut state, thousand).unwrap();
    }
    let started = std::time::Instant::now();
    let frame = |records: Vec<Record>| {
        let mut bytes = Vec::new();
        crate::record::encode_frame(&records, &mut bytes);
        bytes.len()
    };
    let operation = store(&state, all(), "x");
    assert!(frame(do_it(&mut state, operation).unwrap()) < 100);
    for kind in [TransferKind::Copy, TransferKind::Move] {
        let operation = Operation::Transfer(Transfer {
            from: inbox(&state),
            uids: vec![all()],
            to: "Trash".into(),
            kind,
            gone: GoneMessages::PassOver,
            limit: Limit::default(),
        });
        assert!(frame(do_it(&mut state, operation).unwrap()) < 200);
    }
    assert_eq!(state.shared.len(), 100_000);
    let mailbox = state.names["Trash"];
    let operation = Operation::Expunge {
        mailbox,
        uids: None,
    };
    assert!(frame(do_it(&mut state, operation).unwrap()) < 100);
    assert_eq!((state.messages, state.bytes, state.shared.len()), (0, 0, 0));
    // Far above what it takes, far below what anything quadratic would.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

#[test]
fn damaged_states_never_panic() {
    let mut state = account();
    do_it(
        &mut state,
        append(Target::Name("INBOX".into()), 20, Limit::default()),
    )
    .unwrap();
    let operation = store(&state, all(), "x");
    do_it(&mut state, operation).unwrap();
    let mut rng = crate::testing::Rng::new(5);
    for form in [Form::Whole, Form::Pages] {
        for id in state.mailbox_ids() {
            let index = state.index_mut(id).unwrap();
            index.fold();
            (0..index.pages().len()).for_each(|i| index.set_page_place(i, crate::ids::Place::NONE));
        }
        let whole = state.encode(form).unwrap();
        assert!(AccountState::decode(&whole).is_ok());
        for _ in 0..20_000 {
            let mut bytes = whole.clone();
            for _ in 0..1 + rng.below(3) {
                let at = usize::try_from(rng.below(bytes.len() as u64)).unwrap();
                bytes[at] = rng.next_u64() as u8;
            }
            bytes.truncate(bytes.len() - usize::try_from(rng.below(4) / 3 * 7).unwrap());
            let _ = AccountState::decode(&bytes);
        }
    }
}

#[test]
fn an_upload_gets_its_id_before_the_plan() {
    let mut state = account();
    let body = state.reserve_body();
    let mut operation = append(Target::Name("INBOX".into()), 2, Limit::default());
    if let Operation::Append { messages, .. } = &mut operation {
        messages[1].body = NewBody::Uploaded(UploadId(7));
    }
    let uploads = HashMap::from([(UploadId(7), body)]);
    let context = PlanContext {
        actor: &Actor::Owner,
        now_s: 1,
        uploads: &uploads,
    };
    let planned = state.plan(&operation, &context).unwrap();
    assert_eq!(planned.body(1), Some(body));
    assert_eq!(planned.body(0), Some(BodyId(body.0 + 1)));
    assert_eq!(do_it(&mut state, operation), Err(Refusal::NoSuchUpload));
}
