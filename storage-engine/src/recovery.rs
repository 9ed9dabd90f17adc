//! Opens a data directory after a clean end or a crash, once per process, before any shard serves.
//!
//! It ends with a durable start file of the new epoch that names the end of every segment: what
//! lies behind such an end does not exist, ever. The decisions:
//!
//! | found                                     | decision                                         |
//! |-------------------------------------------|--------------------------------------------------|
//! | no start file, no segments                | an empty directory: epoch 1                      |
//! | newest start file unreadable              | torn while replaced: the one before it counts    |
//! | segments newer than any readable start    | refused: somebody must look                      |
//! | segment without a readable first block    | never used, or damage: scanned all the same      |
//! | segment without any batch, of last epoch  | a spare: removed                                 |
//! | segment listed, file gone                 | removed by compaction, or reported as missing    |
//! | torn tail                                 | cut, see `log::scan`                             |
//! | damaged metadata below the mark           | a gap: its account is read-only, reported        |
//! | manifest unreadable                       | its shard's log is replayed from the start file  |
//! | manifest that passes nothing              | the same, but its tables count                   |
//! | slice table unreadable                    | its accounts are rebuilt from the whole log      |

mod accounts;
mod directory;
pub mod envelope;
mod files;
mod load;
pub mod manifest;
pub mod slice_table;
pub mod start_file;
mod tables;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::disk::{Disk, DiskError, DiskFile, write_whole};
use crate::error::RecoveryError;
use crate::ids::{AccountId, Epoch, Lsn, Place, SegmentId, Slice};
use crate::limits::{BLOCK_BYTES, SEGMENT_BYTES_MAX, SEGMENT_BYTES_MIN};
use crate::log::{Damage, SHARDS_MAX, Space, parse_segment_name, segment_name};
use crate::recovery::directory::Directory;
use crate::recovery::manifest::parse_manifest_name;
use crate::recovery::start_file::{StartFile, parse_start_name, start_name};

pub use accounts::{AccountStart, Base, Tail};

/// How a store is opened. The same for all shards.
#[derive(Debug, Clone)]
pub struct Options {
    /// Size of new segments: a multiple of 4 KiB within the limits.
    pub segment_bytes: u64,
    /// Most bytes that all segments may take; beyond it new mail is refused.
    pub size_max: Option<u64>,
    /// Budget of one shard for accounts in memory.
    pub memory_bytes: usize,
    /// Budget of one shard for bodies in memory.
    pub body_cache_bytes: usize,
    /// Most segment files that one shard's reader keeps open.
    pub descriptors_max: usize,
    /// Whether checkpoints are used.
    pub indexes: Indexes,
    /// Mistakes that the crash tests must notice. Never set outside of them.
    pub sabotage: Option<Sabotage>,
}

/// Whether index pages, account states and slice tables are used when a store is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indexes {
    /// As usual.
    Use,
    /// As if they did not exist: everything is rebuilt from the metadata records.
    Ignore,
}

/// A deliberate mistake, for tests of the tests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sabotage {
    /// Answers leave before the log is durable.
    ReplyBeforeSync,
    /// Bodies are read without a look at their checksum.
    SkipChecksum,
    /// A segment is removed before what it held was moved.
    RemoveTooEarly,
    /// The end of a torn segment is not written down, so the cut tail comes back.
    ForgetTheCut,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            segment_bytes: crate::limits::SEGMENT_BYTES_DEFAULT,
            size_max: None,
            memory_bytes: 256 << 20,
            body_cache_bytes: 64 << 20,
            descriptors_max: 256,
            indexes: Indexes::Use,
            sabotage: None,
        }
    }
}

impl Options {
    /// `segment_bytes` within bounds and on a block.
    pub fn segment_bytes_checked(&self) -> u32 {
        let block = u64::try_from(BLOCK_BYTES).unwrap_or(4096);
        let bounded = self
            .segment_bytes
            .clamp(SEGMENT_BYTES_MIN, SEGMENT_BYTES_MAX);
        u32::try_from(bounded / block * block).unwrap_or(u32::MAX)
    }
}

