//! The engine of a server that does not run, opened for one command of the command line.

use std::path::PathBuf;
use std::rc::Rc;
use std::sync::mpsc;

use async_channel::{Receiver, Sender};
use mail_directory::{Quota, Template};
use storage_engine::disk::glommio::GlommioDisk;
use storage_engine::disk::lock::DirectoryLock;
use storage_engine::error::LockError;
use storage_engine::ids::AccountId;
use storage_engine::mail_store::{Alone, MailStore, Publish};
use storage_engine::recovery::{Options, ShardStart};
use storage_engine::request::{Actor, Operation, Refusal, Reply, Request};

use crate::admin::OfflineEngine;
use crate::cli::OfflineError;
use crate::config::Config;
use crate::jobs::new_mailboxes;
use crate::runtime::glommio_runtime::{GlommioRuntime, ShardThreads, ShardsConfig, run_shards};
use crate::runtime::{Runtime, abort_on_panic, preflight};
use crate::start::{StartError, lock, recover, store_options};
use crate::store_clock::StoreClock;

/// One request and where its answer goes.
type Asked = (AccountId, Operation, mpsc::Sender<Outcome>);
type Outcome = Result<Reply, Refusal>;

/// Requests under way at once: as many share a sync of the log.
const ASKED_MAX: usize = 256;

/// The open engine. Dropping it writes a checkpoint and gives the lock back.
pub struct Offline {
    asked: Option<Sender<Asked>>,
    threads: Option<ShardThreads>,
    _lock: DirectoryLock,
}

impl Offline {
    /// Locks the data directory and opens the store on one shard.
    pub fn open(config: &Config) -> Result<Self, OfflineError> {
        let lock = lock(&config.data_dir).map_err(|error| match error {
            StartError::Lock(LockError::Held { .. }) => OfflineError::Held(error.to_string()),
            error => OfflineError::Failed(error.to_string()),
        })?;
        Self::start(config, lock).map_err(OfflineError::Failed)
    }

    fn start(config: &Config, lock: DirectoryLock) -> Result<Self, String> {
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

    /// Asks; the answer comes by the receiver, or its end says that there is none.
    fn begin(&self, account: AccountId, operation: Operation) -> mpsc::Receiver<Outcome> {
        let (reply, answer) = mpsc::channel();
        if let Some(asked) = &self.asked {
            // A store that has ended drops the question, and the receiver's end is told.
            let _ = asked.send_blocking((account, operation, reply));
        }
        answer
    }
}

/// An account that is known already was created before a crash.
fn finish_creation(answer: &mpsc::Receiver<Outcome>) -> Result<(), String> {
    match answer.recv() {
        Ok(Ok(_) | Err(Refusal::AccountExists)) => Ok(()),
        Ok(Err(refusal)) => Err(refusal.to_string()),
        Err(_) => Err("the store has ended".to_owned()),
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
        finish_creation(&self.begin(account, Operation::CreateAccount { mailboxes }))
    }

    fn create_accounts(
        &mut self,
        accounts: &[(AccountId, &Template, Quota)],
    ) -> Vec<Result<(), String>> {
        let created = |account: &(AccountId, &Template, Quota)| {
            let mailboxes = new_mailboxes(account.1);
            self.begin(account.0, Operation::CreateAccount { mailboxes })
        };
        let answers: Vec<_> = accounts.iter().map(created).collect();
        answers.iter().map(finish_creation).collect()
    }

    fn delete_account(&mut self, account: AccountId) -> Result<(), String> {
        match self.begin(account, Operation::DeleteAccount).recv() {
            Ok(Ok(_) | Err(Refusal::NoSuchAccount)) => Ok(()),
            Ok(Err(refusal)) => Err(refusal.to_string()),
            Err(_) => Err("the store has ended".to_owned()),
        }
    }

    fn operation(&mut self, account: AccountId, operation: Operation) -> Result<Reply, String> {
        match self.begin(account, operation).recv() {
            Ok(answer) => answer.map_err(|refusal| refusal.to_string()),
            Err(_) => Err("the store has ended".to_owned()),
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
    runtime.spawn(abort_on_panic(async move { log.run_log().await }));
    while let Ok((account, operation, reply)) = questions.recv().await {
        let request = Request {
            account,
            actor: Actor::System,
            now_s: runtime.wall_s(),
            operation,
        };
        let store = store.clone();
        runtime.spawn(async move {
            // Whoever asked waits for it.
            let _ = reply.send(store.execute(request).await);
        });
    }
    store.shutdown().await;
}
