use super::*;

/// Ten messages of ten bytes, and an alert at eight.
const LIMIT: Limit = Limit {
    bytes_max: Some(100),
    messages_max: Some(1_000),
    alert_percent: Some(80),
    mailboxes_max: None,
};

fn ask(state: &mut AccountState, operation: AlertOperation) -> Result<Vec<Record>, Refusal> {
    do_it(state, Operation::Alerts(operation))
}

fn post(state: &mut AccountState, text: &str) -> Result<Vec<Record>, Refusal> {
    let text = text.to_owned();
    ask(state, AlertOperation::Post { text })
}

/// The texts that a session shows, and up to which number it knew what others are shown too.
fn take(state: &mut AccountState, seen: u64, limit: Limit) -> (Vec<String>, u64) {
    let limit = Some(limit);
    let operation = Operation::Alerts(AlertOperation::Take { seen, limit });
    let context = PlanContext {
        actor: &Actor::Owner,
        now_s: 1_000,
        uploads: &HashMap::new(),
    };
    let planned = state.plan(&operation, &context).unwrap();
    planned
        .records
        .iter()
        .for_each(|record| state.apply(record));
    let ReplyDraft::Alerts(alerts) = planned.draft else {
        panic!("{planned:?}");
    };
    let texts = alerts.posted.into_iter().map(|alert| alert.text);
    (texts.collect(), alerts.seen)
}

fn grow(state: &mut AccountState, messages: usize) -> Result<Vec<Record>, Refusal> {
    do_it(state, append(Target::Name("INBOX".into()), messages, LIMIT))
}

fn shrink(state: &mut AccountState, first: u32, last: u32) {
    let range = UidRange {
        first: Uid(first),
        last: Uid(last),
    };
    let deleted = store(state, range, "x");
    do_it(state, deleted).unwrap();
    let uids = Some(vec![range]);
    let mailbox = inbox(state);
    do_it(state, Operation::Expunge { mailbox, uids }).unwrap();
}

#[test]
fn an_alert_is_delivered_once_and_its_number_is_not_used_again() {
    let mut state = account();
    post(&mut state, "one").unwrap();
    post(&mut state, "two").unwrap();
    let limit = Limit::default();
    assert_eq!(take(&mut state, 0, limit).0, ["one", "two"]);
    assert_eq!(take(&mut state, 0, limit).0, [""; 0]);
    post(&mut state, "three").unwrap();
    assert_eq!(state.alerts().posted[0].number, 3);
    let bytes = state.encode(Form::Whole).unwrap();
    let mut read = AccountState::decode(&bytes).unwrap();
    assert_eq!(take(&mut read, 0, limit).0, ["three"]);
}

#[test]
fn what_others_are_shown_too_is_counted_up_and_never_down() {
    let mut state = account();
    let limit = Limit::default();
    assert_eq!(take(&mut state, 5, limit).1, 0);
    assert_eq!(take(&mut state, 3, limit).1, 5);
    assert_eq!(take(&mut state, 7, limit).1, 5);
    let bytes = state.encode(Form::Whole).unwrap();
    assert_eq!(AccountState::decode(&bytes).unwrap().alerts().seen, 7);
}

#[test]
fn texts_and_numbers_of_alerts_are_checked() {
    let mut state = account();
    for bad in ["", "two\r\nlines", "bell\u{7}", &"x".repeat(901)] {
        assert!(post(&mut state, bad).is_err(), "{bad:?}");
    }
    for n in 0..crate::state_limits::ALERTS_MAX {
        post(&mut state, &format!("{n}")).unwrap();
    }
    assert!(matches!(post(&mut state, "more"), Err(Refusal::Limit(_))));
    ask(&mut state, AlertOperation::Remove { number: 2 }).unwrap();
    let again = ask(&mut state, AlertOperation::Remove { number: 2 });
    assert!(matches!(again, Err(Refusal::NotAllowed(_))));
    assert!(post(&mut state, "more").is_ok());
}

#[test]
fn another_account_sees_neither_alerts_nor_usage() {
    let mut state = account();
    post(&mut state, "private").unwrap();
    let guest = Actor::Guest(Arc::new(Principal {
        account: crate::ids::AccountId([9; 16]),
        domain: "example.org".to_owned(),
        groups: Vec::new(),
        same_domain: true,
    }));
    let context = PlanContext {
        actor: &guest,
        now_s: 1_000,
        uploads: &HashMap::new(),
    };
    for operation in [Operation::Usage, Operation::Alerts(AlertOperation::List)] {
        let refused = state.plan(&operation, &context).map(drop);
        assert_eq!(refused, Err(Refusal::NoPermission));
    }
}

#[test]
fn a_quota_that_is_nearly_used_up_is_told_once_until_it_falls_again() {
    let mut state = account();
    grow(&mut state, 7).unwrap();
    assert_eq!(state.alerts().posted, []);
    grow(&mut state, 1).unwrap();
    grow(&mut state, 1).unwrap();
    let told = ["Your mail takes 80% of its space: 1 of 1 KiB"];
    assert_eq!(take(&mut state, 0, LIMIT).0, told);
    assert_eq!(take(&mut state, 0, LIMIT).0, [""; 0]);
    shrink(&mut state, 1, 3);
    grow(&mut state, 1).unwrap();
    assert!(!state.alerts().above_quota_mark);
    grow(&mut state, 1).unwrap();
    assert_eq!(take(&mut state, 0, LIMIT).0, told);
    // It fell and rose between two looks: still told.
    shrink(&mut state, 4, 5);
    grow(&mut state, 3).unwrap();
    assert_eq!(take(&mut state, 0, LIMIT).0.len(), 1);
}

#[test]
fn a_quota_that_is_lowered_below_what_is_used_is_told_and_refuses_growth_only() {
    let mut state = account();
    grow(&mut state, 9).unwrap();
    take(&mut state, 0, LIMIT);
    let lower = Limit {
        bytes_max: Some(50),
        messages_max: None,
        alert_percent: None,
        mailboxes_max: None,
    };
    let append = append(Target::Name("INBOX".into()), 1, lower);
    assert_eq!(do_it(&mut state, append), Err(Refusal::OverQuota));
    let mut state = account();
    grow(&mut state, 5).unwrap();
    let alert_percent = Some(100);
    let limit = Limit {
        alert_percent,
        ..lower
    };
    ask(&mut state, AlertOperation::CheckQuota { limit }).unwrap();
    let told = ["Your mail takes 100% of its space: 1 of 1 KiB"];
    assert_eq!(take(&mut state, 0, limit).0, told);
}

#[test]
fn bytes_of_messages_with_deleted_are_counted_through_every_form() {
    let mut state = account();
    grow(&mut state, 3).unwrap();
    let range = UidRange {
        first: Uid(1),
        last: Uid(2),
    };
    let deleted = store(&state, range, "x");
    do_it(&mut state, deleted).unwrap();
    let counted = |state: &AccountState| state.describe(&Actor::Owner).mailboxes[0].deleted_bytes;
    assert_eq!(counted(&state), 20);
    let bytes = state.encode(Form::Whole).unwrap();
    assert_eq!(counted(&AccountState::decode(&bytes).unwrap()), 20);
    shrink(&mut state, 1, 2);
    assert_eq!(counted(&state), 0);
}
