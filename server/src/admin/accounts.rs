//! Carries out what an administrator asks for: the directory's and the engine's steps in their
//! order, so that a crash between any two leaves something that [`finish_pending`] can finish.

use std::future::Future;
use std::time::Duration;

use async_channel::bounded;
use mail_directory::settings::{self, Scope, Settings, Written};
use mail_directory::{
    AccountEntry, AccountId, ChangeError, DirectoryHandle, ListRange, LookupError, NewAccount,
    Password, PendingStep, Quota, Reserved, Secret,
};

use super::alerts;
use super::engine::Engine;
use super::limits::{BUSY_ATTEMPTS_MAX, BUSY_PAUSE, IMPORT_ACCOUNTS_MAX};
use super::mailboxes;
use super::requests::{
    AccountLine, AdminReply, AdminRequest, ImportAccount, ImportOutcome, SettingLine,
};
use super::{certificate, routes};

/// Why a request failed; the text is for the administrator.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
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
            let accounts = entries.into_iter().map(line).collect();
            return Ok(AdminReply::Accounts { accounts });
        }
        AdminRequest::AccountDelete { name } => delete(directory, engine, &name).await?,
        AdminRequest::AccountPassword { name, password } => {
            patiently(engine, || {
                directory.set_secret(&name, Secret::Password(password.clone()))
            })
            .await?;
        }
        AdminRequest::AccountQuota { name, quota } => {
            let account = directory.set_quota(&name, quota).await?;
            engine.set_quota(account.id, quota).await?;
            alerts::check_quota(engine, &account).await;
        }
        AdminRequest::AccountSet { name, changes } => {
            let account = directory.set_account_settings(&name, changes).await?;
            alerts::check_quota(engine, &account).await;
        }
        AdminRequest::AccountShow { name } => {
            let (own, domain) = directory.account_settings(&name).await?;
            return Ok(setting_lines(&domain, &own, Scope::Domain));
        }
        AdminRequest::DomainSet { name, changes } => {
            directory.set_domain_settings(&name, changes).await?;
        }
        AdminRequest::DomainShow { name } => {
            let domain = directory.written_domain_settings(&name).await?;
            return Ok(setting_lines(&domain, &Written::new(), Scope::Account));
        }
        AdminRequest::DomainAdd { name, template } => {
            directory.domain_add(&name, template).await?;
        }
        AdminRequest::Alert(request) => return alerts::run(directory, engine, request).await,
        AdminRequest::DomainList => {
            let domains = directory.domain_list().await?;
            return Ok(AdminReply::Domains { domains });
        }
        AdminRequest::DomainDelete { name } => directory.domain_delete(&name).await?,
        AdminRequest::Mailbox { account, action } => {
            return mailboxes::execute(directory, engine, &account, action).await;
        }
        AdminRequest::AccountCertificate { name, certificate } => {
            certificate::set(directory, engine, &name, certificate).await?;
        }
        AdminRequest::RunningSet { every_s } => engine.set_running(every_s).await?,
        AdminRequest::Route(request) => return Ok(routes::run(directory, request).await?),
    }
    Ok(AdminReply::Done)
}

async fn delete(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    name: &str,
) -> Result<(), Failure> {
    let account = directory.mark_deleted(name).await?;
    let reason = "the account was deleted".to_owned();
    engine.end_sessions(account.id, reason).await?;
    finish_delete(directory, engine, account.id).await
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

fn setting_lines(domain: &Written, account: &Written, hidden: Scope) -> AdminReply {
    let settings = Settings::of(domain, account);
    let shown = settings.lines().filter(|(row, _)| row.scope != hidden);
    AdminReply::Settings {
        settings: shown
            .map(|(row, value)| SettingLine {
                key: row.key.to_owned(),
                value,
                origin: settings::origin(row, domain, account),
            })
            .collect(),
    }
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
