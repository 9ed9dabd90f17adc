//! One shard's accounts over one log: plans, makes durable, publishes, answers, in that order.
//!
//! A request loads its account, then plans, enqueues and applies to the planned state without
//! waiting in between. Once its batch is durable the records are applied to the published state,
//! the watchers are told, and only then the answer leaves. Refusals and requests that change
//! nothing wait for what they rest on as well.

mod account;
mod commit;
mod evict;
mod folding;
pub(crate) mod held;
mod live;
mod load;
mod submit;
#[cfg(test)]
mod tests;
mod upload;

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use crate::account::OpenMove;
use crate::checkpoint::CheckpointState;
use crate::clock::Clock;
use crate::compaction::CompactionState;
use crate::disk::Disk;
use crate::error::OpenError;
use crate::ids::{AccountId, ChangeNumber, Epoch, MailboxKey, SegmentId};
use crate::limits::MARK_QUIET_MS;
use crate::log::wake::Signal;
use crate::log::{Commit, Log, LogCounters};
use crate::reader::BodyReader;
use crate::recovery::slice_table::StatePlace;
use crate::recovery::{Options, ShardStart};
use crate::request::{Operation, Refusal, Reply, Request};
use crate::view::Change;

use commit::InFlight;
use held::Slot;
use live::LiveBytes;
use upload::Uploads;

/// Told of every published change, before the answer to the request that made it leaves. Must
/// not wait, and must not call back into the store.
pub type Publish = Rc<dyn Fn(MailboxKey, Arc<Change>)>;

/// Told that an account has a new alert, as a [`Publish`] is.
pub type Alerted = Rc<dyn Fn(AccountId)>;

/// An answer of other shards.
pub type Answer<T> = Pin<Box<dyn Future<Output = T>>>;

/// What compaction needs of the other shards; the server routes it.
pub trait Shards {
    /// Every other shard runs [`MailStore::evacuate`]; whether all of them did it.
    fn evacuate(&self, segment: SegmentId) -> Answer<bool>;
    /// Every other shard runs [`MailStore::forget`].
    fn forget(&self, segment: SegmentId) -> Answer<()>;
    /// An account has come into memory with moves that an earlier process left open: somebody is
    /// to settle them ([`crate::moves::settle`]). Must not wait.
    fn settle(&self, account: AccountId, open: Vec<OpenMove>);
}

/// There is no other shard.
#[derive(Debug, Clone, Copy, Default)]
pub struct Alone;

impl Shards for Alone {
    fn evacuate(&self, _segment: SegmentId) -> Answer<bool> {
        Box::pin(std::future::ready(true))
    }

    fn forget(&self, _segment: SegmentId) -> Answer<()> {
        Box::pin(std::future::ready(()))
    }

    /// They stay open, and their messages where they are, until a server runs.
    fn settle(&self, _account: AccountId, _open: Vec<OpenMove>) {}
}

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// All is well.
    Good,
    /// New mail is refused.
    Full,
    /// A write or sync failed: all writes are refused until a restart.
    Fenced(String),
    /// This many accounts lost records and are read-only.
    AccountsReadOnly(usize),
}

/// For metrics. Counted since start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Of the log.
    pub log: LogCounters,
    /// Bytes of all segments of the process.
    pub store_bytes: u64,
    /// Accounts in memory.
    pub accounts_loaded: u64,
    /// Requests refused because the disk was full.
    pub refused_full: u64,
    /// Checkpoints written.
    pub checkpoints: u64,
    /// Segments removed by compaction.
    pub segments_removed: u64,
    /// Reads of account states and index pages that failed.
    pub unreadable: u64,
}

/// The store of one shard. Clones are the same store.
pub struct MailStore<D: Disk> {
    pub(crate) inner: Rc<Inner<D>>,
}

impl<D: Disk> Clone for MailStore<D> {
    fn clone(&self) -> Self {
        MailStore {
            inner: self.inner.clone(),
        }
    }
}

