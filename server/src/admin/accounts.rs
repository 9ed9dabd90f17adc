//! Carries out what an administrator asks for: the directory's and the engine's steps in their
//! order, so that a crash between any two leaves something that [`finish_pending`] can finish.

use std::future::Future;
use std::time::{Duration, Instant};

use async_channel::{Sender, bounded};
use futures_lite::future;
use mail_directory::{
    AccountEntry, AccountId, ChangeError, DirectoryHandle, ListRange, LookupError, NewAccount,
    Password, PendingStep, Quota, Reserved, Secret, Template,
};
use storage_engine::ids;

use super::jobs::{JobReply, ShardJob};
use super::limits::{
    BUSY_ATTEMPTS_MAX, BUSY_PAUSE, IMPORT_ACCOUNTS_MAX, SHARD_JOBS_WAITING_MAX, SHARD_TIMEOUT,
};
use super::requests::{AccountLine, AdminReply, AdminRequest, ImportAccount, ImportOutcome};

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
}

/// The engine, as the administrator reaches it.
pub enum Engine {
    /// The shards of a server that runs.
    Shards {
        /// Where they take their jobs.
        jobs: Sender<ShardJob>,
        /// The timer of the executor that runs [`execute`].
        sleep: Sleep,
    },
    /// Opened for this command; calls block the thread of the command line.
    Offline(Box<dyn OfflineEngine>),
}

/// A timer of the caller's executor.
pub type Sleep = fn(Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Why a request failed; the text is for the administrator.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error("{0}")]
    Directory(#[from] ChangeError),
    #[error("{0}")]
    Engine(String),
    #[error("at most {IMPORT_ACCOUNTS_MAX} accounts in one request")]
    Import,
}

impl From<LookupError> for Failure {
    fn from(error: LookupError) -> Self {
        Self::Directory(error.into())
    }
}

/// Carries out one request.
pub async fn execute(
    request: AdminRequest,
    directory: &DirectoryHandle,
    engine: &mut Engine,
) -> AdminReply {
    match run(request, directory, engine).await {
        Ok(reply) => reply,
        Err(failure) => AdminReply::Failed {
            reason: failure.to_string(),
        },
    }
}

/// Finishes the additions and deletions that a crash left half done; to be called when the engine
/// is open and before anybody is served. Answers how many there were. It waits by threads, as there
/// is no executor with a timer yet: whatever timer the engine was given is not used.
pub async fn finish_pending(
    directory: &DirectoryHandle,
    engine: &mut Engine,
) -> Result<usize, String> {
    let pending = directory
        .pending()
        .await
        .map_err(|error| error.to_string())?;
    let count = pending.len();
    let mut waiting = match &engine {
        Engine::Shards { jobs, .. } => Some(Engine::Shards {
            jobs: jobs.clone(),
            sleep: sleep_on_thread,
        }),
        Engine::Offline(_) => None,
    };
    let engine = waiting.as_mut().unwrap_or(engine);
    for account in pending {
        let reserved = Reserved {
            id: account.id,
            name: account.name.clone(),
            template: account.template,
            quota: account.quota,
        };
        let finished = match account.step {
            PendingStep::Add => finish_add(directory, engine, &reserved).await,
            PendingStep::Delete => finish_delete(directory, engine, account.id).await,
        };
        finished.map_err(|failure| format!("{}: {failure}", account.name))?;
    }
    Ok(count)
}

/// A timer for callers without an executor that has one: a thread, which ends with the future.
pub fn sleep_on_thread(time: Duration) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
    let (over, elapsed) = bounded::<()>(1);
    let (given_up, gives_up) = std::sync::mpsc::channel::<()>();
    let spawned = std::thread::Builder::new()
        .name("timer".to_owned())
        .spawn(move || {
            // Nothing is ever sent: this ends by time or because the future was dropped.
            let _ = gives_up.recv_timeout(time);
            drop(over);
        });
    Box::pin(async move {
        let _given_up = given_up;
        // Without a thread there is no waiting, so the time is over at once.
        if spawned.is_ok() {
            let _ = elapsed.recv().await;
        }
    })
}

async fn run(
    request: AdminRequest,
    directory: &DirectoryHandle,
    engine: &mut Engine,
) -> Result<AdminReply, Failure> {
    match request {
        AdminRequest::Ping => {}
        AdminRequest::AccountAdd {
            name,
            password,
            quota,
        } => {
            add(directory, engine, name, password, quota).await?;
        }
        AdminRequest::AccountImport { accounts } => {
            let outcomes = import(directory, engine, accounts).await?;
            return Ok(AdminReply::Imported { outcomes });
        }
        AdminRequest::AccountList { domain, after } => {
            let entries = directory.list(ListRange { domain, after }).await?;
            return Ok(AdminReply::Accounts {
                accounts: entries.into_iter().map(line).collect(),
            });
        }
        AdminRequest::AccountDelete { name } => {
            let account = directory.mark_deleted(&name).await?;
            let reason = "the account was deleted".to_owned();
            engine.end_sessions(account.id, reason).await?;
            finish_delete(directory, engine, account.id).await?;
        }
        AdminRequest::AccountPassword { name, password } => {
            patiently(engine, || {
                directory.set_secret(&name, Secret::Password(password.clone()))
            })
            .await?;
        }
        AdminRequest::AccountQuota { name, quota } => {
            let account = directory.set_quota(&name, quota).await?;
            engine.set_quota(account.id, quota).await?;
        }
        AdminRequest::DomainAdd { name, template } => {
            directory.domain_add(&name, template).await?;
        }
        AdminRequest::DomainList => {
            return Ok(AdminReply::Domains {
                domains: directory.domain_list().await?,
            });
        }
        AdminRequest::DomainDelete { name } => directory.domain_delete(&name).await?,
    }
    Ok(AdminReply::Done)
}

