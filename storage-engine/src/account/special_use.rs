//! RFC 6154 attributes as bits of a record.

use crate::request::SpecialUse;

/// Bit i of the record is entry i: the order is part of the format.
const BITS: [SpecialUse; 7] = [
    SpecialUse::All,
    SpecialUse::Archive,
    SpecialUse::Drafts,
    SpecialUse::Flagged,
    SpecialUse::Junk,
    SpecialUse::Sent,
    SpecialUse::Trash,
];

/// The attributes as bits.
pub fn special_use_bits(uses: &[SpecialUse]) -> u8 {
    let bit = |use_| BITS.iter().position(|known| known == use_);
    uses.iter()
        .filter_map(bit)
        .fold(0, |bits, at| bits | 1 << at)
}

/// The attributes of these bits; unknown ones are passed over.
pub fn special_uses(bits: u8) -> Vec<SpecialUse> {
    let known = BITS.iter().enumerate();
    known
        .filter(|(at, _)| bits & (1 << at) != 0)
        .map(|(_, use_)| *use_)
        .collect()
}
