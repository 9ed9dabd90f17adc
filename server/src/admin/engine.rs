//! The engine, as the administrator reaches it: through the shards of a server that runs, or opened
//! for one command.

use std::future::Future;
use std::time::{Duration, Instant};

use async_channel::{Sender, bounded};
use futures_lite::future;
use mail_directory::{AccountId, Quota, Reserved, Template};
use storage_engine::ids;
use storage_engine::request::{Operation, Reply};

use super::accounts::Failure;
use super::jobs::ShardJob;
use super::limits::{SHARD_JOBS_WAITING_MAX, SHARD_TIMEOUT};

/// The engine of a server that does not run, opened by the command line for one command. Calls
/// block; what they did is durable when they return.
pub trait OfflineEngine {
    /// Makes the account known, with INBOX and the template's mailboxes. Fine if it is known.
    fn create_account(
        &mut self,
        account: ids::AccountId,
        template: &Template,
        quota: Quota,
    ) -> Result<(), String>;

    /// Makes several known. An engine that can sync many at once does that here.
    fn create_accounts(
        &mut self,
        accounts: &[(ids::AccountId, &Template, Quota)],
    ) -> Vec<Result<(), String>> {
        let create = |(account, template, quota): &(ids::AccountId, &Template, Quota)| {
            self.create_account(*account, template, *quota)
        };
        accounts.iter().map(create).collect()
    }

    /// Deletes the account and all its mail. Fine if it is gone or was never there.
    fn delete_account(&mut self, account: ids::AccountId) -> Result<(), String>;

    /// The account's quota changed.
    fn set_quota(&mut self, account: ids::AccountId, quota: Quota) -> Result<(), String>;

    /// Anything else that the owner of an account can do, as the system.
    fn operation(&mut self, account: ids::AccountId, operation: Operation)
    -> Result<Reply, String>;
}

/// The engine, as the administrator reaches it.
pub enum Engine {
    /// The shards of a server that runs.
    Shards {
        /// Where they take their jobs.
        jobs: Sender<ShardJob>,
        /// The timer of the executor that runs [`super::execute`].
        sleep: Sleep,
    },
    /// Opened for this command; calls block the thread of the command line.
    Offline(Box<dyn OfflineEngine>),
}

