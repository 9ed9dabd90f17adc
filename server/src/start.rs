//! From a configuration to a running server, and to its orderly end.
//!
//! ```text
//! lock -> admin socket -> checks -> directory -> certificates -> sockets
//!      -> recovery -> shards -> admin -> ready
//! ```

use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use async_channel::Sender;
use mail_directory::{Directory, DirectoryHandle};
use storage_engine::disk::glommio::GlommioDisk;
use storage_engine::disk::lock::DirectoryLock;
use storage_engine::recovery::{self, Options as StoreOptions, Recovered, ShardStart};

use crate::admin::{
    self, AdminOptions, AdminServer, AdminSocket, Engine, SHARD_JOBS_WAITING_MAX, ShardJob,
};
use crate::admission::{Admission, Bounds};
use crate::cli::directory_options;
use crate::config::{Config, Limits};
use crate::counters::Counters;
use crate::encryption::Encryption;
use crate::jobs;
use crate::limits::CHANGES_WAITING_MAX;
use crate::net::self_signed::ensure_self_signed;
use crate::net::tls::{CertificateFiles, TlsServer};
use crate::runtime::glommio_runtime::{
    GlommioListener, GlommioRuntime, ShardThreads, ShardsConfig, run_shards,
};
use crate::runtime::signals::{SignalRequest, watch_signals};
use crate::runtime::{Stop, StopSource, memory, preflight};
use crate::service::{self, Rendezvous, Rule, ShardParts};
use crate::shard::Shared;
use crate::shard::mesh::{Ends, mesh};
use crate::tally::Tally;

mod sockets;

use sockets::Sockets;

/// How often certificates are looked at for changes.
const CERTIFICATES_EVERY: Duration = Duration::from_secs(60);

/// Where the server listens, once it does.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    /// IMAP.
    pub imap: Vec<SocketAddr>,
    /// IMAP with TLS.
    pub imaps: Vec<SocketAddr>,
    /// LMTP.
    pub lmtp: Vec<SocketAddr>,
    /// Health and counters.
    pub admin: Option<SocketAddr>,
}

