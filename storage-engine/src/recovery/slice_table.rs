//! Payload of a slice table frame: the accounts of a slice and where their states are.
//!
//! ```text
//!  0  count u32, zero u32
//!  8  accounts, ascending by id, 48 bytes each:
//!       0  account id
//!      16  LSN of the state u64
//!      24  segment u64, offset u32, length u32 of the account state frame
//!      40  0 = as it should be, 1 = deleted, 2 = records are lost; seven zeroes
//! ```
//! A deleted account has no state frame (place all zero) and stays in the table for ever, because
//! its id is refused for ever.

use std::collections::BTreeMap;

use crate::ids::{AccountId, Lsn, Place, SegmentId};
use crate::log::Fields;

/// What the table says of one account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TableEntry {
    /// The state holds everything up to here.
    pub lsn: Lsn,
    /// The account state frame.
    pub state: StatePlace,
}

/// Where an account's state is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatePlace {
    /// In this frame.
    At(Place),
    /// In this frame, but records behind it are lost: the account stays read-only.
    Gap(Place),
    /// The account was deleted.
    Deleted,
}

/// The payload.
pub fn encode_table(accounts: &BTreeMap<AccountId, TableEntry>) -> Vec<u8> {
    let mut out = Vec::with_capacity(8 + accounts.len() * 48);
    out.extend_from_slice(
        &u32::try_from(accounts.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes(),
    );
    out.extend_from_slice(&[0; 4]);
    for (account, entry) in accounts {
        let (place, how) = match entry.state {
            StatePlace::At(place) => (place, 0),
            StatePlace::Gap(place) => (place, 2),
            StatePlace::Deleted => (
                Place {
                    segment: SegmentId(0),
                    offset: 0,
                    len: 0,
                },
                1,
            ),
        };
        out.extend_from_slice(&account.0);
        out.extend_from_slice(&entry.lsn.0.to_le_bytes());
        out.extend_from_slice(&place.segment.0.to_le_bytes());
        out.extend_from_slice(&place.offset.to_le_bytes());
        out.extend_from_slice(&place.len.to_le_bytes());
        out.extend_from_slice(&[how, 0, 0, 0, 0, 0, 0, 0]);
    }
    out
}

/// The accounts; `None` when the bytes are no table.
pub fn decode_table(payload: &[u8]) -> Option<BTreeMap<AccountId, TableEntry>> {
    let mut fields = Fields::new(payload);
    let count = fields.u32()?;
    fields.u32()?;
    let mut accounts = BTreeMap::new();
    for _ in 0..count {
        let account = AccountId(fields.array()?);
        let lsn = Lsn(fields.u64()?);
        let segment = SegmentId(fields.u64()?);
        let place = Place {
            segment,
            offset: fields.u32()?,
            len: fields.u32()?,
        };
        let state = match fields.u64()? {
            0 => StatePlace::At(place),
            1 => StatePlace::Deleted,
            2 => StatePlace::Gap(place),
            _ => return None,
        };
        accounts.insert(account, TableEntry { lsn, state });
    }
    fields.is_empty().then_some(accounts)
}