/// What recovery hands to the shards.
#[derive(Debug)]
pub struct Recovered {
    /// One for each shard, in order.
    pub shards: Vec<ShardStart>,
    /// The new epoch.
    pub epoch: Epoch,
    /// What was found.
    pub report: RecoveryReport,
}

/// What one shard begins with.
#[derive(Debug)]
pub struct ShardStart {
    /// The new epoch.
    pub epoch: Epoch,
    /// This shard.
    pub shard: usize,
    /// How many there are.
    pub shards: usize,
    /// Accounts of the shard's slices of which the tables do not say all.
    pub accounts: HashMap<AccountId, AccountStart>,
    /// How many others are read-only.
    pub read_only: usize,
    /// Slice tables of the shard's slices.
    pub tables: BTreeMap<Slice, Place>,
    /// Segments of earlier epochs.
    pub segments: Arc<SegmentUses>,
    /// Bytes on the disk.
    pub space: Space,
}

/// Segments of earlier epochs and how much of each is needed; shared by all shards.
#[derive(Debug, Default)]
pub struct SegmentUses {
    segments: BTreeMap<SegmentId, SegmentUse>,
}

/// One segment of an earlier epoch.
#[derive(Debug)]
pub struct SegmentUse {
    /// End of its last batch.
    pub end: u32,
    live_bytes: AtomicI64,
}

impl SegmentUses {
    /// All of them with their ends and live bytes.
    pub fn all(&self) -> impl Iterator<Item = (SegmentId, u32, i64)> + '_ {
        let relaxed = Ordering::Relaxed;
        self.segments
            .iter()
            .map(move |(id, one)| (*id, one.end, one.live_bytes.load(relaxed)))
    }

    /// Counts bytes that came to be needed (or not, when negative). False: not of an earlier epoch.
    pub fn add(&self, segment: SegmentId, bytes: i64) -> bool {
        match self.segments.get(&segment) {
            Some(one) => {
                one.live_bytes.fetch_add(bytes, Ordering::Relaxed);
                true
            }
            None => false,
        }
    }
}

/// What recovery found, for the trace and the health page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Segments read.
    pub segments: u64,
    /// Metadata frames that are replayed.
    pub frames: u64,
    /// Accounts known.
    pub accounts: u64,
    /// Torn tails cut.
    pub torn: u64,
    /// Damage below the mark.
    pub damage: Vec<Damage>,
    /// Segments that are listed, not removed, and gone.
    pub missing: Vec<SegmentId>,
    /// Accounts that are read-only because of a gap.
    pub read_only: BTreeSet<AccountId>,
}

impl std::fmt::Display for RecoveryReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} accounts, {} segments read, {} records replayed, {} torn tails cut, {} damaged \
             places, {} segments missing, {} accounts read-only",
            self.accounts,
            self.segments,
            self.frames,
            self.torn,
            self.damage.len(),
            self.missing.len(),
            self.read_only.len()
        )
    }
}

/// Opens the directory for `shards` shards. Any executor; nothing else may use the directory.
pub async fn recover<D: Disk>(
    disk: &D,
    shards: usize,
    options: &Options,
) -> Result<Recovered, RecoveryError> {
    if shards == 0 || shards > SHARDS_MAX {
        return Err(RecoveryError::Limit("shards"));
    }
    let mut report = RecoveryReport::default();
    let directory = Directory::read(disk).await?;

    let mut replayed = load::replay(disk, &directory, options, &mut report).await?;
    let epoch = directory.next_epoch()?;
    let mut start = replayed.start_file(&directory, epoch, shards)?;
    if options.sabotage == Some(Sabotage::ForgetTheCut) {
        for id in &replayed.torn {
            if let Some(segment) = start.segments.get_mut(id) {
                segment.end = options.segment_bytes_checked();
            }
        }
    }
    write_whole(disk, &start_name(epoch), &start.encode()).await?;
    tidy(disk, &directory, &start, &replayed.empty).await?;
    let accounts = std::mem::take(&mut replayed.accounts);
    let accounts = accounts::settle(accounts, options.indexes, &mut report);
    let space = Space::new(used_bytes(disk).await?, options.size_max);

    Ok(Recovered {
        shards: deal(accounts, &report.read_only, start, shards, &space),
        epoch,
        report,
    })
}