/// Why the server does not start. Each text says what to do where something can be done.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data directory cannot be made or locked.
    #[error("data directory {path}: {cause}")]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// The reason; who holds it, if somebody does.
        cause: String,
    },
    /// Another process has the data directory.
    #[error(transparent)]
    Lock(#[from] storage_engine::error::LockError),
    /// The machine lacks something.
    #[error(transparent)]
    Preflight(#[from] preflight::PreflightError),
    /// The directory of accounts cannot be opened.
    #[error("directory of accounts: {0}")]
    Directory(#[from] mail_directory::OpenError),
    /// Certificates cannot be used.
    #[error("certificates: {0}")]
    Tls(String),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {cause}")]
    Listen {
        /// The address or path.
        address: String,
        /// The reason.
        cause: std::io::Error,
    },
    /// The store cannot be opened.
    #[error("store: {0}")]
    Store(String),
    /// A thread or executor does not start.
    #[error("threads: {0}")]
    Threads(#[from] std::io::Error),
    /// The admin thread does not start.
    #[error("admin: {0}")]
    Admin(String),
}

/// What one shard's thread begins with.
struct Part {
    start: ShardStart,
    ends: Ends,
    listeners: Vec<(Arc<Rule>, OwnedFd)>,
    jobs: jobs::Receiver,
}

/// What all shards' threads begin with.
#[derive(Clone)]
struct Common {
    shared: Shared,
    store_dir: PathBuf,
    options: StoreOptions,
    admission: Arc<Admission>,
    stop: Stop,
    drained: Rendezvous,
}

/// Serves until SIGTERM or SIGINT. `ready` is called once everything listens.
pub fn run(config: Config, ready: impl FnOnce(&Addresses)) -> Result<(), StartError> {
    let _lock = lock(&config.data_dir)?;
    let admin_socket = AdminSocket::bind(&config.data_dir)
        .map_err(|error| StartError::Admin(error.to_string()))?;
    let shards = config.shards();
    memory::keep_large_blocks_apart();
    let cpus = preflight::usable_cpus()?;
    let connections = u64::try_from(config.limits.connections_max).unwrap_or(u64::MAX);
    let machine = preflight::check(shards, connections)?;
    for warning in &machine.warnings {
        tracing::warn!("{warning}");
    }
    let directory = Directory::open(&directory_options(&config))?;
    let tls = load_tls(&config)?;
    let mut sockets = Sockets::open(&config, shards)?;
    let store_dir = config.data_dir.join("store");
    std::fs::create_dir_all(&store_dir).map_err(|cause| data_directory(&store_dir, &cause))?;
    let options = store_options(&config);
    let recovered = recover(&store_dir, shards, &options, &cpus)?;
    tracing::info!(epoch = recovered.epoch.0, report = %recovered.report, "store recovered");

    let counters = Arc::new(Counters::new(shards));
    let (stop_source, stop) = StopSource::new();
    let (jobs, receiver) = async_channel::bounded(SHARD_JOBS_WAITING_MAX);
    let hostname = config.hostname();
    let config = Arc::new(config);
    let limits = &config.limits;
    let common = Common {
        admission: Admission::new(bounds(limits, machine.connections_max), counters.clone()),
        shared: Shared {
            config: config.clone(),
            hostname,
            directory: directory.handle(),
            counters: counters.clone(),
            tls: tls.clone(),
            account_sessions: limits.sessions_per_account_max.map(Tally::new),
            changes_waiting_max: CHANGES_WAITING_MAX,
            encryption: Encryption::start()?,
            running_s: Arc::new(AtomicU64::new(limits.running_s.unwrap_or(0))),
        },
        store_dir: store_dir.clone(),
        options,
        stop: stop.clone(),
        drained: Rendezvous::new(shards),
    };
    let parts = parts(recovered, &receiver, &mut sockets);
    let threads = start_shards(&cpus, &store_dir, common, parts)?;
    let begun = watch(stop_source.clone(), tls).map_err(StartError::Threads);
    let admin = begun.and_then(|()| {
        finish_pending(&directory.handle(), &jobs);
        let http = sockets.admin.take();
        start_admin(admin_socket, http, &directory, jobs, counters)
    });
    match &admin {
        Ok(_) => ready(&sockets.addresses),
        // The shards serve already: they end in order.
        Err(_) => stop_source.request(),
    }
    let ended = threads.join();
    stop_source.request();
    let stopped = admin.map(AdminServer::stop);
    directory.close();
    stopped?;
    Ok(ended?)
}

/// How many connections there may be; the machine has room for `descriptors` of all kinds.
fn bounds(limits: &Limits, descriptors: u64) -> Bounds {
    Bounds {
        // More than there are descriptors for could only fail at accept.
        all: usize::try_from(descriptors).unwrap_or(usize::MAX),
        imap: limits.imap_connections_max,
        lmtp: limits.lmtp_connections_max,
        from_address: limits.connections_per_address_max,
    }
}

/// Additions and deletions of accounts that a crash left half done.
fn finish_pending(directory: &DirectoryHandle, jobs: &Sender<ShardJob>) {
    let mut engine = Engine::Shards {
        jobs: jobs.clone(),
        sleep: admin::sleep_on_thread,
    };
    let finished = admin::finish_pending(directory, &mut engine);
    match futures_lite::future::block_on(finished) {
        Ok(0) => {}
        Ok(accounts) => tracing::info!(accounts, "finished what a crash left half done"),
        Err(error) => tracing::error!(error, "half added or half deleted accounts stay so"),
    }
}

fn start_admin(
    socket: AdminSocket,
    listener: Option<TcpListener>,
    directory: &Directory,
    jobs: Sender<ShardJob>,
    counters: Arc<Counters>,
) -> Result<AdminServer, StartError> {
    admin::start(AdminOptions {
        listener,
        socket,
        status: counters,
        directory: directory.handle(),
        jobs,
    })
    .map_err(|error| StartError::Admin(error.to_string()))
}

/// Locks the data directory, which is made if it is missing, for this process.
pub fn lock(data_dir: &Path) -> Result<DirectoryLock, StartError> {
    std::fs::create_dir_all(data_dir).map_err(|cause| data_directory(data_dir, &cause))?;
    Ok(DirectoryLock::take(data_dir)?)
}

fn data_directory(path: &Path, cause: &dyn std::fmt::Display) -> StartError {
    StartError::DataDirectory {
        path: path.to_owned(),
        cause: cause.to_string(),
    }
}

fn load_tls(config: &Config) -> Result<Option<TlsServer>, StartError> {
    let tls_error = |error: &dyn std::fmt::Display| StartError::Tls(error.to_string());
    let files: Vec<CertificateFiles> = if config.tls.certificates.is_empty() {
        let names = [config.hostname()];
        vec![ensure_self_signed(&config.data_dir, &names).map_err(|error| tls_error(&error))?]
    } else {
        let configured = config.tls.certificates.iter();
        configured
            .map(|files| CertificateFiles {
                chain: files.chain.clone(),
                key: files.key.clone(),
            })
            .collect()
    };
    TlsServer::load(&files)
        .map(Some)
        .map_err(|error| tls_error(&error))
}

/// The engine's options from the configuration.
pub fn store_options(config: &Config) -> StoreOptions {
    let bytes = |bytes: u64| usize::try_from(bytes).unwrap_or(usize::MAX);
    StoreOptions {
        segment_bytes: config.store.segment_bytes,
        size_max: config.store.size_max,
        memory_bytes: bytes(config.store.index_cache_bytes),
        body_cache_bytes: bytes(config.store.body_cache_bytes),
        ..StoreOptions::default()
    }
}

fn parts(recovered: Recovered, jobs: &jobs::Receiver, sockets: &mut Sockets) -> Vec<Part> {
    let ends = mesh(recovered.shards.len());
    let starts = recovered.shards.into_iter().zip(ends);
    starts
        .map(|(start, ends)| Part {
            start,
            ends,
            listeners: sockets.take(),
            jobs: jobs.clone(),
        })
        .collect()
}

/// Runs the recovery on an executor of its own, before any shard.
pub fn recover(
    store_dir: &Path,
    shards: usize,
    options: &StoreOptions,
    cpus: &[usize],
) -> Result<Recovered, StartError> {
    let (sender, receiver) = std::sync::mpsc::channel();
    let (dir, options) = (store_dir.to_owned(), options.clone());
    let config = ShardsConfig {
        cpus: cpus.to_vec(),
        data_dirs: vec![dir.clone()],
    };
    let threads = run_shards(&config, vec![sender], move |index, _runtime, sender| {
        let (dir, options) = (dir.clone(), options.clone());
        async move {
            let recovered = async {
                let disk = GlommioDisk::open(&dir, index)
                    .await
                    .map_err(|e| e.to_string())?;
                recovery::recover(&disk, shards, &options)
                    .await
                    .map_err(|e| e.to_string())
            };
            // The receiver waits below until this thread has ended.
            let _ = sender.send(recovered.await);
        }
    })?;
    threads.join()?;
    match receiver.recv() {
        Ok(recovered) => recovered.map_err(StartError::Store),
        Err(_) => Err(StartError::Store("recovery did not finish".to_owned())),
    }
}

fn start_shards(
    cpus: &[usize],
    store_dir: &Path,
    common: Common,
    parts: Vec<Part>,
) -> Result<ShardThreads, StartError> {
    let config = ShardsConfig {
        cpus: cpus.to_vec(),
        data_dirs: vec![store_dir.to_owned()],
    };
    let threads = run_shards(&config, parts, move |index, runtime, part| {
        shard_main(index, runtime, part, common.clone())
    })?;
    Ok(threads)
}

async fn shard_main(index: usize, runtime: GlommioRuntime, part: Part, common: Common) {
    let opened = async {
        let disk = GlommioDisk::open(&common.store_dir, index)
            .await
            .map_err(|error| error.to_string())?;
        let parts = ShardParts {
            start: part.start,
            ends: part.ends,
            options: common.options,
            shared: common.shared,
            jobs: part.jobs,
        };
        service::open(index, runtime, disk, parts, common.stop.clone()).await
    };
    let shard = match opened.await {
        Ok(shard) => shard,
        Err(error) => {
            tracing::error!(shard = index, error, "the store cannot be opened");
            // Accounts of this shard would be unserved: better no server than half a one.
            std::process::exit(1);
        }
    };
    let sockets = part.listeners.into_iter();
    let listeners = sockets.map(|(rule, fd)| (rule, GlommioListener::from_socket(fd)));
    let listeners = listeners.collect();
    let (admission, drained) = (common.admission, common.drained);
    service::run(shard, listeners, admission, common.stop, drained).await;
}

/// Signals and certificates are watched on threads of their own.
fn watch(stop: StopSource, tls: Option<TlsServer>) -> std::io::Result<()> {
    let reloading = tls.clone();
    watch_signals(move |signal| match signal {
        SignalRequest::Stop => stop.request(),
        SignalRequest::Reload => reload(reloading.as_ref()),
    })?;
    std::thread::Builder::new()
        .name("certificates".to_owned())
        .spawn(move || {
            loop {
                std::thread::sleep(CERTIFICATES_EVERY);
                reload(tls.as_ref());
            }
        })?;
    Ok(())
}

fn reload(tls: Option<&TlsServer>) {
    match tls.map(TlsServer::reload_if_changed) {
        Some(Ok(true)) => tracing::info!("certificates were read again"),
        Some(Err(error)) => tracing::warn!(%error, "certificates stay as they were"),
        Some(Ok(false)) | None => {}
    }
}
