//! The slice tables at start: all are looked at once, one at a time, and nothing of them is kept
//! but what must be told. Accounts with records behind the replay start are looked up again.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::RecoveryError;
use crate::ids::{AccountId, Place, Slice};
use crate::limits::{FRAME_PAYLOAD_BYTES_MAX, TABLE_CACHE_BYTES};
use crate::log::{FRAME_HEADER_BYTES, FrameKind, decode_frame, segment_name};
use crate::recovery::accounts::{Base, Gathered};
use crate::recovery::slice_table::{SliceTable, StatePlace};

/// What the tables of a directory say.
#[derive(Debug, Default)]
pub(super) struct Tables {
    /// Those that can be read.
    pub places: BTreeMap<Slice, Place>,
    /// Slices whose table cannot be read.
    pub unreadable: BTreeSet<Slice>,
    /// Accounts in them.
    pub accounts: u64,
    /// Accounts that lost records in an earlier process.
    pub read_only: BTreeSet<AccountId>,
    cache: HashMap<Slice, SliceTable>,
    cache_bytes: usize,
}

impl Tables {
    /// Reads each of them once.
    pub(super) async fn read<D: Disk>(
        disk: &D,
        places: BTreeMap<Slice, Place>,
    ) -> Result<Tables, RecoveryError> {
        let mut tables = Tables::default();
        for (slice, place) in places {
            let Some(table) = read_table(disk, slice, place).await? else {
                tracing::error!(?slice, "slice table is unreadable: the whole log is read");
                tables.unreadable.insert(slice);
                continue;
            };
            tables.places.insert(slice, place);
            tables.accounts += u64::try_from(table.len()).unwrap_or(0);
            let gaps = table
                .iter()
                .filter(|(_, entry)| matches!(entry.state, StatePlace::Gap(_)));
            tables.read_only.extend(gaps.map(|(account, _)| account));
        }
        Ok(tables)
    }

    /// What an account begins with, before its frames are gathered.
    pub(super) async fn begin<D: Disk>(
        &mut self,
        disk: &D,
        account: AccountId,
    ) -> Result<Gathered, RecoveryError> {
        let slice = account.slice();
        let Some(place) = self.places.get(&slice).copied() else {
            return Ok(Gathered::new(Base::Nothing));
        };
        if !self.cache.contains_key(&slice) {
            let table = read_table(disk, slice, place).await?;
            let table = table.ok_or(RecoveryError::TableUnreadable(slice))?;
            if self.cache_bytes > TABLE_CACHE_BYTES {
                self.cache.clear();
                self.cache_bytes = 0;
            }
            self.cache_bytes += table.payload().len();
            self.cache.insert(slice, table);
        }
        let entry = self.cache.get(&slice).and_then(|table| table.get(account));
        let (base, gap) = match entry.map(|entry| (entry.lsn, entry.state)) {
            None => (Base::Nothing, false),
            Some((lsn, StatePlace::At(place))) => (Base::At { lsn, place }, false),
            Some((lsn, StatePlace::Gap(place))) => (Base::At { lsn, place }, true),
            Some((lsn, StatePlace::Deleted)) => (Base::Deleted { lsn }, false),
        };
        Ok(Gathered {
            gap,
            ..Gathered::new(base)
        })
    }
}

/// `None`: it is unreadable.
async fn read_table<D: Disk>(
    disk: &D,
    slice: Slice,
    place: Place,
) -> Result<Option<SliceTable>, RecoveryError> {
    let file = match disk.open(&segment_name(place.segment)).await {
        Ok(file) => file,
        Err(DiskError::NotFound(_)) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let len = usize::try_from(place.len)
        .unwrap_or(usize::MAX)
        .min(FRAME_PAYLOAD_BYTES_MAX);
    let bytes = file
        .read_at(u64::from(place.offset), FRAME_HEADER_BYTES + len + 8)
        .await?;
    file.close().await?;
    let Ok((header, payload, _)) = decode_frame(place.segment, &bytes) else {
        return Ok(None);
    };
    if header.kind != FrameKind::SliceTable || header.slice != slice {
        return Ok(None);
    }
    Ok(SliceTable::parse(Bytes::copy_from_slice(payload)))
}
