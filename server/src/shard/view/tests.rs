use super::*;
use futures_lite::future::{block_on, poll_once};
use storage_engine::ids::{AccountId, BodyId, MailboxId, ModSeq, Place, Uid, UidValidity};
use storage_engine::index::{Entry, MailboxIndex};
use storage_engine::request::{Flags, UidRange};
use storage_engine::state_limits::GHOSTS_MAX;
use storage_engine::view::{ChangeKind, SessionView};

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
        acl: Default::default(),
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

/// A view at change 5 that has missed what followed.
fn catching_up() -> Rc<SharedView> {
    let view = pending();
    view.install(Ok(snapshot(5)));
    assert!(view.missed(2));
    assert_eq!(view.watch(), 2);
    view
}

#[test]
fn what_was_missed_comes_with_the_next_snapshot() {
    let view = catching_up();
    // Sessions go on with what there is.
    assert_eq!(keywords(&view).as_deref(), Some(""));
    (8..=9).for_each(|number| view.apply(&keyword(number)));
    assert_eq!(reached(&view, 6), None);
    assert!(block_on(poll_once(view.settled())).is_none());
    view.install(Ok(snapshot(8)));
    assert_eq!(keywords(&view).as_deref(), Some("k9"));
    assert_eq!(reached(&view, 9), Some(Ok(())));
    assert!(block_on(poll_once(view.settled())).is_some());
}

#[test]
fn a_view_may_miss_changes_again_before_its_snapshot_came() {
    let view = catching_up();
    view.apply(&keyword(7));
    assert!(view.missed(3));
    view.apply(&keyword(10));
    view.install(Ok(snapshot(9)));
    assert_eq!(keywords(&view).as_deref(), Some("k10"));
    let view = pending();
    view.apply(&keyword(4));
    assert!(view.missed(2));
    view.install(Ok(snapshot(9)));
    assert_eq!(reached(&view, 9), Some(Ok(())));
}

#[test]
fn a_view_that_cannot_catch_up_ends() {
    let view = catching_up();
    view.install(Err(Refusal::NoSuchMailbox));
    assert!(view.is_ended() && !view.missed(3));
    let view = catching_up();
    for number in 0..=limits::CHANGES_BEFORE_SNAPSHOT_MAX {
        view.apply(&keyword(u64::try_from(number).unwrap() + 6));
    }
    assert!(view.is_ended());
}

#[test]
fn a_session_that_pins_too_much_of_what_went_is_named() {
    let count = u32::try_from(GHOSTS_MAX).unwrap();
    let mut index = MailboxIndex::default();
    for uid in 1..=count + 1 {
        index.add(entry(Uid(uid)));
    }
    let view = pending();
    view.install(Ok(MailboxSnapshot {
        index,
        uid_next: Uid(count + 2),
        ..snapshot(5)
    }));
    let key = |session| SessionKey { shard: 0, session };
    let silent = SessionView::new(&mut view.view_mut().unwrap(), key(1), None);
    let went = |number, first, last| {
        let uids = vec![UidRange { first, last }];
        let mod_seq = ModSeq(number);
        view.apply(&Arc::new(Change {
            number: ChangeNumber(number),
            kind: ChangeKind::Went { uids, mod_seq },
        }));
    };
    went(6, Uid(1), Uid(count));
    let later = SessionView::new(&mut view.view_mut().unwrap(), key(2), None);
    assert_eq!(view.laggards(), []);
    went(7, Uid(count + 1), Uid(count + 1));
    assert_eq!(view.laggards(), [key(1)]);
    let mut inside = view.view_mut().unwrap();
    inside.leave(silent);
    assert_eq!(inside.laggards(), []);
    inside.leave(later);
}

fn entry(uid: Uid) -> Entry {
    Entry {
        uid,
        mod_seq: ModSeq(1),
        flags: Flags::default(),
        internal_date_s: 0,
        zone_min: 0,
        saved_s: 0,
        size: 1,
        body: BodyId(0),
        body_place: Place::NONE,
        summary_place: Place::NONE,
    }
}
