//! A disk in memory with the faults of real ones, driven by one seed.
//!
//! What it does at a crash: each 512-byte sector written since the file's last sync is kept or
//! lost on its own (so writes tear and overtake each other), each name created, removed or renamed
//! since the directory's last sync is old or new. Besides: it crashes at a chosen write, fills up,
//! fails a sync (and then drops what was unsynced, as kernels do), flips bits and stands still on
//! request.

mod hold;
mod random;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::disk::{Disk, DiskBuffer, DiskError, DiskFile};
use crate::limits::BLOCK_BYTES;

pub use random::Random;

/// What a disk writes whole or not at all.
const SECTOR_BYTES: usize = 512;

/// The machine's disk; clones are the same disk.
#[derive(Clone)]
pub struct SimDisk {
    state: Rc<RefCell<State>>,
    /// Handles of before a crash are dead.
    life: u64,
}

/// An open file.
pub struct SimFile {
    disk: SimDisk,
    name: String,
    inode: u64,
}

/// What goes wrong, and when.
#[derive(Debug, Clone, Copy, Default)]
pub struct Faults {
    /// Power goes at this many-th write, sync or directory change from now (1 = the next).
    pub crash_after: Option<u64>,
    /// The sync of this many-th from now fails.
    pub fail_sync_after: Option<u64>,
    /// This many-th read of a file from now fails, and only that one.
    pub fail_read_after: Option<u64>,
    /// Bytes of all files together; beyond it `Full`.
    pub size_max: Option<u64>,
}

/// What the disk has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Writes, syncs and directory changes: what `crash_after` counts.
    pub steps: u64,
    /// Reads.
    pub reads: u64,
    /// Syncs of files.
    pub syncs: u64,
}

struct State {
    random: Random,
    faults: Faults,
    hold: hold::Hold,
    counts: Counts,
    life: u64,
    off: bool,
    next_inode: u64,
    inodes: BTreeMap<u64, Inode>,
    names: BTreeMap<String, u64>,
    durable_names: BTreeMap<String, u64>,
}

#[derive(Default)]
struct Inode {
    content: Vec<u8>,
    durable: Vec<u8>,
    /// Handles of this life: a removed file is there as long as it is open.
    open: usize,
    /// First bytes of the sectors written since the last sync.
    unsynced: std::collections::BTreeSet<usize>,
}

impl SimDisk {
    /// An empty disk.
    pub fn new(seed: u64) -> SimDisk {
        let state = State {
            random: Random::new(seed),
            faults: Faults::default(),
            hold: hold::Hold::default(),
            counts: Counts::default(),
            life: 0,
            off: false,
            next_inode: 1,
            inodes: BTreeMap::new(),
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
        };
        SimDisk {
            state: Rc::new(RefCell::new(state)),
            life: 0,
        }
    }

    /// Sets what goes wrong from here on.
    pub fn set_faults(&self, faults: Faults) {
        self.state.borrow_mut().faults = faults;
    }

    /// Whether the power is off.
    pub fn is_off(&self) -> bool {
        let state = self.state.borrow();
        state.off || state.life != self.life
    }

    /// What was done so far.
    pub fn counts(&self) -> Counts {
        self.state.borrow().counts
    }

    /// Bytes of all files.
    pub fn size(&self) -> u64 {
        self.state.borrow().size()
    }

    /// Cuts the power (if it is on), then switches on again: the disk as it came out of that.
    pub fn restart(&self) -> SimDisk {
        let mut state = self.state.borrow_mut();
        state.lose_power();
        state.off = false;
        state.faults = Faults::default();
        state.life += 1;
        SimDisk {
            state: self.state.clone(),
            life: state.life,
        }
    }

    /// Flips one bit of a file, on the platter and in memory.
    pub fn flip(&self, name: &str, byte: usize, bit: u32) {
        let mut state = self.state.borrow_mut();
        let Some(inode) = state.names.get(name).copied() else {
            return;
        };
        let Some(inode) = state.inodes.get_mut(&inode) else {
            return;
        };
        for copy in [&mut inode.content, &mut inode.durable] {
            if let Some(byte) = copy.get_mut(byte) {
                *byte ^= 1 << (bit % 8);
            }
        }
    }

    /// The content of a file, for tests that look.
    pub fn content(&self, name: &str) -> Option<Vec<u8>> {
        let state = self.state.borrow();
        state
            .names
            .get(name)
            .and_then(|inode| state.inodes.get(inode))
            .map(|i| i.content.clone())
    }

    fn handle(&self, name: &str, inode: u64) -> SimFile {
        if let Some(held) = self.state.borrow_mut().inodes.get_mut(&inode) {
            held.open += 1;
        }
        SimFile {
            disk: self.clone(),
            name: name.to_owned(),
            inode,
        }
    }

