//! Flags between the wire, where they are names, and the engine, where they are bits.

use imap_proto::grammar::Flag;
use storage_engine::request::{FlagNames, Flags};

/// The system flags with their names, in the order in which they are told.
pub const SYSTEM: [(Flags, &str); 5] = [
    (Flags::ANSWERED, "\\Answered"),
    (Flags::FLAGGED, "\\Flagged"),
    (Flags::DELETED, "\\Deleted"),
    (Flags::SEEN, "\\Seen"),
    (Flags::DRAFT, "\\Draft"),
];

/// Flags to store. `\Recent` and unknown system flags cannot be stored (RFC 3501 2.3.2).
pub fn names(flags: &[Flag]) -> FlagNames {
    let mut names = FlagNames::default();
    for flag in flags {
        match flag {
            Flag::Seen => names.system = names.system.union(Flags::SEEN),
            Flag::Answered => names.system = names.system.union(Flags::ANSWERED),
            Flag::Flagged => names.system = names.system.union(Flags::FLAGGED),
            Flag::Deleted => names.system = names.system.union(Flags::DELETED),
            Flag::Draft => names.system = names.system.union(Flags::DRAFT),
            Flag::Keyword(keyword) => names.keywords.push(keyword.clone()),
            Flag::Recent | Flag::Extension(_) => {}
        }
    }
    names
}

/// The flags of a stored message, for a mailbox with other keywords.
pub fn named(flags: Flags, keywords: &[String]) -> FlagNames {
    let own = (Flags::KEYWORD_SHIFT..).zip(keywords);
    let own = own.filter(|(bit, _)| flags.0 >> bit & 1 == 1);
    FlagNames {
        system: Flags(flags.0 & ((1 << Flags::KEYWORD_SHIFT) - 1)),
        keywords: own.map(|(_, name)| name.clone()).collect(),
    }
}

/// Whether a system flag is named that does not exist (RFC 3501 2.3.2).
pub fn has_unknown(flags: &[Flag]) -> bool {
    flags.iter().any(|flag| matches!(flag, Flag::Extension(_)))
}

/// The names of a message's flags.
pub fn told(flags: Flags, keywords: &[String], recent: bool) -> impl Iterator<Item = &str> {
    let system = SYSTEM
        .iter()
        .filter(move |(bit, _)| flags.contains(*bit))
        .map(|(_, name)| *name);
    let own = (Flags::KEYWORD_SHIFT..)
        .zip(keywords)
        .filter(move |(bit, _)| flags.0 >> bit & 1 == 1)
        .map(|(_, name)| name.as_str());
    system.chain(recent.then_some("\\Recent")).chain(own)
}

/// The bit of a keyword in a mailbox, if the mailbox knows it. Compared without case.
pub fn keyword_bit(keyword: &str, keywords: &[String]) -> Option<Flags> {
    (Flags::KEYWORD_SHIFT..)
        .zip(keywords)
        .find(|(_, name)| name.eq_ignore_ascii_case(keyword))
        .map(|(bit, _)| Flags(1 << bit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keywords() -> Vec<String> {
        vec!["$Work".to_owned(), "$Junk".to_owned()]
    }

    #[test]
    fn flags_are_told_by_name_system_flags_first() {
        let work = 1 << Flags::KEYWORD_SHIFT;
        let junk = 1 << (Flags::KEYWORD_SHIFT + 1);
        for (bits, recent, expected) in [
            (0, false, ""),
            (Flags::SEEN.0, false, "\\Seen"),
            (
                Flags::DRAFT.0 | Flags::ANSWERED.0,
                true,
                "\\Answered \\Draft \\Recent",
            ),
            (
                work | junk | Flags::FLAGGED.0,
                false,
                "\\Flagged $Work $Junk",
            ),
            (junk, true, "\\Recent $Junk"),
            // A bit without a keyword has no name.
            (1 << 63, false, ""),
        ] {
            let keywords = keywords();
            let told: Vec<&str> = told(Flags(bits), &keywords, recent).collect();
            assert_eq!(told.join(" "), expected, "{bits:b}");
        }
    }

    #[test]
    fn what_is_told_is_what_was_stored() {
        let flags = [
            Flag::Keyword("$Work".to_owned()),
            Flag::Seen,
            Flag::Recent,
            Flag::Deleted,
        ];
        let stored = names(&flags);
        assert_eq!(stored.keywords, ["$Work"]);
        let keywords = keywords();
        let told: Vec<&str> = told(stored.system, &keywords, false).collect();
        assert_eq!(told, ["\\Deleted", "\\Seen"], "\\Recent cannot be stored");
        assert!(!has_unknown(&flags));
        assert!(has_unknown(&[Flag::Extension("\\Odd".to_owned())]));
    }

    #[test]
    fn keywords_are_found_without_case() {
        let keywords = keywords();
        let bit = |name| keyword_bit(name, &keywords).map(|flags| flags.0.trailing_zeros());
        assert_eq!(bit("$work"), Some(Flags::KEYWORD_SHIFT));
        assert_eq!(bit("$JUNK"), Some(Flags::KEYWORD_SHIFT + 1));
        assert_eq!(bit("$Other"), None);
    }
}
