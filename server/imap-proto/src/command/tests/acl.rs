//! The commands of access control lists.

use super::*;

fn identifier(negative: bool, name: &str) -> AclIdentifier {
    let name = name.to_owned();
    AclIdentifier { negative, name }
}

#[test]
fn setacl_replaces_adds_and_removes() {
    for (wire, negative, who, action, rights) in [
        (
            "a SETACL x fred lrs",
            false,
            "fred",
            SetAclAction::Replace,
            "lrs",
        ),
        ("a setacl x fred +w", false, "fred", SetAclAction::Add, "w"),
        (
            "a SETACL x -fred -w",
            true,
            "fred",
            SetAclAction::Remove,
            "w",
        ),
        (
            "a SETACL x #team \"\"",
            false,
            "#team",
            SetAclAction::Replace,
            "",
        ),
        (
            "a SETACL x anyone@ {1}\r\nl",
            false,
            "anyone@",
            SetAclAction::Replace,
            "l",
        ),
        (
            "a SETACL x \"b@c.d\" +",
            false,
            "b@c.d",
            SetAclAction::Add,
            "",
        ),
    ] {
        let expected = SetAcl {
            mailbox: name("x"),
            identifier: identifier(negative, who),
            action,
            rights: rights.to_owned(),
        };
        assert_eq!(parse(wire), Ok(Command::SetAcl(expected)), "{wire}");
    }
}

#[test]
fn the_other_four_take_a_mailbox_and_perhaps_an_identifier() {
    let mailbox = || name("x");
    let fred = || identifier(false, "fred");
    let delete = DeleteAcl {
        mailbox: mailbox(),
        identifier: identifier(true, "fred"),
    };
    let list = ListRights {
        mailbox: mailbox(),
        identifier: fred(),
    };
    assert_eq!(parse("a DELETEACL x -fred"), Ok(Command::DeleteAcl(delete)));
    assert_eq!(parse("a LISTRIGHTS x fred"), Ok(Command::ListRights(list)));
    assert_eq!(parse("a GETACL x"), Ok(Command::GetAcl(mailbox())));
    assert_eq!(parse("a MYRIGHTS x"), Ok(Command::MyRights(mailbox())));
}

#[test]
fn what_is_no_list_is_bad() {
    for wire in [
        "a SETACL x",
        "a SETACL x fred",
        "a SETACL x \"\" l",
        "a SETACL x - l",
        "a SETACL x fred l r",
        "a SETACL x {3}\r\na\tb l",
        "a DELETEACL x",
        "a DELETEACL x fred l",
        "a GETACL",
        "a GETACL x y",
        "a LISTRIGHTS x",
        "a MYRIGHTS x y",
    ] {
        assert!(parse(wire).is_err(), "{wire}");
    }
}
