//! Reads what recovery needs from the disk: the tables and the logs behind them.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::disk::{Disk, DiskFile};
use crate::error::RecoveryError;
use crate::ids::{AccountId, Epoch, Lsn, Place, SegmentId};
use crate::limits::BLOCK_BYTES;
use crate::log::{
    Damage, FrameHeader, FrameKind, SEGMENT_HEADER_BYTES, Scan, SegmentBytes, SegmentError,
    SegmentHeader, scan, segment_epoch, segment_name, segment_shard,
};
use crate::recovery::accounts::{Base, Gathered, Tail};
use crate::recovery::directory::{Directory, newer};
use crate::recovery::files::{header_bytes, read_first_batch, read_range};
use crate::recovery::manifest::Manifest;
use crate::recovery::start_file::{ListedSegment, ReplayFrom, StartFile};
use crate::recovery::tables::Tables;
use crate::recovery::{Indexes, Options, RecoveryReport};

/// What the logs hold.
pub(super) struct Replayed {
    pub accounts: HashMap<AccountId, Gathered>,
    /// Segments without any batch: spares of a process that ended.
    pub empty: BTreeSet<SegmentId>,
    /// Segments whose tail was cut.
    pub torn: Vec<SegmentId>,
    ends: BTreeMap<SegmentId, u32>,
    ranges: Vec<ReplayFrom>,
    tables: Tables,
    indexes: Indexes,
}

/// How much of a segment is read, and of what.
#[derive(Debug, Clone, Copy)]
struct Part {
    from: u32,
    /// From here on records of all slices count; before it only of those without a table.
    from_of_all: u32,
}

impl Part {
    /// The whole log is read if `everything`, else what is not covered by the tables.
    fn of(everything: bool, from: Option<u32>) -> Option<Part> {
        match (everything, from) {
            (false, None) => None,
            (false, Some(from)) => Some(Part {
                from,
                from_of_all: from,
            }),
            (true, from) => Some(Part {
                from: header_bytes(),
                from_of_all: from.unwrap_or(u32::MAX),
            }),
        }
    }
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
        tables: Tables::default(),
        indexes: options.indexes,
    };
    // One table that cannot be read: the records of its slice are in the whole log.
    let everything = match options.indexes {
        Indexes::Ignore => true,
        Indexes::Use => {
            replayed.tables = Tables::read(disk, directory.tables()).await?;
            !replayed.tables.unreadable.is_empty()
        }
    };
    report.accounts = replayed.tables.accounts;
    report.read_only = std::mem::take(&mut replayed.tables.read_only);
    let of_last_epoch = |id: &&SegmentId| segment_epoch(**id) == directory.start.epoch;
    let by_shard = directory.segments.iter().filter(of_last_epoch).fold(
        BTreeMap::<usize, Vec<SegmentId>>::new(),
        |mut shards, id| {
            shards.entry(segment_shard(*id)).or_default().push(*id);
            shards
        },
    );
    let range_of = |id: &SegmentId| {
        let range = directory.start.replay.iter().find(|one| one.segment == *id);
        range
            .map(|range| range.from)
            .filter(|_| directory.needs_ranges())
    };
    for id in directory.start.segments.keys() {
        if let Some(part) = Part::of(everything, range_of(id)) {
            replayed
                .read_listed(disk, directory, *id, part, report)
                .await?;
        }
    }
    for (shard, ids) in by_shard {
        let manifest = directory.manifests.get(&shard);
        replayed
            .read_log(disk, &ids, manifest, everything, report)
            .await?;
    }
    let listed = directory.start.segments.keys();
    let gone = listed.filter(|id| !directory.segments.contains(id));
    report.missing = gone
        .filter(|id| !directory.removed.contains(id))
        .copied()
        .collect();
    replayed.mark_damaged(disk, report).await?;
    Ok(replayed)
}