pub(crate) struct Inner<D: Disk> {
    pub disk: D,
    pub options: Options,
    pub clock: Rc<dyn Clock>,
    pub shards: Rc<dyn Shards>,
    pub epoch: Epoch,
    pub shard: usize,
    pub log: Log<D>,
    pub reader: BodyReader<D>,
    pub live: LiveBytes,
    pub checkpoint: RefCell<CheckpointState>,
    pub compaction: RefCell<CompactionState>,
    pub counters: Cell<Counters>,
    pub closing: Cell<bool>,
    /// Maintenance is at work.
    pub maintaining: Cell<bool>,
    /// Notified when maintenance may have something to do.
    pub upkeep: Signal,
    publish: Publish,
    alerted: RefCell<Option<Alerted>>,
    /// Those in memory and a few others; of all others the slice tables say where they are.
    pub accounts: RefCell<HashMap<AccountId, Slot>>,
    in_flight: RefCell<VecDeque<InFlight>>,
    pub uploads: RefCell<Uploads>,
    /// No change of an account that left memory had a higher number.
    pub changes_floor: Cell<ChangeNumber>,
    read_only: Cell<usize>,
    pub uses: Cell<u64>,
    /// Uses at the last look at the memory.
    pub looked: Cell<u64>,
}

impl<D: Disk> MailStore<D> {
    /// Opens the store on what recovery found for this shard. Serve only once all shards have.
    pub async fn open(
        disk: D,
        start: ShardStart,
        options: Options,
        clock: Rc<dyn Clock>,
        publish: Publish,
        shards: Rc<dyn Shards>,
    ) -> Result<MailStore<D>, OpenError> {
        let segment_bytes = options.segment_bytes_checked();
        let space = start.space.clone();
        let log = Log::start(disk.clone(), start.epoch, start.shard, segment_bytes, space).await?;
        let reader = BodyReader::new(disk.clone(), &options);
        let checkpoint = CheckpointState::new(start.tables, start.shards, segment_bytes);
        let store = MailStore {
            inner: Rc::new(Inner {
                disk,
                options,
                clock,
                shards,
                epoch: start.epoch,
                shard: start.shard,
                log,
                reader,
                live: LiveBytes::new(start.segments.clone()),
                checkpoint: RefCell::new(checkpoint),
                compaction: RefCell::default(),
                counters: Cell::new(Counters::default()),
                closing: Cell::new(false),
                maintaining: Cell::new(false),
                upkeep: Signal::default(),
                publish,
                alerted: RefCell::default(),
                accounts: RefCell::new(HashMap::new()),
                in_flight: RefCell::new(VecDeque::new()),
                uploads: RefCell::new(Uploads::default()),
                changes_floor: Cell::default(),
                read_only: Cell::new(start.read_only),
                uses: Cell::new(0),
                looked: Cell::new(0),
            }),
        };
        for (account, begin) in start.accounts {
            store.open_account(account, begin).await?;
        }
        Ok(store)
    }

    /// Who is told of new alerts; nobody before this.
    pub fn on_alert(&self, alerted: Alerted) {
        *self.inner.alerted.borrow_mut() = Some(alerted);
    }

    /// Executes one request about an account of this shard.
    pub async fn execute(&self, request: Request) -> Result<Reply, Refusal> {
        let account = request.account;
        match request.operation {
            Operation::Snapshot { mailbox } => self.snapshot(account, mailbox).await,
            Operation::Locate { mailbox, uid } => self.locate(account, mailbox, uid).await,
            Operation::UploadChunk { body, index, bytes } => {
                self.upload_chunk(account, body, index, bytes).await
            }
            Operation::AbandonUpload { body } => {
                self.inner.uploads.borrow_mut().abandon(body);
                Ok(Reply::Done)
            }
            _ => self.plan_and_commit(&request).await,
        }
    }

    /// Makes durable and publishes, batch by batch. Run it once, beside the requests; it ends
    /// after [`MailStore::shutdown`], or when the log is fenced.
    pub async fn run_log(&self) {
        let log = &self.inner.log;
        let pause = async || self.inner.clock.sleep(Duration::from_secs(1)).await;
        futures_lite::future::zip(self.commit_all(), log.keep_spare(pause)).await;
    }

    /// Checkpoints, eviction and compaction, whenever they are due. Run it once, beside the
    /// requests; it ends after [`MailStore::shutdown`], or when the log is fenced.
    pub async fn run_maintenance(&self) {
        loop {
            let seen = self.inner.upkeep.generation();
            if self.inner.closing.get() || self.inner.log.fenced().is_some() {
                return;
            }
            {
                let _busy = Busy::new(&self.inner.maintaining);
                self.maintain().await;
            }
            if self.inner.closing.get() {
                self.inner.upkeep.notify();
            }
            self.inner.upkeep.changed_since(seen).await;
        }
    }

