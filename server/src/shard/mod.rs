//! What one core owns: its accounts' store, its sessions, its views, and its ends of the mesh.
//!
//! - [`message`], [`mesh`], [`calls`]: how shards talk.
//! - [`router`]: a request finds the owner of its account.
//! - [`watchers`]: who hears of a mailbox's changes (owner's side); [`view`]: what a core knows of
//!   a mailbox (reader's side).
//! - [`sessions`]: the connections here, and how they are ended.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mail_directory::DirectoryHandle;
use storage_engine::ids::{AccountId, MailboxKey, SessionKey};
use storage_engine::mail_store::MailStore;
use storage_engine::reader::BodyReader;
use storage_engine::request::UploadId;

use crate::config::Config;
use crate::counters::Counters;
use crate::encryption::Encryption;
use crate::limits;
use crate::net::stream::Connection;
use crate::net::tls::TlsServer;
use crate::runtime::{Runtime, abort_on_panic};
use crate::tally::Tally;
use crate::transport::Transport;

pub mod alerts;
pub mod bell;
pub mod budget;
pub mod calls;
pub mod evacuation;
pub mod mesh;
pub mod message;
pub mod moves;
pub mod router;
pub mod sessions;
pub mod signal;
pub mod view;
pub mod watchers;

use budget::Budget;
use calls::Calls;
use mesh::{Ends, Outbox};
use sessions::{SessionEntry, Sessions};
use view::SharedView;
use watchers::Watchers;

/// One shard: a cheap handle that every task of the core holds. Never crosses threads.
pub struct Shard<R: Runtime>(Rc<Inner<R>>);

struct Inner<R: Runtime> {
    index: usize,
    runtime: R,
    store: MailStore<R::Disk>,
    reader: BodyReader<R::Disk>,
    outboxes: Vec<Outbox>,
    calls: Calls,
    watchers: Rc<Watchers>,
    views: RefCell<HashMap<MailboxKey, Rc<SharedView>>>,
    sessions: Sessions,
    closed: RefCell<HashSet<AccountId>>,
    uploads: Cell<u64>,
    ending: Cell<bool>,
    searched: Budget,
    encrypting: Budget,
    shared: Shared,
}

/// What all shards of the process share: immutable, or made for threads.
#[derive(Clone)]
pub struct Shared {
    /// The configuration.
    pub config: Arc<Config>,
    /// Our name in greetings and trace fields.
    pub hostname: String,
    /// Accounts and passwords, on side threads.
    pub directory: DirectoryHandle,
    /// Counters that the admin thread reads.
    pub counters: Arc<Counters>,
    /// Certificates, if there are any.
    pub tls: Option<TlsServer>,
    /// Sessions of each account, where they are bounded.
    pub account_sessions: Option<Arc<Tally<AccountId>>>,
    /// [`limits::CHANGES_WAITING_MAX`]; tests want fewer.
    pub changes_waiting_max: usize,
    /// Encrypts messages, on side threads.
    pub encryption: Encryption,
    /// Seconds between two 'Running' to a client whose command takes long; 0 is never. An
    /// administrator may change it while the server runs.
    pub running_s: Arc<AtomicU64>,
}

impl<R: Runtime> Clone for Shard<R> {
    fn clone(&self) -> Self {
        Shard(self.0.clone())
    }
}

impl<R: Runtime> Shard<R> {
    /// Joins the parts and starts the tasks that move messages.
    pub fn start(
        index: usize,
        runtime: R,
        store: MailStore<R::Disk>,
        watchers: Rc<Watchers>,
        ends: Ends,
        shared: Shared,
    ) -> Self {
        let reader = store.reader();
        let outboxes = ends.to.into_iter().map(Outbox::new).collect();
        let shard = Shard(Rc::new(Inner {
            index,
            runtime,
            store,
            reader,
            outboxes,
            calls: Calls::default(),
            watchers,
            views: RefCell::default(),
            sessions: Sessions::default(),
            closed: RefCell::default(),
            uploads: Cell::new(0),
            ending: Cell::new(false),
            searched: Budget::new(limits::SEARCHED_BYTES_MAX),
            encrypting: Budget::new(limits::ENCRYPTING_BYTES_MAX),
            shared,
        }));
        for (peer, inbox) in ends.from.into_iter().enumerate() {
            if peer == index {
                continue;
            }
            // Both are vital: without them whoever asks the peer would wait for ever.
            let receiving = shard.clone();
            shard.runtime().spawn(abort_on_panic(async move {
                while let Ok(batch) = inbox.recv().await {
                    batch
                        .into_iter()
                        .for_each(|message| receiving.receive(peer, message));
                }
                receiving.peer_gone(peer);
            }));
            let sending = shard.clone();
            shard.runtime().spawn(abort_on_panic(async move {
                if let Some(outbox) = sending.0.outboxes.get(peer) {
                    outbox.flush().await;
                }
            }));
        }
        let publishing = shard.clone();
        shard
            .0
            .watchers
            .attach(move |key, change, peers| publishing.publish(key, change, peers));
        let telling = Rc::downgrade(&shard.0);
        shard.0.store.on_alert(Rc::new(move |account| {
            if let Some(inner) = telling.upgrade() {
                Shard(inner).alerted(account);
            }
        }));
        shard
    }