    /// Every operation passes here: other tasks run first now and then, and a dead machine says so.
    async fn step(&self, counted: bool) -> Result<(), DiskError> {
        let turns = self.state.borrow_mut().random.below(3);
        for _ in 0..turns {
            futures_lite::future::yield_now().await;
        }
        self.held().await;
        let mut state = self.state.borrow_mut();
        if state.off || state.life != self.life {
            return Err(DiskError::Off);
        }
        if !counted {
            state.counts.reads += 1;
            return Ok(());
        }
        state.counts.steps += 1;
        if let Some(left) = state.faults.crash_after.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                // The operation in progress may be done, or not.
                if state.random.below(2) == 0 {
                    state.off = true;
                    return Err(DiskError::Off);
                }
                state.off = true;
            }
        }
        Ok(())
    }

    /// After the operation: the power may have gone while it ran.
    fn done<T>(&self, value: T) -> Result<T, DiskError> {
        if self.is_off() {
            Err(DiskError::Off)
        } else {
            Ok(value)
        }
    }
}

impl State {
    /// Removed files that nobody has open give their memory back.
    fn forget_removed(&mut self) {
        let (names, durable) = (&self.names, &self.durable_names);
        self.inodes.retain(|inode, held| {
            held.open > 0
                || [names, durable]
                    .iter()
                    .any(|all| all.values().any(|i| i == inode))
        });
    }

    fn size(&self) -> u64 {
        self.names
            .values()
            .filter_map(|inode| self.inodes.get(inode))
            .map(|inode| u64::try_from(inode.content.len()).unwrap_or(0))
            .sum()
    }

    fn lose_power(&mut self) {
        for inode in self.inodes.values_mut() {
            for start in std::mem::take(&mut inode.unsynced) {
                if self.random.below(2) == 0 {
                    inode.keep(start);
                }
            }
            inode.content.clone_from(&inode.durable);
        }
        let all: std::collections::BTreeSet<String> = self
            .names
            .keys()
            .chain(self.durable_names.keys())
            .cloned()
            .collect();
        let mut names = BTreeMap::new();
        for name in all {
            let (old, new) = (self.durable_names.get(&name), self.names.get(&name));
            let kept = if old == new || self.random.below(2) == 0 {
                new
            } else {
                old
            };
            if let Some(inode) = kept {
                names.insert(name, *inode);
            }
        }
        self.names = names.clone();
        self.durable_names = names;
        self.inodes.values_mut().for_each(|inode| inode.open = 0);
        self.forget_removed();
    }
}

impl Inode {
    /// The sector at `start` reaches the platter.
    fn keep(&mut self, start: usize) {
        let end = start.saturating_add(SECTOR_BYTES).min(self.content.len());
        if let (Some(to), Some(from)) = (
            self.durable.get_mut(start..end),
            self.content.get(start..end),
        ) {
            to.copy_from_slice(from);
        }
    }
}

impl Disk for SimDisk {
    type File = SimFile;
    type Buffer = Vec<u8>;

    fn buffer(&self, bytes: usize) -> Result<Vec<u8>, DiskError> {
        if bytes == 0 || !bytes.is_multiple_of(BLOCK_BYTES) {
            return Err(DiskError::Bounds("buffer"));
        }
        // Not zeroes: a writer that forgets its padding shows in the golden tests.
        Ok(vec![0xA5; bytes])
    }

    async fn create(&self, name: &str, bytes: u64) -> Result<SimFile, DiskError> {
        self.step(true).await?;
        let mut state = self.state.borrow_mut();
        if state.names.contains_key(name) {
            return Err(DiskError::Exists(name.to_owned()));
        }
        if state
            .faults
            .size_max
            .is_some_and(|max| state.size().saturating_add(bytes) > max)
        {
            return Err(DiskError::Full);
        }
        let bytes = usize::try_from(bytes).map_err(|_| DiskError::Bounds("file size"))?;
        let inode = state.next_inode;
        state.next_inode += 1;
        // The size is durable at once: ext4 logs it with the allocation, and a shorter file
        // after a crash only reads as an empty one.
        let zeroes = Inode {
            content: vec![0; bytes],
            durable: vec![0; bytes],
            ..Inode::default()
        };
        state.inodes.insert(inode, zeroes);
        state.names.insert(name.to_owned(), inode);
        drop(state);
        self.done(self.handle(name, inode))
    }

    async fn open(&self, name: &str) -> Result<SimFile, DiskError> {
        self.step(false).await?;
        let inode = self.state.borrow().names.get(name).copied();
        let inode = inode.ok_or_else(|| DiskError::NotFound(name.to_owned()))?;
        Ok(self.handle(name, inode))
    }

    async fn list(&self) -> Result<Vec<String>, DiskError> {
        self.step(false).await?;
        Ok(self.state.borrow().names.keys().cloned().collect())
    }

    async fn remove(&self, name: &str) -> Result<(), DiskError> {
        self.step(true).await?;
        let gone = self.state.borrow_mut().names.remove(name);
        gone.ok_or_else(|| DiskError::NotFound(name.to_owned()))?;
        self.done(())
    }