    /// Writes what is in memory, ends the log with a mark; then the loops return. No request may
    /// come after it.
    pub async fn shutdown(&self) {
        self.inner.closing.set(true);
        self.inner.upkeep.notify();
        // What compaction has begun needs the log.
        loop {
            let seen = self.inner.upkeep.generation();
            let evacuating = self.inner.compaction.borrow().evacuating;
            if !evacuating && !self.inner.maintaining.get() {
                break;
            }
            self.inner.upkeep.changed_since(seen).await;
        }
        if let Err(error) = self.checkpoint().await {
            tracing::error!(%error, "no checkpoint at the end: the next start replays more");
        }
        self.settled().await;
        self.inner.log.enqueue_mark();
        self.inner.log.close();
        self.settled().await;
    }

    /// How the store is.
    pub fn health(&self) -> Health {
        if let Some(cause) = self.inner.log.fenced() {
            return Health::Fenced(cause.to_string());
        }
        if self.inner.log.is_full() {
            return Health::Full;
        }
        match self.inner.read_only.get() {
            0 => Health::Good,
            accounts => Health::AccountsReadOnly(accounts),
        }
    }

    /// For metrics.
    pub fn counters(&self) -> Counters {
        let loaded = |slot: &&Slot| matches!(slot, Slot::Held(_));
        let accounts_loaded = self.inner.accounts.borrow().values().filter(loaded).count();
        Counters {
            log: self.inner.log.counters(),
            store_bytes: self.inner.log.space().used(),
            accounts_loaded: u64::try_from(accounts_loaded).unwrap_or(u64::MAX),
            ..self.inner.counters.get()
        }
    }

    /// Reads bodies on this shard, of accounts of any shard.
    pub fn reader(&self) -> BodyReader<D> {
        self.inner.reader.clone()
    }

    /// Whether the account exists, durably, and was not deleted.
    pub async fn has_account(&self, account: AccountId) -> Result<bool, Refusal> {
        match self.inner.accounts.borrow().get(&account) {
            Some(Slot::Held(held)) => return Ok(held.states.borrow().published.exists()),
            Some(Slot::Closed(_)) => return Ok(true),
            Some(Slot::Loading(_)) | None => {}
        }
        let entry = self.table_entry(account).await?;
        Ok(entry.is_some_and(|entry| entry.state != StatePlace::Deleted))
    }

    /// Compaction on another shard is going to remove this segment, whose places nobody has any
    /// more: forgets its file.
    pub fn forget(&self, segment: SegmentId) {
        self.inner.reader.forget(segment);
    }

    /// Waits until all that was enqueued is durable, or the log is fenced.
    pub(crate) async fn settled(&self) {
        let (log, end) = (&self.inner.log, self.inner.log.end());
        loop {
            let seen = log.changed().generation();
            if log.durable() >= end || log.fenced().is_some() {
                return;
            }
            log.changed().changed_since(seen).await;
        }
    }

    async fn commit_all(&self) {
        let log = &self.inner.log;
        let mut marked = true;
        loop {
            let quiet = async {
                if !marked {
                    self.inner
                        .clock
                        .sleep(Duration::from_millis(MARK_QUIET_MS))
                        .await;
                    log.enqueue_mark();
                }
                std::future::pending().await
            };
            match futures_lite::future::or(log.commit_next(), quiet).await {
                Commit::Durable(position) => {
                    marked = false;
                    self.publish_to(position);
                }
                Commit::Marked(position) => {
                    marked = true;
                    self.publish_to(position);
                }
                Commit::Failed(error) => return self.fence(&error),
                Commit::Closed => return,
            }
        }
    }

    pub(crate) fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.inner.counters.get();
        change(&mut counters);
        self.inner.counters.set(counters);
    }
}

/// Sets a flag until it is dropped.
struct Busy<'f>(&'f Cell<bool>);

impl Busy<'_> {
    fn new(flag: &Cell<bool>) -> Busy<'_> {
        flag.set(true);
        Busy(flag)
    }
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}
