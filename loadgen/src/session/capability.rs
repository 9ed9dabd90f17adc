//! What a server says it can, as far as a session makes use of it.

/// One capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Capability {
    /// Literals that do not wait (RFC 7888).
    LiteralPlus,
    /// The same for short ones.
    LiteralMinus,
    /// APPENDUID (RFC 4315).
    UidPlus,
    /// Modification sequences (RFC 7162).
    CondStore,
    /// Their use in SELECT (RFC 7162).
    QResync,
    /// IDLE (RFC 2177).
    Idle,
}

const NAMES: [(&str, Capability); 6] = [
    ("LITERAL+", Capability::LiteralPlus),
    ("LITERAL-", Capability::LiteralMinus),
    ("UIDPLUS", Capability::UidPlus),
    ("CONDSTORE", Capability::CondStore),
    ("QRESYNC", Capability::QResync),
    ("IDLE", Capability::Idle),
];

/// A set of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Capabilities([bool; NAMES.len()]);

impl Capabilities {
    /// Reads the words after `CAPABILITY`.
    pub fn parse(words: &[u8]) -> Self {
        let words: Vec<&[u8]> = words.split(|byte| *byte == b' ').collect();
        Self(NAMES.map(|(name, _)| {
            words
                .iter()
                .any(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        }))
    }

    /// Whether the server can.
    pub fn has(self, wanted: Capability) -> bool {
        NAMES
            .iter()
            .zip(self.0)
            .any(|((_, capability), has)| has && *capability == wanted)
    }

    /// Whether a literal of that length need not wait (RFC 7888 5: 4,096 octets for `LITERAL-`).
    pub fn sends_at_once(self, bytes: usize) -> bool {
        self.has(Capability::LiteralPlus) || (self.has(Capability::LiteralMinus) && bytes <= 4_096)
    }
}