    async fn rename(&self, from: &str, to: &str) -> Result<(), DiskError> {
        self.step(true).await?;
        let mut state = self.state.borrow_mut();
        let inode = state
            .names
            .remove(from)
            .ok_or_else(|| DiskError::NotFound(from.to_owned()))?;
        state.names.insert(to.to_owned(), inode);
        drop(state);
        self.done(())
    }

    async fn sync_directory(&self) -> Result<(), DiskError> {
        self.step(true).await?;
        if self.is_off() {
            return Err(DiskError::Off);
        }
        let mut state = self.state.borrow_mut();
        state.durable_names = state.names.clone();
        state.forget_removed();
        Ok(())
    }
}

impl DiskFile for SimFile {
    type Buffer = Vec<u8>;

    async fn write_at(&self, buffer: Vec<u8>, offset: u64) -> Result<(), DiskError> {
        self.disk.step(true).await?;
        let start = usize::try_from(offset).map_err(|_| DiskError::Bounds("write"))?;
        if !start.is_multiple_of(BLOCK_BYTES) || !buffer.len().is_multiple_of(BLOCK_BYTES) {
            return Err(DiskError::Bounds("write"));
        }
        let mut state = self.disk.state.borrow_mut();
        let inode = self.inode(&mut state)?;
        let end = start.saturating_add(buffer.len());
        let target = inode
            .content
            .get_mut(start..end)
            .ok_or(DiskError::Bounds("write"))?;
        target.copy_from_slice(&buffer);
        inode.unsynced.extend((start..end).step_by(SECTOR_BYTES));
        drop(state);
        self.disk.done(())
    }

    async fn read_at(&self, offset: u64, bytes: usize) -> Result<Vec<u8>, DiskError> {
        self.disk.step(false).await?;
        let start = usize::try_from(offset).map_err(|_| DiskError::Bounds("read"))?;
        let mut state = self.disk.state.borrow_mut();
        if let Some(left) = state.faults.fail_read_after.as_mut() {
            *left = left.saturating_sub(1);
            if *left == 0 {
                state.faults.fail_read_after = None;
                return Err(DiskError::Io {
                    operation: "read",
                    name: self.name.clone(),
                    errno: None,
                    cause: "as the test wants".to_owned(),
                });
            }
        }
        let content = &self.inode(&mut state)?.content;
        let end = start.saturating_add(bytes).min(content.len());
        Ok(content.get(start..end).unwrap_or_default().to_vec())
    }

    async fn sync(&self) -> Result<(), DiskError> {
        self.disk.step(true).await?;
        if self.disk.is_off() {
            return Err(DiskError::Off);
        }
        let mut state = self.disk.state.borrow_mut();
        state.counts.syncs += 1;
        let fails = state.faults.fail_sync_after.as_mut().is_some_and(|left| {
            *left = left.saturating_sub(1);
            *left == 0
        });
        if fails {
            state.faults.fail_sync_after = None;
        }
        let inode = self.inode(&mut state)?;
        if fails {
            inode.unsynced.clear();
            // A kernel marks pages clean after a failed write-back: the data is gone, and a
            // second sync would say that all is well.
            inode.content.clone_from(&inode.durable);
            let name = self.name.clone();
            let cause = "simulated".to_owned();
            return Err(DiskError::Io {
                operation: "sync",
                name,
                errno: Some(5),
                cause,
            });
        }
        for start in std::mem::take(&mut inode.unsynced) {
            inode.keep(start);
        }
        Ok(())
    }

    async fn truncate(&self, bytes: u64) -> Result<(), DiskError> {
        self.disk.step(true).await?;
        let bytes = usize::try_from(bytes).map_err(|_| DiskError::Bounds("file size"))?;
        let mut state = self.disk.state.borrow_mut();
        let inode = self.inode(&mut state)?;
        inode.content.truncate(bytes);
        inode.durable.truncate(bytes);
        drop(state);
        self.disk.done(())
    }

    async fn size(&self) -> Result<u64, DiskError> {
        self.disk.step(false).await?;
        let mut state = self.disk.state.borrow_mut();
        Ok(u64::try_from(self.inode(&mut state)?.content.len()).unwrap_or(u64::MAX))
    }

    async fn close(self) -> Result<(), DiskError> {
        Ok(())
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        let mut state = self.disk.state.borrow_mut();
        if state.life == self.disk.life
            && let Some(held) = state.inodes.get_mut(&self.inode)
        {
            held.open = held.open.saturating_sub(1);
        }
    }
}

impl SimFile {
    fn inode<'s>(&self, state: &'s mut State) -> Result<&'s mut Inode, DiskError> {
        state
            .inodes
            .get_mut(&self.inode)
            .ok_or_else(|| DiskError::NotFound(self.name.clone()))
    }
}

impl DiskBuffer for Vec<u8> {
    fn shorten(&mut self, bytes: usize) {
        self.truncate(bytes);
    }
}

#[cfg(test)]
mod tests;