/// Gives each shard what is its own.
fn deal(
    accounts: HashMap<AccountId, AccountStart>,
    read_only: &BTreeSet<AccountId>,
    start: StartFile,
    shards: usize,
    space: &Space,
) -> Vec<ShardStart> {
    let segments = start.segments.iter().map(|(id, segment)| {
        let live_bytes = AtomicI64::new(segment.live_bytes);
        (
            *id,
            SegmentUse {
                end: segment.end,
                live_bytes,
            },
        )
    });
    let segments = Arc::new(SegmentUses {
        segments: segments.collect(),
    });
    let mut dealt: Vec<ShardStart> = (0..shards)
        .map(|shard| ShardStart {
            epoch: start.epoch,
            shard,
            shards,
            accounts: HashMap::new(),
            read_only: 0,
            tables: BTreeMap::new(),
            segments: segments.clone(),
            space: space.clone(),
        })
        .collect();
    for account in read_only.iter().filter(|one| !accounts.contains_key(one)) {
        if let Some(shard) = dealt.get_mut(account.slice().shard(shards)) {
            shard.read_only += 1;
        }
    }
    for (account, begin) in accounts {
        if let Some(shard) = dealt.get_mut(account.slice().shard(shards)) {
            shard.accounts.insert(account, begin);
        }
    }
    for (slice, place) in start.tables {
        if let Some(shard) = dealt.get_mut(slice.shard(shards)) {
            shard.tables.insert(slice, place);
        }
    }
    dealt
}

/// After the start file is durable: removes what it makes superfluous and cuts files to their
/// ends. Each step can be repeated after a crash.
async fn tidy<D: Disk>(
    disk: &D,
    directory: &Directory,
    start: &StartFile,
    empty: &BTreeSet<SegmentId>,
) -> Result<(), RecoveryError> {
    let block = u32::try_from(BLOCK_BYTES).unwrap_or(4096);
    for name in &directory.names {
        let old_start = parse_start_name(name).is_some_and(|epoch| epoch != start.epoch);
        let old_manifest = parse_manifest_name(name).is_some();
        let segment = parse_segment_name(name);
        let gone = segment.is_some_and(|id| empty.contains(&id) || directory.removed.contains(&id));
        if old_start || old_manifest || gone || name.ends_with(".new") {
            match disk.remove(name).await {
                // The start file was written over this very leftover.
                Ok(()) | Err(DiskError::NotFound(_)) => continue,
                Err(error) => return Err(error.into()),
            }
        }
        let Some(listed) = segment.and_then(|id| start.segments.get(&id)) else {
            continue;
        };
        let file = disk.open(name).await?;
        let end = u64::from(listed.end.next_multiple_of(block));
        if file.size().await? > end {
            file.truncate(end).await?;
            file.sync().await?;
        }
        file.close().await?;
    }
    disk.sync_directory().await?;
    Ok(())
}

async fn used_bytes<D: Disk>(disk: &D) -> Result<u64, RecoveryError> {
    let mut used = 0;
    for name in disk.list().await? {
        if let Some(id) = parse_segment_name(&name) {
            let file = disk.open(&segment_name(id)).await?;
            used += file.size().await?;
            file.close().await?;
        }
    }
    Ok(used)
}

/// LSN before an account's first frame.
pub const LSN_NONE: Lsn = Lsn(0);
