//! The engine of a server that does not run, opened for one command of the command line.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;

use async_channel::{Receiver, Sender};
use mail_directory::{Quota, Template};
use storage_engine::disk::glommio::GlommioDisk;
use storage_engine::disk::lock::DirectoryLock;
use storage_engine::ids::AccountId;
use storage_engine::mail_store::{Alone, MailStore, Publish};
use storage_engine::recovery::{Options, ShardStart};
use storage_engine::request::{Operation, Refusal, Reply, Request};

use crate::admin::OfflineEngine;
use crate::config::Config;
use crate::jobs::new_mailboxes;
use crate::runtime::glommio_runtime::{GlommioRuntime, ShardThreads, ShardsConfig, run_shards};
use crate::runtime::{Runtime, preflight};
use crate::start::{lock, recover, store_options};
use crate::store_clock::StoreClock;

/// One request and where its answer goes.
type Asked = (AccountId, Operation, mpsc::Sender<Result<Reply, Refusal>>);

/// Requests under way; the caller waits for each, so there is one.
const ASKED_MAX: usize = 1;

/// The open engine. Dropping it writes a checkpoint and gives the lock back.
pub struct Offline {
    asked: Option<Sender<Asked>>,
    threads: Option<ShardThreads>,
    _lock: DirectoryLock,
}

impl Offline {
    /// Locks the data directory and opens the store on one shard.
    pub fn open(config: &Config) -> Result<Self, String> {
        let lock = lock(&config.data_dir).map_err(|error| error.to_string())?;
        let cpus = preflight::usable_cpus().map_err(|error| error.to_string())?;
        preflight::check(1, 0).map_err(|error| error.to_string())?;
        let store_dir = config.data_dir.join("store");
        std::fs::create_dir_all(&store_dir).map_err(|error| error.to_string())?;
        let options = store_options(config);
        let recovered =
            recover(&store_dir, 1, &options, &cpus).map_err(|error| error.to_string())?;
        let (asked, questions) = async_channel::bounded(ASKED_MAX);
        let shards = ShardsConfig {
            cpus,
            data_dirs: vec![store_dir.clone()],
        };
        let threads = run_shards(&shards, recovered.shards, move |_, runtime, start| {
            answer(
                runtime,
                start,
                store_dir.clone(),
                options.clone(),
                questions.clone(),
            )
        })
        .map_err(|error| error.to_string())?;
        Ok(Offline {
            asked: Some(asked),
            threads: Some(threads),
            _lock: lock,
        })
    }

    fn ask(&mut self, account: AccountId, operation: Operation) -> Result<Reply, String> {
        let (reply, answer) = mpsc::channel();
        let sent = match &self.asked {
            Some(asked) => asked.send_blocking((account, operation, reply)).is_ok(),
            None => false,
        };
        match answer.recv() {
            Ok(Ok(reply)) if sent => Ok(reply),
            Ok(Err(refusal)) => Err(refusal.to_string()),
            Ok(Ok(_)) | Err(_) => Err("the store has ended".to_owned()),
        }
    }
}

impl OfflineEngine for Offline {
    fn create_account(
        &mut self,
        account: AccountId,
        template: &Template,
        _quota: Quota,
    ) -> Result<(), String> {
        let mailboxes = new_mailboxes(template);
        match self.ask(account, Operation::CreateAccount { mailboxes }) {
            Err(text) if text != Refusal::AccountExists.to_string() => Err(text),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn delete_account(&mut self, account: AccountId) -> Result<(), String> {
        match self.ask(account, Operation::DeleteAccount) {
            Err(text) if text != Refusal::NoSuchAccount.to_string() => Err(text),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    fn set_quota(&mut self, _account: AccountId, _quota: Quota) -> Result<(), String> {
        // The directory holds the quota; every login and delivery brings the newest with it.
        Ok(())
    }
}

impl Drop for Offline {
    fn drop(&mut self) {
        self.asked = None;
        if let Some(Err(error)) = self.threads.take().map(ShardThreads::join) {
            tracing::error!(%error, "the store did not end in order");
        }
    }
}

async fn answer(
    runtime: GlommioRuntime,
    start: ShardStart,
    store_dir: PathBuf,
    options: Options,
    questions: Receiver<Asked>,
) {
    let opened = async {
        let disk = GlommioDisk::open(&store_dir, 0).await?;
        let clock = Rc::new(StoreClock::new(runtime.clone()));
        let nobody: Publish = Rc::new(|_, _| {});
        MailStore::open(disk, start, options, clock, nobody, Rc::new(Alone)).await
    };
    let store = match opened.await {
        Ok(store) => store,
        Err(error) => {
            tracing::error!(%error, "the store cannot be opened");
            return;
        }
    };
    let log = store.clone();
    runtime.spawn(async move { log.run_log().await });
    while let Ok((account, operation, reply)) = questions.recv().await {
        let request = Request {
            account,
            now_s: runtime.wall_s(),
            operation,
        };
        // The asker waits for it.
        let _ = reply.send(store.execute(request).await);
    }
    store.shutdown().await;
}
