//! `manifest-<epoch>-<shard>`: a shard's newest checkpoint. Replaced whole by each checkpoint.
//!
//! ```text
//!  0  epoch u32, shard u32
//!  8  replay: segment u64, from u32, zero u32
//! 24  count u32, then slice tables as in the start file
//!     count u32, then live bytes that this shard's accounts changed since the start file:
//!     segment u64, bytes i64
//!     count u32, then segments that compaction emptied: segment u64
//! ```

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{Epoch, Place, SegmentId, Slice};
use crate::log::Fields;
use crate::recovery::envelope::{EnvelopeError, seal, unseal};
use crate::recovery::start_file::{ReplayFrom, put_count, put_tables, take_tables};

const MAGIC: [u8; 8] = *b"CPMANIF1";
const NAME_PREFIX: &str = "manifest-";

/// The file's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The process start that wrote it.
    pub epoch: Epoch,
    /// The shard.
    pub shard: u32,
    /// Everything of this shard's slices before it is in the tables.
    pub replay: ReplayFrom,
    /// Newest table of each of the shard's slices that has one.
    pub tables: BTreeMap<Slice, Place>,
    /// See the table above.
    pub live_bytes: BTreeMap<SegmentId, i64>,
    /// Files that may be removed: nothing in them is needed.
    pub removed: BTreeSet<SegmentId>,
}

/// Name of a shard's file.
pub fn manifest_name(epoch: Epoch, shard: usize) -> String {
    format!("{NAME_PREFIX}{:08x}-{shard:02x}", epoch.0)
}

/// The epoch in a file's name.
pub fn parse_manifest_name(name: &str) -> Option<Epoch> {
    let (epoch, shard) = name.strip_prefix(NAME_PREFIX)?.split_once('-')?;
    if epoch.len() != 8 || shard.len() != 2 {
        return None;
    }
    u32::from_str_radix(epoch, 16).ok().map(Epoch)
}

impl Manifest {
    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut body = Vec::new();
        body.extend_from_slice(&self.epoch.0.to_le_bytes());
        body.extend_from_slice(&self.shard.to_le_bytes());
        body.extend_from_slice(&self.replay.segment.0.to_le_bytes());
        body.extend_from_slice(&self.replay.from.to_le_bytes());
        body.extend_from_slice(&[0; 4]);
        put_tables(&mut body, &self.tables);
        put_count(&mut body, self.live_bytes.len());
        for (segment, bytes) in &self.live_bytes {
            body.extend_from_slice(&segment.0.to_le_bytes());
            body.extend_from_slice(&bytes.to_le_bytes());
        }
        put_count(&mut body, self.removed.len());
        for segment in &self.removed {
            body.extend_from_slice(&segment.0.to_le_bytes());
        }
        seal(MAGIC, &body)
    }

    /// From the file's bytes.
    pub fn decode(bytes: &[u8]) -> Result<Manifest, EnvelopeError> {
        decode_body(unseal(MAGIC, bytes)?).ok_or(EnvelopeError::Unreadable)
    }
}

fn decode_body(body: &[u8]) -> Option<Manifest> {
    let mut fields = Fields::new(body);
    let epoch = Epoch(fields.u32()?);
    let shard = fields.u32()?;
    let segment = SegmentId(fields.u64()?);
    let replay = ReplayFrom {
        segment,
        from: fields.u32()?,
    };
    fields.u32()?;
    let tables = take_tables(&mut fields)?;
    let mut live_bytes = BTreeMap::new();
    for _ in 0..fields.u32()? {
        let segment = SegmentId(fields.u64()?);
        live_bytes.insert(segment, fields.i64()?);
    }
    let mut removed = BTreeSet::new();
    for _ in 0..fields.u32()? {
        removed.insert(SegmentId(fields.u64()?));
    }
    let manifest = Manifest {
        epoch,
        shard,
        replay,
        tables,
        live_bytes,
        removed,
    };
    fields.is_empty().then_some(manifest)
}
