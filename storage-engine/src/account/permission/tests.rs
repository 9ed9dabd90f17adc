//! Every operation as a guest with every set of rights that matters to it.

use std::collections::HashMap;
use std::sync::Arc;

use super::*;
use crate::account::{PlanContext, Planned, ReplyDraft};
use crate::acl::{AclAction, AclChange, Identifier};
use crate::ids::{AccountId, ChangeNumber, SessionKey, Uid};
use crate::record::Record;
use crate::request::*;

mod lists;

const GUEST: AccountId = AccountId([9; 16]);
const SESSION: SessionKey = SessionKey {
    shard: 0,
    session: 1,
};
const NO_MAILBOX: Result<(), Refusal> = Err(Refusal::NoSuchMailbox);
const DENIED: Result<(), Refusal> = Err(Refusal::NoPermission);

fn guest() -> Actor {
    Actor::Guest(Arc::new(Principal {
        account: GUEST,
        domain: "example.com".to_owned(),
        groups: Vec::new(),
        same_domain: true,
    }))
}

fn plan(state: &AccountState, actor: &Actor, operation: Operation) -> Result<Planned, Refusal> {
    let context = PlanContext {
        actor,
        now_s: 1_000,
        uploads: &HashMap::new(),
    };
    state.plan(&operation, &context)
}

fn do_as(state: &mut AccountState, actor: &Actor, operation: Operation) -> Result<(), Refusal> {
    let planned = plan(state, actor, operation)?;
    planned
        .records
        .iter()
        .for_each(|record| state.apply(record));
    Ok(())
}

fn mailbox(name: &str) -> NewMailbox {
    NewMailbox {
        name: name.to_owned(),
        special_use: vec![SpecialUse::Junk],
        subscribe: true,
        ..NewMailbox::default()
    }
}

fn create(name: &str) -> Operation {
    Operation::CreateMailbox {
        mailbox: mailbox(name),
        limit: Limit::default(),
    }
}

fn give(name: &str, letters: &str) -> Operation {
    let change = AclChange {
        identifier: Identifier::Account(GUEST),
        negative: false,
        action: AclAction::Replace,
        rights: Rights::from_letters(letters).unwrap(),
    };
    Operation::ChangeAcl {
        name: name.to_owned(),
        changes: vec![change],
    }
}

fn append(name: &str, flags: FlagNames) -> Operation {
    let message = NewMessage {
        flags,
        internal_date_s: 5,
        internal_date_zone_min: 0,
        size: 1,
        body: NewBody::Inline(Arc::from(&b"x"[..])),
        summary: Arc::from(&b""[..]),
    };
    Operation::Append {
        mailbox: Target::Name(name.to_owned()),
        messages: vec![message],
        replaces: None,
        limit: Limit::default(),
    }
}

fn replace(name: &str, flags: FlagNames) -> Operation {
    let mut operation = append(name, flags);
    if let Operation::Append { replaces, .. } = &mut operation {
        *replaces = Some(Replaces {
            uid: Uid(1),
            gone: GoneMessages::Refuse,
        });
    }
    operation
}

fn classify(name: &str) -> Operation {
    let (name, class) = (name.to_owned(), "IPF.Contact".to_owned());
    Operation::SetClass { name, class }
}

fn all_flags() -> FlagNames {
    FlagNames {
        system: Flags(31),
        keywords: vec!["Work".to_owned()],
    }
}

fn flags(system: Flags, keywords: &[&str]) -> FlagNames {
    FlagNames {
        system,
        keywords: keywords.iter().map(|name| (*name).to_owned()).collect(),
    }
}

/// `team` with a message in it, `team/in`, and `other`, to which the guest has all rights.
fn account(team: &str, inner: &str) -> AccountState {
    let mut state = AccountState::default();
    let mailboxes = ["team", "team/in", "other"].map(mailbox).to_vec();
    let mut owner = |operation| do_as(&mut state, &Actor::Owner, operation).unwrap();
    owner(Operation::CreateAccount { mailboxes });
    owner(append("team", all_flags()));
    owner(append("other", all_flags()));
    owner(give("team", team));
    owner(give("team/in", inner));
    owner(give("other", "lrswipkxtea"));
    state
}

fn id(state: &AccountState, name: &str) -> MailboxId {
    state.names[name]
}

