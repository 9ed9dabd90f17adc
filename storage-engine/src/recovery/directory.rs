//! The small files of a data directory: which start counts, what its manifests say, what exists.

use std::collections::{BTreeMap, BTreeSet};

use crate::disk::{Disk, read_whole};
use crate::error::RecoveryError;
use crate::ids::{Epoch, Place, SegmentId, Slice};
use crate::limits::RECOVERY_FILE_BYTES_MAX;
use crate::log::{parse_segment_name, segment_epoch};
use crate::recovery::envelope::EnvelopeError;
use crate::recovery::manifest::{Manifest, parse_manifest_name};
use crate::recovery::start_file::{ReplayFrom, StartFile, parse_start_name};

/// The small files.
pub(super) struct Directory {
    /// All names.
    pub names: Vec<String>,
    /// Newest readable start file; epoch 0 in an empty directory.
    pub start: StartFile,
    /// Readable manifests of its epoch, by shard.
    pub manifests: BTreeMap<usize, Manifest>,
    /// Segments that compaction emptied, or that no start file lists: not part of the store.
    pub removed: BTreeSet<SegmentId>,
    /// All others that have a file.
    pub segments: BTreeSet<SegmentId>,
}

impl Directory {
    pub(super) async fn read<D: Disk>(disk: &D) -> Result<Directory, RecoveryError> {
        let names = disk.list().await?;
        let start = newest_start(disk, &names).await?;
        let mut manifests = BTreeMap::new();
        for name in &names {
            if parse_manifest_name(name) != Some(start.epoch) {
                continue;
            }
            let bytes = read_whole(disk, name, RECOVERY_FILE_BYTES_MAX).await?;
            match Manifest::decode(&bytes) {
                Ok(manifest) => {
                    let shard = usize::try_from(manifest.shard).unwrap_or(usize::MAX);
                    manifests.insert(shard, manifest);
                }
                Err(EnvelopeError::Newer(found)) => return Err(newer(name, found)),
                Err(EnvelopeError::Unreadable) => {
                    tracing::error!(name, "manifest is unreadable: the log is replayed instead");
                }
            }
        }
        let mut removed: BTreeSet<SegmentId> = manifests
            .values()
            .flat_map(|manifest| &manifest.removed)
            .copied()
            .collect();
        let mut segments = BTreeSet::new();
        for id in names.iter().filter_map(|name| parse_segment_name(name)) {
            let epoch = segment_epoch(id);
            if epoch > start.epoch {
                return Err(RecoveryError::NoStart(epoch));
            }
            if epoch < start.epoch && !start.segments.contains_key(&id) {
                removed.insert(id);
            } else if !removed.contains(&id) {
                segments.insert(id);
            }
        }
        Ok(Directory {
            names,
            start,
            manifests,
            removed,
            segments,
        })
    }

    pub(super) fn next_epoch(&self) -> Result<Epoch, RecoveryError> {
        let newest = self
            .names
            .iter()
            .filter_map(|name| parse_start_name(name))
            .max();
        let newest = newest.unwrap_or_default().max(self.start.epoch);
        newest
            .0
            .checked_add(1)
            .map(Epoch)
            .ok_or(RecoveryError::Limit("epochs"))
    }

    /// Whether what earlier processes left to replay is to be replayed once more: some shard of the
    /// last one has no readable manifest, or one that passes nothing.
    pub(super) fn needs_ranges(&self) -> bool {
        let shards = usize::try_from(self.start.shards).unwrap_or(0);
        (0..shards).any(|shard| {
            let manifest = self.manifests.get(&shard);
            manifest.is_none_or(|manifest| manifest.replay == ReplayFrom::BEGINNING)
        })
    }

    /// Newest tables: a manifest replaces those of its shard's slices.
    pub(super) fn tables(&self) -> BTreeMap<Slice, Place> {
        let shards = usize::try_from(self.start.shards).unwrap_or(0);
        let mut tables = self.start.tables.clone();
        tables.retain(|slice, _| !self.manifests.contains_key(&slice.shard(shards)));
        for manifest in self.manifests.values() {
            tables.extend(&manifest.tables);
        }
        tables
    }
}

async fn newest_start<D: Disk>(disk: &D, names: &[String]) -> Result<StartFile, RecoveryError> {
    let mut starts: Vec<(Epoch, &String)> = names
        .iter()
        .filter_map(|name| Some((parse_start_name(name)?, name)))
        .collect();
    starts.sort();
    for (_, name) in starts.iter().rev() {
        let bytes = read_whole(disk, name, RECOVERY_FILE_BYTES_MAX).await?;
        match StartFile::decode(&bytes) {
            Ok(start) => return Ok(start),
            Err(EnvelopeError::Newer(found)) => return Err(newer(name, found)),
            Err(EnvelopeError::Unreadable) => {
                tracing::error!(name, "start file is unreadable");
            }
        }
    }
    let segment = names.iter().find_map(|name| parse_segment_name(name));
    match segment {
        // Without the cuts nobody knows what exists: better not to guess.
        Some(id) => Err(RecoveryError::NoStart(segment_epoch(id))),
        None => Ok(StartFile::default()),
    }
}

pub(super) fn newer(name: &str, found: u32) -> RecoveryError {
    let known = crate::log::FORMAT_VERSION;
    RecoveryError::NewerFormat {
        name: name.to_owned(),
        found,
        known,
    }
}
