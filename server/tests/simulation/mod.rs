//! Whole shards in one seeded simulation, for tests.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use corepost::config::Config;
use corepost::counters::Counters;
use corepost::encryption::Encryption;
use corepost::runtime::StopSource;
use corepost::runtime::simulated::{SimulatedRuntime, Simulation};
use corepost::service::{self, ShardParts};
use corepost::shard::mesh::mesh;
use corepost::shard::{Shard, Shared};
use futures_lite::future::block_on;
use mail_directory::{Directory, NewAccount, Options, Password, Quota, Secret, Template};
use storage_engine::disk::sim::SimDisk;
use storage_engine::ids::AccountId;
use storage_engine::recovery::{self, Options as StoreOptions};

const ADDRESS: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

pub type Sim = Shard<SimulatedRuntime>;

/// The directory runs on threads, which a simulation cannot wait for; a login that was good before
/// is answered without them.
pub struct Accounts {
    pub directory: Directory,
    pub account: AccountId,
    encryption: Encryption,
    _folder: tempfile::TempDir,
}

pub fn accounts() -> Accounts {
    let folder = tempfile::tempdir().unwrap();
    let directory = Directory::open(&Options {
        path: folder.path().join("directory.sqlite"),
        default_domain: "localhost".into(),
        template: Template::default(),
        hash_threads: 1,
        failures_per_minute_max: None,
    })
    .unwrap();
    let handle = directory.handle();
    let account = block_on(async {
        let reserved = handle
            .prepare_add(NewAccount {
                name: "user@localhost".into(),
                secret: Secret::Password(Password::new("secret")),
                quota: Quota::default(),
            })
            .await
            .unwrap();
        handle.commit_add(vec![reserved.id]).await.unwrap();
        let password = Password::new("secret");
        handle
            .authenticate("user@localhost", password, ADDRESS)
            .await
            .unwrap()
            .id
    });
    let account = AccountId(account.to_bytes());
    Accounts {
        directory,
        account,
        encryption: Encryption::start().unwrap(),
        _folder: folder,
    }
}

/// What a world may be made of.
pub struct World {
    pub disk: SimDisk,
    pub shards: usize,
    pub changes_waiting_max: usize,
    /// Bodies that are kept in memory, in bytes.
    pub body_cache_bytes: usize,
    /// [`Shared::running_s`]
    pub running_s: u64,
}

pub async fn open_shards(
    simulation: &Rc<Simulation>,
    accounts: &Rc<Accounts>,
    world: &World,
) -> Vec<Sim> {
    let (disk, shards) = (&world.disk, world.shards);
    let options = StoreOptions {
        segment_bytes: 1 << 20,
        body_cache_bytes: world.body_cache_bytes,
        ..StoreOptions::default()
    };
    let recovered = recovery::recover(disk, shards, &options).await.unwrap();
    let shared = Shared {
        config: Arc::new(Config::default()),
        hostname: "sim".into(),
        directory: accounts.directory.handle(),
        counters: Arc::new(Counters::default()),
        account_sessions: None,
        tls: None,
        encryption: accounts.encryption.clone(),
        running_s: Arc::new(AtomicU64::new(world.running_s)),
        changes_waiting_max: world.changes_waiting_max,
    };
    let (_jobs, receiver) = async_channel::bounded(1);
    let (_source, stop) = StopSource::new();
    let mut opened = Vec::new();
    for (index, (start, ends)) in recovered.shards.into_iter().zip(mesh(shards)).enumerate() {
        let parts = ShardParts {
            start,
            ends,
            options: options.clone(),
            shared: shared.clone(),
            jobs: receiver.clone(),
        };
        let runtime = simulation.runtime();
        let shard = service::open(index, runtime, disk.clone(), parts, stop.clone()).await;
        opened.push(shard.unwrap());
    }
    opened
}
