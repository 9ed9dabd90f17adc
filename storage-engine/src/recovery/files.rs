//! Reads single things of segment files for recovery.

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::RecoveryError;
use crate::ids::{AccountId, Place, SegmentId, Slice};
use crate::limits::{BLOCK_BYTES, FRAME_PAYLOAD_BYTES_MAX};
use crate::log::{
    BatchHeader, FRAME_HEADER_BYTES, FrameKind, SEGMENT_HEADER_BYTES, decode_frame, segment_name,
};
use crate::recovery::accounts::{Base, Gathered};
use crate::recovery::slice_table::{StatePlace, decode_table};

/// The accounts of a slice table; `None` when it is unreadable.
pub(super) async fn read_table<D: Disk>(
    disk: &D,
    slice: Slice,
    place: Place,
) -> Result<Option<Vec<(AccountId, Gathered)>>, RecoveryError> {
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
    let table = decode_table(payload).map(|accounts| {
        let gathered = accounts.into_iter().map(|(account, entry)| {
            let (base, gap) = match entry.state {
                StatePlace::At(place) => (
                    Base::At {
                        lsn: entry.lsn,
                        place,
                    },
                    false,
                ),
                StatePlace::Gap(place) => (
                    Base::At {
                        lsn: entry.lsn,
                        place,
                    },
                    true,
                ),
                StatePlace::Deleted => (Base::Deleted { lsn: entry.lsn }, false),
            };
            (
                account,
                Gathered {
                    gap,
                    ..Gathered::new(base)
                },
            )
        });
        gathered.collect()
    });
    Ok(table)
}

pub(super) async fn read_first_batch<D: Disk>(
    disk: &D,
    id: SegmentId,
) -> Result<Option<BatchHeader>, RecoveryError> {
    let file = disk.open(&segment_name(id)).await?;
    let block = file.read_at(u64::from(header_bytes()), BLOCK_BYTES).await?;
    file.close().await?;
    Ok(BatchHeader::decode(&block, id))
}

pub(super) async fn read_range<F: DiskFile>(
    file: &F,
    from: u32,
    to: u32,
) -> Result<Vec<u8>, DiskError> {
    /// Large reads, but below what the disk layer refuses.
    const PIECE_BYTES: usize = 8 << 20;
    let wanted = usize::try_from(to.saturating_sub(from)).unwrap_or(0);
    let mut bytes = Vec::with_capacity(wanted);
    while bytes.len() < wanted {
        let at = u64::from(from) + u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let piece = file
            .read_at(at, (wanted - bytes.len()).min(PIECE_BYTES))
            .await?;
        if piece.is_empty() {
            break;
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

pub(super) fn header_bytes() -> u32 {
    u32::try_from(SEGMENT_HEADER_BYTES).unwrap_or(4096)
}