impl Replayed {
    /// A segment whose end is known.
    async fn read_listed<D: Disk>(
        &mut self,
        disk: &D,
        directory: &Directory,
        id: SegmentId,
        part: Part,
        report: &mut RecoveryReport,
    ) -> Result<(), RecoveryError> {
        let (segment, from) = (id, part.from);
        self.ranges.push(ReplayFrom { segment, from });
        if !directory.segments.contains(&id) {
            return Ok(());
        }
        let end = self.ends.get(&id).copied();
        let found = self.scan_file(disk, id, part, end).await?;
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
        everything: bool,
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
            let part = Part::of(everything, from);
            if let (None, Some(end)) = (part, end)
                && let Some(first) = read_first_batch(disk, id).await?
            {
                self.ends.insert(id, end);
                known = first.mark.previous;
                continue;
            }
            // One that is read for its end alone: what is in it is covered by the tables.
            let scanned = part.unwrap_or(Part {
                from: header_bytes(),
                from_of_all: u32::MAX,
            });
            let found = self.scan_file(disk, id, scanned, end).await?;
            report.segments += 1;
            let batches = found.end > header_bytes() || found.previous.is_some();
            if end.is_none() && !batches {
                self.empty.insert(id);
                continue;
            }
            if let Some(Part { from, .. }) = part {
                self.ranges.push(ReplayFrom { segment: id, from });
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
        part: Part,
        end: Option<u32>,
    ) -> Result<Scan, RecoveryError> {
        let from = part.from;
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
        let Replayed {
            accounts,
            tables,
            indexes,
            ..
        } = self;
        let mut asked = Vec::new();
        let segment = SegmentBytes {
            segment: id,
            base: from,
            bytes: &bytes,
        };
        let mut visit = |header: &FrameHeader, place: Place, payload: &[u8]| {
            let counts = place.offset >= part.from_of_all
                || *indexes == Indexes::Ignore
                || tables.unreadable.contains(&header.slice);
            if header.kind == FrameKind::Metadata && counts {
                let account = accounts.entry(header.account).or_insert_with(|| {
                    asked.push(header.account);
                    Gathered::new(Base::Nothing)
                });
                account.push(Tail {
                    lsn: Lsn(header.id),
                    epoch: header.epoch,
                    payload: payload.into(),
                });
            }
        };
        let found = scan(segment, end, &mut visit);
        self.look_up(disk, asked).await?;
        Ok(found)
    }

    /// Asks the tables about accounts that came up for the first time, slice by slice.
    async fn look_up<D: Disk>(
        &mut self,
        disk: &D,
        mut asked: Vec<AccountId>,
    ) -> Result<(), RecoveryError> {
        asked.sort_by_key(|account| (account.slice(), *account));
        for account in asked {
            let begin = self.tables.begin(disk, account).await?;
            if let Some(gathered) = self.accounts.get_mut(&account)
                && !gathered.begin_with(begin)
            {
                self.accounts.remove(&account);
            }
        }
        Ok(())
    }

    /// Damaged frames that seem to be metadata: if no newer record shows the gap, this does.
    async fn mark_damaged<D: Disk>(
        &mut self,
        disk: &D,
        report: &RecoveryReport,
    ) -> Result<(), RecoveryError> {
        let frames: HashSet<(AccountId, Lsn)> = report
            .damage
            .iter()
            .filter_map(|Damage { frame, .. }| *frame)
            .filter(|frame| frame.kind == FrameKind::Metadata)
            .map(|frame| (frame.account, Lsn(frame.id)))
            .collect();
        for (account, lsn) in frames {
            if !self.accounts.contains_key(&account) {
                let begin = self.tables.begin(disk, account).await?;
                if begin.base == Base::Nothing || begin.base.lsn() >= lsn {
                    continue;
                }
                self.accounts.insert(account, begin);
            }
            if let Some(gathered) = self.accounts.get_mut(&account) {
                gathered.damaged = gathered.damaged.max(lsn);
            }
        }
        Ok(())
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
            tables: self.tables.places.clone(),
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
