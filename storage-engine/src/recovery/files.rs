//! Reads single things of segment files for recovery.

use crate::disk::{Disk, DiskError, DiskFile};
use crate::error::RecoveryError;
use crate::ids::SegmentId;
use crate::limits::BLOCK_BYTES;
use crate::log::{BatchHeader, SEGMENT_HEADER_BYTES, segment_name};

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
