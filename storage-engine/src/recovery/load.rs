//! Reads what recovery needs from the disk: the small files, the tables, the logs behind them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::disk::{Disk, DiskFile, read_whole};
use crate::error::RecoveryError;
use crate::ids::{AccountId, Epoch, Lsn, Place, SegmentId, Slice};
use crate::limits::{BLOCK_BYTES, RECOVERY_FILE_BYTES_MAX};
use crate::log::{
    Damage, FrameHeader, FrameKind, SEGMENT_HEADER_BYTES, Scan, SegmentBytes, SegmentError,
    SegmentHeader, parse_segment_name, scan, segment_epoch, segment_name, segment_shard,
};
use crate::recovery::accounts::{Base, Gathered, Tail};
use crate::recovery::envelope::EnvelopeError;
use crate::recovery::files::{header_bytes, read_first_batch, read_range, read_table};
use crate::recovery::manifest::{Manifest, parse_manifest_name};
use crate::recovery::start_file::{ListedSegment, ReplayFrom, StartFile, parse_start_name};
use crate::recovery::{Indexes, Options, RecoveryReport};

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

    /// Shards of the last process of which no manifest is readable.
    fn without_manifest(&self) -> bool {
        let shards = usize::try_from(self.start.shards).unwrap_or(0);
        (0..shards).any(|shard| !self.manifests.contains_key(&shard))
    }

    /// Newest tables: a manifest replaces those of its shard's slices.
    fn tables(&self) -> BTreeMap<Slice, Place> {
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

fn newer(name: &str, found: u32) -> RecoveryError {
    let known = crate::log::FORMAT_VERSION;
    RecoveryError::NewerFormat {
        name: name.to_owned(),
        found,
        known,
    }
}

/// What the logs hold.
pub(super) struct Replayed {
    pub accounts: HashMap<AccountId, Gathered>,
    /// Segments without any batch: spares of a process that ended.
    pub empty: BTreeSet<SegmentId>,
    /// Segments whose tail was cut.
    pub torn: Vec<SegmentId>,
    ends: BTreeMap<SegmentId, u32>,
    ranges: Vec<ReplayFrom>,
    tables: BTreeMap<Slice, Place>,
    indexes: Indexes,
}

/// Reads tables, then every log from where it must be replayed.
pub(super) async fn replay<D: Disk>(
    disk: &D,
    directory: &Directory,
    options: &Options,
    report: &mut RecoveryReport,
) -> Result<Replayed, RecoveryError> {
    let mut replayed = Replayed {
        accounts: HashMap::new(),
        empty: BTreeSet::new(),
        torn: Vec::new(),
        ends: directory
            .start
            .segments
            .iter()
            .map(|(id, one)| (*id, one.end))
            .collect(),
        ranges: Vec::new(),
        tables: BTreeMap::new(),
        indexes: options.indexes,
    };
    let everything = !replayed.read_tables(disk, directory).await?;
    let of_last_epoch = |id: &&SegmentId| segment_epoch(**id) == directory.start.epoch;
    let by_shard = directory.segments.iter().filter(of_last_epoch).fold(
        BTreeMap::<usize, Vec<SegmentId>>::new(),
        |mut shards, id| {
            shards.entry(segment_shard(*id)).or_default().push(*id);
            shards
        },
    );
    let listed_from = |id: &SegmentId| {
        let ranges = &directory.start.replay;
        let range = ranges
            .iter()
            .find(|range| range.segment == *id)
            .map(|range| range.from);
        if everything {
            Some(header_bytes())
        } else {
            range
        }
    };
    if everything || directory.without_manifest() {
        for id in directory.start.segments.keys() {
            if let Some(from) = listed_from(id) {
                replayed
                    .read_listed(disk, directory, *id, from, report)
                    .await?;
            }
        }
    }
    for (shard, ids) in by_shard {
        let manifest = directory.manifests.get(&shard).filter(|_| !everything);
        replayed.read_log(disk, &ids, manifest, report).await?;
    }
    let listed = directory.start.segments.keys();
    let gone = listed.filter(|id| !directory.segments.contains(id));
    report.missing = gone
        .filter(|id| !directory.removed.contains(id))
        .copied()
        .collect();
    replayed.mark_damaged(report);
    Ok(replayed)
}

impl Replayed {
    /// Reads the slice tables. False when they are not to be used or one of them cannot be read:
    /// then every log is replayed from its beginning.
    async fn read_tables<D: Disk>(
        &mut self,
        disk: &D,
        directory: &Directory,
    ) -> Result<bool, RecoveryError> {
        if self.indexes == Indexes::Ignore {
            return Ok(false);
        }
        let mut readable = true;
        for (slice, place) in directory.tables() {
            match read_table(disk, slice, place).await? {
                Some(accounts) => {
                    self.tables.insert(slice, place);
                    self.accounts.extend(accounts);
                }
                None => {
                    tracing::error!(?slice, "slice table is unreadable: the whole log is read");
                    readable = false;
                }
            }
        }
        Ok(readable)
    }

    /// A segment whose end is known.
    async fn read_listed<D: Disk>(
        &mut self,
        disk: &D,
        directory: &Directory,
        id: SegmentId,
        from: u32,
        report: &mut RecoveryReport,
    ) -> Result<(), RecoveryError> {
        self.ranges.push(ReplayFrom { segment: id, from });
        if !directory.segments.contains(&id) {
            return Ok(());
        }
        let end = self.ends.get(&id).copied();
        let found = self.scan_file(disk, id, from, end).await?;
        report.segments += 1;
        report.damage.extend(found.damage);
        Ok(())
    }

    /// All segments of one shard of the last process, newest first: each names the end of the one
    /// before it.
    async fn read_log<D: Disk>(
        &mut self,
        disk: &D,
        ids: &[SegmentId],
        manifest: Option<&Manifest>,
        report: &mut RecoveryReport,
    ) -> Result<(), RecoveryError> {
        let mut known: Option<(SegmentId, u32)> = None;
        for id in ids.iter().rev().copied() {
            let end = known.filter(|(named, _)| *named == id).map(|(_, end)| end);
            let from = match manifest {
                Some(manifest) if id < manifest.replay.segment => None,
                Some(manifest) if id == manifest.replay.segment => Some(manifest.replay.from),
                Some(_) | None => Some(header_bytes()),
            };
            if let (None, Some(end)) = (from, end)
                && let Some(first) = read_first_batch(disk, id).await?
            {
                self.ends.insert(id, end);
                known = first.mark.previous;
                continue;
            }
            let scan_from = from.unwrap_or(header_bytes());
            let found = self.scan_file(disk, id, scan_from, end).await?;
            report.segments += 1;
            let batches = found.end > header_bytes() || found.previous.is_some();
            if end.is_none() && !batches {
                self.empty.insert(id);
                continue;
            }
            if from.is_some() {
                self.ranges.push(ReplayFrom {
                    segment: id,
                    from: scan_from,
                });
            }
            if found.torn {
                report.torn += 1;
                self.torn.push(id);
            }
            known = match found.previous {
                Some(previous) => Some(previous),
                None => read_first_batch(disk, id)
                    .await?
                    .and_then(|first| first.mark.previous),
            };
            report.damage.extend(found.damage);
            self.ends.insert(id, found.end);
        }
        Ok(())
    }

    async fn scan_file<D: Disk>(
        &mut self,
        disk: &D,
        id: SegmentId,
        from: u32,
        end: Option<u32>,
    ) -> Result<Scan, RecoveryError> {
        let name = segment_name(id);
        let file = disk.open(&name).await?;
        let first = file.read_at(0, SEGMENT_HEADER_BYTES).await?;
        if let Err(SegmentError::Newer(found)) = SegmentHeader::decode(&first, id) {
            return Err(newer(&name, found));
        }
        let size = u32::try_from(file.size().await?).unwrap_or(u32::MAX);
        let block = u32::try_from(BLOCK_BYTES).unwrap_or(4096);
        let stop = end.map_or(size, |end| end.next_multiple_of(block).min(size));
        let bytes = read_range(&file, from, stop).await?;
        file.close().await?;
        let accounts = &mut self.accounts;
        let part = SegmentBytes {
            segment: id,
            base: from,
            bytes: &bytes,
        };
        let mut visit = |header: &FrameHeader, _place: Place, payload: &[u8]| {
            if header.kind == FrameKind::Metadata {
                gather(accounts, header, payload);
            }
        };
        Ok(scan(part, end, &mut visit))
    }

    /// Damaged frames that seem to be metadata: if no newer record shows the gap, this does.
    fn mark_damaged(&mut self, report: &RecoveryReport) {
        for frame in report
            .damage
            .iter()
            .filter_map(|Damage { frame, .. }| *frame)
        {
            if frame.kind == FrameKind::Metadata
                && let Some(account) = self.accounts.get_mut(&frame.account)
            {
                account.damaged = account.damaged.max(Lsn(frame.id));
            }
        }
    }

    /// The new start file.
    pub(super) fn start_file(
        &self,
        directory: &Directory,
        epoch: Epoch,
        shards: usize,
    ) -> Result<StartFile, RecoveryError> {
        let shards = u32::try_from(shards).map_err(|_| RecoveryError::Limit("shards"))?;
        let mut segments = BTreeMap::new();
        let present = self
            .ends
            .iter()
            .filter(|(id, _)| directory.segments.contains(id));
        for (id, end) in present.filter(|(id, _)| !self.empty.contains(id)) {
            let live_bytes = match self.indexes {
                Indexes::Use => live_bytes(directory, *id),
                // The shards count again what they replay, and they replay everything.
                Indexes::Ignore => 0,
            };
            segments.insert(
                *id,
                ListedSegment {
                    end: *end,
                    live_bytes,
                },
            );
        }
        let mut replay = self.ranges.clone();
        replay.retain(|range| segments.contains_key(&range.segment));
        replay.sort();
        Ok(StartFile {
            epoch,
            shards,
            segments,
            replay,
            tables: self.tables.clone(),
        })
    }
}

fn live_bytes(directory: &Directory, id: SegmentId) -> i64 {
    let at_start = directory
        .start
        .segments
        .get(&id)
        .map_or(0, |one| one.live_bytes);
    let changes = directory
        .manifests
        .values()
        .filter_map(|one| one.live_bytes.get(&id));
    at_start.saturating_add(changes.sum())
}

fn gather(accounts: &mut HashMap<AccountId, Gathered>, header: &FrameHeader, payload: &[u8]) {
    let account = accounts
        .entry(header.account)
        .or_insert_with(|| Gathered::new(Base::Nothing));
    let lsn = Lsn(header.id);
    if lsn > account.base.lsn() {
        account.frames.push(Tail {
            lsn,
            epoch: header.epoch,
            payload: payload.into(),
        });
    }
}