fn first() -> Vec<UidRange> {
    let first = Uid(1);
    vec![UidRange { first, last: first }]
}

fn store(state: &AccountState, action: StoreAction, flags: FlagNames) -> Operation {
    Operation::Store(Store {
        mailbox: id(state, "team"),
        uids: first(),
        action,
        flags,
        unchanged_since: None,
        session: SESSION,
        silent: false,
    })
}

fn transfer(state: &AccountState, from: &str, to: &str, kind: TransferKind) -> Operation {
    Operation::Transfer(Transfer {
        from: id(state, from),
        uids: first(),
        to: to.to_owned(),
        kind,
        gone: GoneMessages::Refuse,
        limit: Limit::default(),
    })
}

type Make = fn(&AccountState) -> Operation;

/// What is done to `team`, the rights on it that are just enough, and one right too few. Each is
/// refused as a missing mailbox without `l` and `r`.
const NEEDS: [(Make, &str, &str); 15] = [
    (
        |_| named(|name| Operation::Status { name }),
        "r",
        "lswipkxtea",
    ),
    (|_| select(), "r", "lswipkxtea"),
    (|_| named(|name| Operation::MyRights { name }), "l", ""),
    (
        |_| named(|name| Operation::Acl { name }),
        "la",
        "lrswipkxte",
    ),
    (|_| give("team", "lr"), "la", "lrswipkxte"),
    (|_| append("team", all_flags()), "li", "lrswpkxtea"),
    (|_| replace("team", all_flags()), "lite", "lrswipkxta"),
    (|_| classify("team"), "la", "lrswipkxte"),
    (
        |state| store(state, StoreAction::Add, all_flags()),
        "rw",
        "lripkxea",
    ),
    (|state| expunge(state), "re", "lrswipkxta"),
    (
        |state| transfer(state, "team", "other", TransferKind::Copy),
        "r",
        "lswipkxtea",
    ),
    (
        |state| transfer(state, "team", "other", TransferKind::Move),
        "rte",
        "lrswipkxta",
    ),
    (
        |state| transfer(state, "other", "team", TransferKind::Copy),
        "li",
        "lrswpkxtea",
    ),
    (|_| create("team/new/deep"), "lk", "lrswipxtea"),
    (
        |state| Operation::Snapshot {
            mailbox: id(state, "team"),
        },
        "r",
        "lswipkxtea",
    ),
];

fn named(make: fn(String) -> Operation) -> Operation {
    make("team".to_owned())
}

fn select() -> Operation {
    Operation::Select {
        name: "team".to_owned(),
        access: Access::ReadWrite,
        session: SESSION,
    }
}

fn expunge(state: &AccountState) -> Operation {
    Operation::Expunge {
        mailbox: id(state, "team"),
        uids: None,
    }
}

#[test]
fn each_operation_needs_its_rights_and_a_hidden_mailbox_is_a_missing_one() {
    for (make, enough, too_few) in NEEDS {
        for (letters, expected) in [
            (enough, Ok(())),
            (too_few, DENIED),
            ("swipkxtea", NO_MAILBOX),
        ] {
            let state = account(letters, "");
            let operation = make(&state);
            let hidden = !state.mailboxes[&id(&state, "team")]
                .acl
                .rights_of(&guest())
                .shows_mailbox();
            let expected = if hidden { NO_MAILBOX } else { expected };
            let permitted = state.permit(&operation, &guest());
            // STORE looks at the flags when it is planned.
            let outcome = match &operation {
                Operation::Store(_) => plan(&state, &guest(), operation.clone()).map(drop),
                _ => permitted,
            };
            assert_eq!(outcome, expected, "{letters}: {operation:?}");
            if hidden {
                assert_eq!(state.pages_needed(&operation, &guest()), []);
            }
            assert_eq!(state.permit(&operation, &Actor::Owner), Ok(()));
            assert_eq!(state.permit(&operation, &Actor::System), Ok(()));
        }
    }
}

#[test]
fn what_is_the_accounts_own_is_no_guests() {
    let name = || "other".to_owned();
    for operation in [
        Operation::DeleteAccount,
        Operation::Subscribe { name: name() },
        Operation::Unsubscribe { name: name() },
    ] {
        let state = account("", "");
        assert_eq!(plan(&state, &guest(), operation).map(drop), DENIED);
    }
}

