//! Bounds of the lists, and their way through a restatement.

use super::*;

#[test]
fn a_list_of_rights_is_bounded() {
    let mut state = account("", "");
    let long = |name: String| Operation::ChangeAcl {
        name: "team".to_owned(),
        changes: vec![AclChange {
            identifier: Identifier::Group(name),
            negative: false,
            action: AclAction::Add,
            rights: Rights::READ,
        }],
    };
    for (name, fits) in [
        ("x".repeat(255), true),
        ("x".repeat(256), false),
        (String::new(), false),
    ] {
        let outcome = do_as(&mut state, &Actor::Owner, long(name));
        assert_eq!(outcome.is_ok(), fits);
    }
    let same = plan(&state, &Actor::Owner, long("x".repeat(255))).unwrap();
    assert_eq!(same.records, Vec::<Record>::new(), "nothing changes");
}

#[test]
fn restated_accounts_have_their_lists() {
    let state = account("lr", "te");
    let bytes = state.encode(crate::account::Form::Whole).unwrap();
    let read = AccountState::decode(&bytes).unwrap();
    for (id, held) in &state.mailboxes {
        assert_eq!(read.mailboxes[id].acl, held.acl);
    }
}
