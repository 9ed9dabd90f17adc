use super::*;

const FRED: AccountId = AccountId([1; 16]);
const WILMA: AccountId = AccountId([2; 16]);

fn rights(letters: &str) -> Rights {
    Rights::from_letters(letters).unwrap()
}

fn principal(account: AccountId, domain: &str, groups: &[&str], same_domain: bool) -> Actor {
    Actor::Guest(Arc::new(Principal {
        account,
        domain: domain.to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        same_domain,
    }))
}

fn entry(identifier: Identifier, negative: bool, letters: &str) -> AclEntry {
    let rights = rights(letters);
    AclEntry {
        identifier,
        negative,
        rights,
    }
}

#[test]
fn letters_are_read_and_written_with_the_unions_of_the_older_dialect() {
    for (read, written) in [
        ("", ""),
        ("lrswipkxtea", "lrswipkxteacd"),
        ("aetxkpiwsrl", "lrswipkxteacd"),
        ("c", "kc"),
        ("d", "xted"),
        ("lrswipcda", "lrswipkxteacd"),
        ("t", "td"),
        ("lr", "lr"),
        ("llr", "lr"),
    ] {
        assert_eq!(rights(read).letters(), written, "{read}");
    }
    for (letters, unknown) in [("lrq", 'q'), ("L", 'L'), ("0", '0'), ("l r", ' ')] {
        let error = Err(RightsError::Unknown(unknown));
        assert_eq!(Rights::from_letters(letters), error, "{letters}");
    }
}

#[test]
fn bits_beyond_the_known_rights_are_refused() {
    assert_eq!(Rights::from_bits(0x7ff), Some(Rights::ALL));
    assert_eq!(Rights::from_bits(0x800), None);
}

#[test]
fn rights_are_the_union_of_what_matches_less_the_negative_ones() {
    use Identifier::*;
    let group = || Group("sales".to_owned());
    let other = || AnyoneDomain("other.example".to_owned());
    let fred = || principal(FRED, "example.com", &["sales"], true);
    let wilma = || principal(WILMA, "other.example", &[], false);
    let cases = [
        (vec![], fred(), ""),
        (vec![entry(Anyone, false, "lr")], wilma(), "lr"),
        (vec![entry(AnyoneOwnersDomain, false, "lr")], fred(), "lr"),
        (vec![entry(AnyoneOwnersDomain, false, "lr")], wilma(), ""),
        (vec![entry(other(), false, "lr")], fred(), ""),
        (vec![entry(other(), false, "lr")], wilma(), "lr"),
        (vec![entry(group(), false, "i")], fred(), "i"),
        (vec![entry(group(), false, "i")], wilma(), ""),
        (
            vec![
                entry(Anyone, false, "lrs"),
                entry(Account(FRED), false, "w"),
                entry(group(), true, "s"),
            ],
            fred(),
            "lrw",
        ),
        // A negative entry wins over every other, the account's own too.
        (
            vec![
                entry(Account(FRED), false, "lrw"),
                entry(Account(FRED), true, "w"),
            ],
            fred(),
            "lr",
        ),
    ];
    for (entries, actor, expected) in cases {
        let acl = Acl::from_entries(entries.clone()).unwrap();
        assert_eq!(acl.rights_of(&actor), rights(expected), "{entries:?}");
        assert_eq!(acl.rights_of(&Actor::Owner), Rights::ALL);
        assert_eq!(acl.rights_of(&Actor::System), Rights::ALL);
    }
}

#[test]
fn changes_replace_add_and_remove_and_an_entry_without_rights_goes() {
    let change = |negative, action, letters: &str| AclChange {
        identifier: Identifier::Account(FRED),
        negative,
        action,
        rights: rights(letters),
    };
    let mut acl = Acl::default();
    for (change, expected) in [
        (change(false, AclAction::Replace, "lr"), "lr"),
        (change(false, AclAction::Add, "w"), "lrw"),
        (change(false, AclAction::Remove, "r"), "lw"),
        (change(true, AclAction::Add, "w"), "l"),
        (change(false, AclAction::Replace, ""), ""),
        (change(false, AclAction::Add, "lw"), "l"),
    ] {
        acl = acl.changed(std::slice::from_ref(&change)).unwrap();
        let fred = principal(FRED, "example.com", &[], true);
        assert_eq!(acl.rights_of(&fred), rights(expected), "{change:?}");
    }
    assert_eq!(acl.entries().len(), 2);
    let gone = [
        change(true, AclAction::Replace, ""),
        change(false, AclAction::Remove, "lrw"),
    ];
    assert!(acl.changed(&gone).unwrap().is_empty());
}

#[test]
fn a_list_is_bounded_and_says_nothing_twice() {
    let many = (0..=ACL_ENTRIES_MAX).map(|n| {
        let group = Identifier::Group(n.to_string());
        entry(group, false, "l")
    });
    assert_eq!(Acl::from_entries(many), None);
    let one = || entry(Identifier::Anyone, false, "l");
    assert_eq!(Acl::from_entries([one(), one()]), None);
    assert_eq!(
        Acl::from_entries([entry(Identifier::Anyone, false, "")]),
        None
    );
}
