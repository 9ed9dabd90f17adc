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

use std::cmp::Ordering;
use std::collections::BTreeMap;

use bytes::Bytes;

use crate::ids::{AccountId, Lsn, Place, SegmentId};
use crate::log::Fields;

const HEAD_BYTES: usize = 8;
const ENTRY_BYTES: usize = 48;

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

/// A table as it is on the disk, searched in place: of the accounts that nobody uses this is all
/// that there is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SliceTable {
    payload: Bytes,
}

impl SliceTable {
    /// `None` when the bytes are no table.
    pub fn parse(payload: Bytes) -> Option<SliceTable> {
        let count = usize::try_from(Fields::new(&payload).u32()?).ok()?;
        let entries = payload.len().checked_sub(HEAD_BYTES)?;
        if count.checked_mul(ENTRY_BYTES) != Some(entries) {
            return None;
        }
        let table = SliceTable { payload };
        let mut last = None;
        for at in 0..table.len() {
            let (account, _) = table.entry(at)?;
            if last.replace(account) >= Some(account) {
                return None;
            }
        }
        Some(table)
    }

    /// Bytes that were parsed before.
    pub(crate) fn of_parsed(payload: Bytes) -> SliceTable {
        SliceTable { payload }
    }

    /// As they are in a frame.
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// How many accounts it has.
    pub fn len(&self) -> usize {
        self.payload.len().saturating_sub(HEAD_BYTES) / ENTRY_BYTES
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What it says of this account.
    pub fn get(&self, account: AccountId) -> Option<TableEntry> {
        let (mut from, mut to) = (0, self.len());
        while from < to {
            let middle = from + (to - from) / 2;
            let (found, entry) = self.entry(middle)?;
            match found.cmp(&account) {
                Ordering::Less => from = middle + 1,
                Ordering::Equal => return Some(entry),
                Ordering::Greater => to = middle,
            }
        }
        None
    }

    /// All accounts, ascending.
    pub fn iter(&self) -> impl Iterator<Item = (AccountId, TableEntry)> + '_ {
        (0..self.len()).filter_map(|at| self.entry(at))
    }

    /// The table with these accounts new or replaced.
    pub fn with(&self, changes: &BTreeMap<AccountId, TableEntry>) -> SliceTable {
        let mut out = Vec::with_capacity(self.payload.len() + changes.len() * ENTRY_BYTES);
        out.extend_from_slice(&[0; HEAD_BYTES]);
        let mut count = 0_u32;
        let mut put = |account: AccountId, entry: TableEntry| {
            put_entry(&mut out, account, entry);
            count += 1;
        };
        let mut changed = changes.iter().peekable();
        for (account, entry) in self.iter() {
            while let Some((new, entry)) = changed.next_if(|(new, _)| **new < account) {
                put(*new, *entry);
            }
            match changed.next_if(|(new, _)| **new == account) {
                Some((_, entry)) => put(account, *entry),
                None => put(account, entry),
            }
        }
        changed.for_each(|(account, entry)| put(*account, *entry));
        if let Some(head) = out.first_chunk_mut() {
            *head = count.to_le_bytes();
        }
        let payload = Bytes::from(out);
        SliceTable { payload }
    }

    fn entry(&self, at: usize) -> Option<(AccountId, TableEntry)> {
        let start = HEAD_BYTES + at * ENTRY_BYTES;
        let mut fields = Fields::new(self.payload.get(start..start + ENTRY_BYTES)?);
        let account = AccountId(fields.array()?);
        let lsn = Lsn(fields.u64()?);
        let place = Place {
            segment: SegmentId(fields.u64()?),
            offset: fields.u32()?,
            len: fields.u32()?,
        };
        let state = match fields.u64()? {
            0 => StatePlace::At(place),
            1 => StatePlace::Deleted,
            2 => StatePlace::Gap(place),
            _ => return None,
        };
        Some((account, TableEntry { lsn, state }))
    }
}

fn put_entry(out: &mut Vec<u8>, account: AccountId, entry: TableEntry) {
    let (place, how) = match entry.state {
        StatePlace::At(place) => (place, 0),
        StatePlace::Gap(place) => (place, 2),
        StatePlace::Deleted => (Place::NONE, 1),
    };
    out.extend_from_slice(&account.0);
    out.extend_from_slice(&entry.lsn.0.to_le_bytes());
    out.extend_from_slice(&place.segment.0.to_le_bytes());
    out.extend_from_slice(&place.offset.to_le_bytes());
    out.extend_from_slice(&place.len.to_le_bytes());
    out.extend_from_slice(&[how, 0, 0, 0, 0, 0, 0, 0]);
}