/// A timer of the caller's executor.
pub type Sleep = fn(Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

impl Engine {
    pub(super) async fn create_accounts(
        &mut self,
        accounts: &[&Reserved],
    ) -> Vec<Result<(), String>> {
        match self {
            Self::Shards { jobs, sleep } => create_on_shards(jobs, *sleep, accounts).await,
            Self::Offline(engine) => {
                let accounts: Vec<_> = accounts
                    .iter()
                    .map(|account| (engine_id(account.id), &account.template, account.quota))
                    .collect();
                engine.create_accounts(&accounts)
            }
        }
    }

    pub(super) async fn delete_account(&mut self, id: AccountId) -> Result<(), Failure> {
        let account = engine_id(id);
        match self {
            Self::Shards { jobs, sleep } => {
                ask_shards(jobs, *sleep, |reply| ShardJob::DeleteAccount {
                    account,
                    reply,
                })
                .await
            }
            Self::Offline(engine) => engine.delete_account(account).map_err(Failure::Engine),
        }
    }

    pub(super) async fn end_sessions(
        &mut self,
        id: AccountId,
        reason: String,
    ) -> Result<(), Failure> {
        let account = engine_id(id);
        match self {
            Self::Shards { jobs, sleep } => {
                let job = |reply| ShardJob::EndSessions {
                    account,
                    reason,
                    reply,
                };
                ask_shards(jobs, *sleep, job).await
            }
            // Nobody is served.
            Self::Offline(_) => Ok(()),
        }
    }

    pub(super) async fn set_quota(&mut self, id: AccountId, quota: Quota) -> Result<(), Failure> {
        let account = engine_id(id);
        match self {
            Self::Shards { jobs, sleep } => {
                ask_shards(jobs, *sleep, |reply| ShardJob::SetQuota {
                    account,
                    quota,
                    reply,
                })
                .await
            }
            Self::Offline(engine) => engine.set_quota(account, quota).map_err(Failure::Engine),
        }
    }

    /// Has every session that is logged in look for alerts of its domain and of the server.
    pub(super) async fn ring_all(&mut self) -> Result<(), Failure> {
        match self {
            Self::Shards { jobs, sleep } => {
                ask_shards(jobs, *sleep, |reply| ShardJob::RingAll { reply }).await
            }
            // Nobody is served.
            Self::Offline(_) => Ok(()),
        }
    }

    /// Asks the owner of an account for anything, as the system. The answer is durable.
    pub(super) async fn operation(
        &mut self,
        id: AccountId,
        operation: Operation,
    ) -> Result<Reply, Failure> {
        let account = engine_id(id);
        match self {
            Self::Shards { jobs, sleep } => {
                ask_shards(jobs, *sleep, |reply| ShardJob::Operation {
                    account,
                    operation: Box::new(operation),
                    reply,
                })
                .await
            }
            Self::Offline(engine) => engine
                .operation(account, operation)
                .map_err(Failure::Engine),
        }
    }

    pub(super) async fn pause(&self, time: Duration) {
        match self {
            Self::Shards { sleep, .. } => sleep(time).await,
            Self::Offline(_) => std::thread::sleep(time),
        }
    }
}

/// Keeps a bounded number of jobs in flight, so that the log syncs many accounts at once.
async fn create_on_shards(
    jobs: &Sender<ShardJob>,
    sleep: Sleep,
    accounts: &[&Reserved],
) -> Vec<Result<(), String>> {
    let mut outcomes = Vec::with_capacity(accounts.len());
    for batch in accounts.chunks(SHARD_JOBS_WAITING_MAX) {
        let mut waiting = Vec::with_capacity(batch.len());
        let deadline = Instant::now() + SHARD_TIMEOUT;
        for account in batch {
            let (reply, answer) = bounded(1);
            let job = ShardJob::CreateAccount {
                account: engine_id(account.id),
                template: account.template.clone(),
                quota: account.quota,
                reply,
            };
            let sent = within(sleep, deadline, async {
                jobs.send(job).await.map_err(stopping)
            });
            waiting.push(sent.await.map(|()| answer));
        }
        for answer in waiting {
            outcomes.push(match answer {
                Ok(answer) => {
                    let reply = async { answer.recv().await.unwrap_or_else(|e| Err(stopping(e))) };
                    within(sleep, deadline, reply).await
                }
                Err(reason) => Err(reason),
            });
        }
    }
    outcomes
}

pub(super) async fn ask_shards<T>(
    jobs: &Sender<ShardJob>,
    sleep: Sleep,
    job: impl FnOnce(Sender<Result<T, String>>) -> ShardJob,
) -> Result<T, Failure> {
    let (reply, answer) = bounded(1);
    let job = job(reply);
    let asked = async {
        jobs.send(job).await.map_err(stopping)?;
        answer
            .recv()
            .await
            .unwrap_or_else(|error| Err(stopping(error)))
    };
    let deadline = Instant::now() + SHARD_TIMEOUT;
    within(sleep, deadline, asked)
        .await
        .map_err(Failure::Engine)
}

async fn within<T>(
    sleep: Sleep,
    deadline: Instant,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let timeout = async {
        sleep(deadline.saturating_duration_since(Instant::now())).await;
        Err("the shard did not answer in time".to_owned())
    };
    future::or(work, timeout).await
}

fn stopping<E>(_closed: E) -> String {
    "the server is stopping".to_owned()
}

fn engine_id(id: AccountId) -> ids::AccountId {
    ids::AccountId(id.to_bytes())
}