#[test]
fn a_mailbox_is_taken_out_of_another_with_rights_on_both() {
    let delete = || Operation::DeleteMailbox {
        name: "team/in".to_owned(),
    };
    let rename = |to: &str| Operation::RenameMailbox {
        from: "team/in".to_owned(),
        to: to.to_owned(),
        limit: Limit::default(),
    };
    for (outer, inner, operation, expected) in [
        ("k", "lx", delete(), Ok(())),
        ("", "lx", delete(), DENIED),
        ("k", "l", delete(), DENIED),
        ("k", "x", delete(), NO_MAILBOX),
        ("k", "lx", rename("team/x"), Ok(())),
        ("k", "lx", rename("other/x"), Ok(())),
        ("lrk", "lx", rename("top"), DENIED),
        ("", "lx", rename("other/x"), DENIED),
    ] {
        let mut state = account(outer, inner);
        let outcome = do_as(&mut state, &guest(), operation.clone());
        assert_eq!(outcome, expected, "{outer} {inner} {operation:?}");
    }
    // What stands at the top is the owner's to take away.
    let mut state = account("", "");
    let name = "other".to_owned();
    let delete = Operation::DeleteMailbox { name };
    assert_eq!(do_as(&mut state, &guest(), delete), DENIED);
    assert_eq!(do_as(&mut state, &guest(), create("top")), NO_MAILBOX);
}

#[test]
fn flags_go_by_their_right_and_the_others_are_left_as_they_are() {
    let seen = || flags(Flags::SEEN, &[]);
    let both = || flags(Flags(Flags::SEEN.0 | Flags::FLAGGED.0), &["Work"]);
    let (seen_bit, deleted) = (Flags::SEEN.0, Flags::DELETED.0);
    let work = 1 << Flags::KEYWORD_SHIFT;
    for (letters, action, given, expected) in [
        ("rs", StoreAction::Remove, seen(), Ok(31 - seen_bit + work)),
        (
            "rw",
            StoreAction::Remove,
            seen(),
            Err(Refusal::NoPermission),
        ),
        ("rw", StoreAction::Remove, both(), Ok(31 - Flags::FLAGGED.0)),
        ("rs", StoreAction::Remove, both(), Ok(31 - seen_bit + work)),
        (
            "rs",
            StoreAction::Replace,
            flags(Flags(0), &[]),
            Ok(31 - seen_bit + work),
        ),
        (
            "rt",
            StoreAction::Replace,
            flags(Flags(0), &[]),
            Ok(31 - deleted + work),
        ),
        (
            "rw",
            StoreAction::Replace,
            flags(Flags(0), &[]),
            Ok(seen_bit + deleted),
        ),
        ("rwst", StoreAction::Replace, flags(Flags(0), &[]), Ok(0)),
        (
            "r",
            StoreAction::Replace,
            flags(Flags(0), &[]),
            Err(Refusal::NoPermission),
        ),
        ("ra", StoreAction::Add, both(), Err(Refusal::NoPermission)),
    ] {
        let mut state = account(letters, "");
        let operation = store(&state, action, given.clone());
        let stored = do_as(&mut state, &guest(), operation);
        let team = &state.mailboxes[&id(&state, "team")];
        let flags = team.index.get(Uid(1)).unwrap().flags.0;
        assert_eq!(stored.map(|()| flags), expected, "{letters} {given:?}");
    }
}

#[test]
fn a_message_that_comes_has_the_flags_that_may_be_set() {
    let work = 1 << Flags::KEYWORD_SHIFT;
    let others = 31 - Flags::SEEN.0 - Flags::DELETED.0 + work;
    for (letters, expected) in [
        ("li", 0),
        ("lis", Flags::SEEN.0),
        ("lit", Flags::DELETED.0),
        ("liw", others),
        ("liswt", 31 + work),
    ] {
        for copies in [false, true] {
            let mut state = account(letters, "");
            let operation = match copies {
                true => transfer(&state, "other", "team", TransferKind::Copy),
                false => append("team", all_flags()),
            };
            do_as(&mut state, &guest(), operation).unwrap();
            let team = &state.mailboxes[&id(&state, "team")];
            let came = team.index.get(Uid(2)).unwrap();
            assert_eq!(came.flags.0, expected, "{letters}, copies: {copies}");
            assert!(team.mod_seq >= came.mod_seq, "HIGHESTMODSEQ is the highest");
        }
    }
}

