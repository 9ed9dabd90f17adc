use super::*;
use futures_lite::future::{block_on, poll_once};
use storage_engine::ids::{AccountId, MailboxId, ModSeq, Uid, UidValidity};
use storage_engine::index::MailboxIndex;
use storage_engine::view::ChangeKind;

fn pending() -> Rc<SharedView> {
    let key = MailboxKey {
        account: AccountId([7; 16]),
        mailbox: MailboxId(1),
    };
    SharedView::pending(key, 1)
}

fn snapshot(change: u64) -> MailboxSnapshot {
    MailboxSnapshot {
        mailbox: MailboxId(1),
        index: MailboxIndex::default(),
        keywords: Arc::default(),
        change: ChangeNumber(change),
        uid_validity: UidValidity(1),
        uid_next: Uid(1),
        highest_mod_seq: ModSeq(1),
    }
}

fn keyword(number: u64) -> Arc<Change> {
    Arc::new(Change {
        number: ChangeNumber(number),
        kind: ChangeKind::Keyword {
            name: format!("k{number}"),
        },
    })
}

fn keywords(view: &SharedView) -> Option<String> {
    view.view().map(|view| view.keywords().join(" "))
}

/// `None` while it waits.
fn reached(view: &SharedView, change: u64) -> Option<Result<(), Refusal>> {
    block_on(poll_once(view.reached(ChangeNumber(change))))
}

#[test]
fn changes_that_overtake_the_snapshot_are_kept_and_known_ones_passed_over() {
    let view = pending();
    (4..=7).for_each(|number| view.apply(&keyword(number)));
    assert_eq!(reached(&view, 1), None);
    view.install(Ok(snapshot(5)));
    assert_eq!(keywords(&view).as_deref(), Some("k6 k7"));
    assert_eq!(reached(&view, 7), Some(Ok(())));
    assert_eq!(reached(&view, 8), None);
    view.apply(&keyword(7));
    view.apply(&keyword(8));
    assert_eq!(keywords(&view).as_deref(), Some("k6 k7 k8"));
}

#[test]
fn a_view_that_misses_a_change_ends() {
    let view = pending();
    view.install(Ok(snapshot(5)));
    let mut waits = Box::pin(view.reached(ChangeNumber(7)));
    assert!(block_on(poll_once(&mut waits)).is_none());
    view.apply(&keyword(7));
    assert_eq!(block_on(waits), Err(Refusal::Unknown));
    assert!(view.is_ended());
    assert!(keywords(&view).is_none());
}

#[test]
fn a_mailbox_that_is_gone_ends_its_view() {
    let view = pending();
    view.install(Err(Refusal::NoSuchMailbox));
    assert_eq!(reached(&view, 1), Some(Err(Refusal::NoSuchMailbox)));
    let view = pending();
    view.install(Ok(snapshot(5)));
    assert!(!view.is_ended());
    view.apply(&Arc::new(Change {
        number: ChangeNumber(6),
        kind: ChangeKind::Ended,
    }));
    assert!(view.is_ended());
}

#[test]
fn what_waits_for_a_snapshot_is_bounded() {
    let view = pending();
    for number in 1..=1 + limits::CHANGES_BEFORE_SNAPSHOT_MAX {
        view.apply(&keyword(u64::try_from(number).unwrap()));
    }
    assert!(view.is_ended());
}