async fn add(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    name: String,
    password: Password,
    quota: Quota,
) -> Result<(), Failure> {
    let new = NewAccount {
        name,
        secret: Secret::Password(password),
        quota,
    };
    let reserved = patiently(engine, || directory.prepare_add(new.clone())).await?;
    if let Err(failure) = finish_add(directory, engine, &reserved).await {
        abandon(directory, engine, reserved.id).await;
        return Err(failure);
    }
    Ok(())
}

/// Adds all accounts of one request: one transaction, then the engine with many in flight, then one
/// transaction more.
async fn import(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    accounts: Vec<ImportAccount>,
) -> Result<Vec<ImportOutcome>, Failure> {
    if accounts.len() > IMPORT_ACCOUNTS_MAX {
        return Err(Failure::Import);
    }
    let new = |account: ImportAccount| NewAccount {
        name: account.name,
        secret: Secret::Hash(account.hash),
        quota: account.quota,
    };
    let reserved = directory
        .prepare_import(accounts.into_iter().map(new).collect())
        .await?;
    let ready: Vec<&Reserved> = reserved.iter().flatten().collect();
    let mut made = engine.create_accounts(&ready).await.into_iter();
    let mut outcomes = Vec::with_capacity(reserved.len());
    let mut committed = Vec::new();
    for account in &reserved {
        let made = account.as_ref().map(|reserved| (reserved.id, made.next()));
        outcomes.push(match made {
            Ok((id, Some(Ok(())))) => {
                committed.push(id);
                ImportOutcome::Added
            }
            Ok((id, failed)) => {
                abandon(directory, engine, id).await;
                let reason = failed.and_then(Result::err);
                ImportOutcome::Refused(reason.unwrap_or_else(|| "no answer".to_owned()))
            }
            Err(error) => ImportOutcome::Refused(error.to_string()),
        });
    }
    directory.commit_add(committed).await?;
    Ok(outcomes)
}

async fn finish_add(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    reserved: &Reserved,
) -> Result<(), Failure> {
    let made = engine.create_accounts(&[reserved]).await;
    made.into_iter()
        .collect::<Result<(), String>>()
        .map_err(Failure::Engine)?;
    Ok(directory.commit_add(vec![reserved.id]).await?)
}

async fn finish_delete(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    id: AccountId,
) -> Result<(), Failure> {
    engine.delete_account(id).await?;
    Ok(directory.remove(id).await?)
}

/// Undoes an addition that failed. Whether the engine knows the account is not known, so it is told
/// to forget it first. What fails here too is finished at the next start.
async fn abandon(directory: &DirectoryHandle, engine: &mut Engine, id: AccountId) {
    if let Err(failure) = finish_delete(directory, engine, id).await {
        tracing::warn!(%failure, account = %id, "an addition is undone at the next start");
    }
}

/// Tries again while the directory is busy: an administrator may wait where a client may not.
async fn patiently<T, F: Future<Output = Result<T, ChangeError>>>(
    engine: &Engine,
    mut attempt: impl FnMut() -> F,
) -> Result<T, ChangeError> {
    for _ in 0..BUSY_ATTEMPTS_MAX {
        match attempt().await {
            Err(ChangeError::Busy) => engine.pause(BUSY_PAUSE).await,
            outcome => return outcome,
        }
    }
    Err(ChangeError::Busy)
}

impl Engine {
    async fn create_accounts(&mut self, accounts: &[&Reserved]) -> Vec<Result<(), String>> {
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

    async fn delete_account(&mut self, id: AccountId) -> Result<(), Failure> {
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

    async fn end_sessions(&mut self, id: AccountId, reason: String) -> Result<(), Failure> {
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

    async fn set_quota(&mut self, id: AccountId, quota: Quota) -> Result<(), Failure> {
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

    async fn pause(&self, time: Duration) {
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

async fn ask_shards(
    jobs: &Sender<ShardJob>,
    sleep: Sleep,
    job: impl FnOnce(JobReply) -> ShardJob,
) -> Result<(), Failure> {
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

fn line(entry: AccountEntry) -> AccountLine {
    AccountLine {
        name: entry.name.to_string(),
        id: entry.id.to_string(),
        state: entry.state,
        quota: entry.quota,
        created_s: entry.created_s,
    }
}