#[test]
fn a_move_tells_the_highest_mod_seq_of_its_source() {
    let mut state = account("lrswitea", "");
    for (from, to) in [("other", "team"), ("team", "team"), ("team", "other")] {
        let operation = transfer(&state, from, to, TransferKind::Move);
        let operation = match operation {
            Operation::Transfer(transfer) => Operation::Transfer(Transfer {
                uids: vec![UidRange {
                    first: Uid(1),
                    last: Uid(u32::MAX),
                }],
                gone: GoneMessages::PassOver,
                ..transfer
            }),
            other => other,
        };
        let planned = plan(&state, &guest(), operation).unwrap();
        planned
            .records
            .iter()
            .for_each(|record| state.apply(record));
        let ReplyDraft::Transferred { mod_seq, .. } = planned.draft else {
            panic!("{:?}", planned.draft);
        };
        assert_eq!(
            mod_seq,
            state.mailboxes[&id(&state, from)].mod_seq,
            "{from} to {to}"
        );
    }
}

#[test]
fn a_guest_without_a_right_to_change_anything_selects_read_only_and_takes_no_recent() {
    for (letters, access) in [("lra", Access::ReadOnly), ("lrs", Access::ReadWrite)] {
        let state = account(letters, "");
        let planned = plan(&state, &guest(), select()).unwrap();
        assert_eq!(planned.records.is_empty(), access == Access::ReadOnly);
        let change = |_| ChangeNumber(0);
        let ReplyDraft::Selected { access: given, .. } = &planned.draft else {
            panic!("{:?}", planned.draft);
        };
        assert_eq!(*given, access, "{letters}");
        let Ok(Reply::Selected(selected)) = planned.draft.finish(&state, &change) else {
            panic!("not selected");
        };
        assert_eq!(selected.rights, Rights::from_letters(letters).unwrap());
    }
}

#[test]
fn a_guest_is_described_what_it_may_look_up_with_the_counters_that_it_may_read() {
    let state = account("l", "r");
    let described = state.describe(&guest());
    let seen: Vec<(&str, u32)> = described
        .mailboxes
        .iter()
        .map(|status| (status.name.as_str(), status.messages))
        .collect();
    assert_eq!(seen, [("other", 1), ("team", 0)]);
    assert_eq!((described.bytes, described.messages), (0, 0));
    assert!(described.subscriptions.is_empty());
    assert_eq!(state.describe(&Actor::Owner).mailboxes.len(), 4);
}

#[test]
fn a_new_mailbox_has_the_rights_of_the_one_above_as_they_are_then() {
    let mut state = account("lrk", "");
    do_as(&mut state, &guest(), create("team/a/b")).unwrap();
    let rights = |state: &AccountState, name| {
        let held = &state.mailboxes[&id(state, name)];
        held.acl.rights_of(&guest()).letters()
    };
    assert_eq!(rights(&state, "team/a"), "lrkc");
    assert_eq!(rights(&state, "team/a/b"), "lrkc");
    do_as(&mut state, &Actor::Owner, give("team", "")).unwrap();
    assert_eq!(rights(&state, "team/a"), "lrkc");
    assert_eq!(rights(&state, "team"), "");
    // Special uses and subscriptions stay the owner's.
    let made = &state.mailboxes[&id(&state, "team/a/b")];
    assert_eq!(made.special_use, 0);
    assert!(!state.subscriptions.contains("team/a/b"));
    // A name that loses its messages loses its list (RFC 4314 4), a mailbox that is renamed not.
    let owner = &Actor::Owner;
    let (from, to) = ("team/a".to_owned(), "moved".to_owned());
    let limit = Limit::default();
    let rename = Operation::RenameMailbox { from, to, limit };
    do_as(&mut state, owner, rename).unwrap();
    assert_eq!(rights(&state, "moved/b"), "lrkc");
    do_as(&mut state, owner, create("moved")).unwrap();
    do_as(&mut state, owner, give("moved", "lr")).unwrap();
    let name = "moved".to_owned();
    do_as(&mut state, owner, Operation::DeleteMailbox { name }).unwrap();
    assert_eq!(rights(&state, "moved"), "");
}