    /// Its number, from 0.
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// The executor.
    pub fn runtime(&self) -> &R {
        &self.0.runtime
    }

    /// The accounts that this shard owns.
    pub fn store(&self) -> &MailStore<R::Disk> {
        &self.0.store
    }

    /// Reads bodies of any shard's accounts.
    pub fn reader(&self) -> &BodyReader<R::Disk> {
        &self.0.reader
    }

    /// Memory for the messages that are being searched, or copied to other accounts.
    pub fn searched(&self) -> &Budget {
        &self.0.searched
    }

    /// The connections here.
    pub fn sessions(&self) -> &Sessions {
        &self.0.sessions
    }

    /// A connection becomes a session of this shard until what is returned is dropped.
    pub fn enter(&self, connection: &Connection<R::Stream>) -> Entered<R> {
        let entry = self
            .sessions()
            .enter(connection.peer(), connection.kick_handle());
        Entered {
            shard: self.clone(),
            entry,
        }
    }

    /// The bytes of a session's connection.
    pub fn transport(
        &self,
        connection: Connection<R::Stream>,
        entry: &Rc<SessionEntry>,
    ) -> Transport<R> {
        let output_stall = Duration::from_secs(self.config().limits.output_stall_s);
        Transport::new(
            connection,
            self.runtime().clone(),
            entry.clone(),
            output_stall,
        )
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.0.shared.config
    }

    /// Our name in greetings and trace fields.
    pub fn hostname(&self) -> &str {
        &self.0.shared.hostname
    }

    /// Accounts and passwords.
    pub fn directory(&self) -> &DirectoryHandle {
        &self.0.shared.directory
    }

    /// Counters that the admin thread reads.
    pub fn counters(&self) -> &Counters {
        &self.0.shared.counters
    }

    /// Encrypts messages.
    pub fn encryption(&self) -> &Encryption {
        &self.0.shared.encryption
    }

    /// Memory for the messages that are being encrypted.
    pub fn encrypting(&self) -> &Budget {
        &self.0.encrypting
    }

    /// How often a client whose command takes long hears 'Running'.
    pub fn running_every(&self) -> Option<Duration> {
        let seconds = self.0.shared.running_s.load(Ordering::Relaxed);
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }

    /// Changes that for all shards, also for commands under way; `None` is never.
    pub fn set_running_every(&self, seconds: Option<u64>) {
        let running_s = &self.0.shared.running_s;
        running_s.store(seconds.unwrap_or(0), Ordering::Relaxed);
    }

    /// Certificates, if there are any.
    pub fn tls(&self) -> Option<&TlsServer> {
        self.0.shared.tls.as_ref()
    }

    /// A place among the sessions of an account, while the entry lives; whether there was one.
    pub fn take_account_place(&self, entry: &SessionEntry, account: AccountId) -> bool {
        let Some(tally) = &self.0.shared.account_sessions else {
            return true;
        };
        let place = tally.take(account);
        let is_taken = place.is_some();
        entry.set_place(place);
        is_taken
    }

    /// A fresh name for an upload of this process.
    pub fn next_upload(&self) -> UploadId {
        let number = self.0.uploads.get() + 1;
        self.0.uploads.set(number);
        // Shards count apart; the shard's number keeps their names apart.
        let shard = u64::try_from(self.0.index).unwrap_or(u64::MAX);
        UploadId(shard << 48 | number)
    }

    /// The end: the store takes no more requests and closes, then there are no more messages to or
    /// from peers. A request that came behind the last sync would never be answered.
    pub async fn close(&self) {
        self.0.ending.set(true);
        self.0.store.shutdown().await;
        self.0.outboxes.iter().for_each(Outbox::close);
    }

    /// The engine's name for one selection of a mailbox by a session of this shard. Each has its
    /// own, as the farewell to the last one may reach the owner after the next has begun.
    pub fn next_selection(&self) -> SessionKey {
        // The number of shards is bounded by the configuration, far below 2^32.
        SessionKey {
            shard: u32::try_from(self.0.index).unwrap_or(u32::MAX),
            session: self.0.sessions.next_number(),
        }
    }
}

/// A session in the table; taken out when this is dropped, also by a panic.
pub struct Entered<R: Runtime> {
    shard: Shard<R>,
    entry: Rc<SessionEntry>,
}

impl<R: Runtime> Entered<R> {
    /// The table's entry.
    pub fn entry(&self) -> &Rc<SessionEntry> {
        &self.entry
    }
}

impl<R: Runtime> Drop for Entered<R> {
    fn drop(&mut self) {
        self.shard.sessions().leave(self.entry.session);
    }
}
