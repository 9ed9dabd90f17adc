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
