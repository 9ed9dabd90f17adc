//! The seam: what the rest of the server sees of the directory.

mod domains;
mod names;

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use async_channel::{Sender, TrySendError, bounded};

use crate::account::{
    Account, AccountEntry, AccountId, ListRange, NewAccount, Pending, Quota, Reserved, Secret,
    State,
};
use crate::cache::LoginCache;
use crate::database::{Database, Prepared, unavailable};
use crate::error::{AuthError, ChangeError, LookupError, NameError, OpenError};
use crate::hash::StoredHash;
use crate::limits::{
    HASH_QUEUE_JOBS_MAX, HASH_THREADS_MAX, IMPORT_BATCH_MAX, STORE_QUEUE_JOBS_MAX,
};
use crate::name::{AccountName, canonical_domain};
use crate::names::KnownNames;
use crate::password::Password;
use crate::route::Route;
use crate::template::Template;
use crate::throttle::{Throttle, Verdict};
use crate::worker::{HashJob, Hasher, Job, Login, Shared, StoreJob, run};

mod alerts;
mod routes;

pub use routes::{Destination, RouteTest, UnknownNames};

/// How to open the directory.
#[derive(Clone, Debug)]
pub struct Options {
    /// The database file, `directory.sqlite` in the data directory.
    pub path: PathBuf,
    /// The domain of names without one. Added if it does not exist.
    pub default_domain: String,
    /// What new accounts start with, where their domain says nothing else.
    pub template: Template,
    /// Threads that check passwords; one per core is right.
    pub hash_threads: usize,
    /// Failed logins per account and client network in a minute; `None` is no bound.
    pub failures_per_minute_max: Option<u32>,
}

/// The open directory with its threads. Keep it where the process ends, and hand out
/// [`Directory::handle`].
pub struct Directory {
    handle: DirectoryHandle,
    threads: Vec<JoinHandle<()>>,
    /// Of the back end, if there is one.
    pub(crate) executor: Option<tokio::runtime::Runtime>,
}

/// Talks to the directory from any thread and any executor. To give up waiting, drop the future;
/// a job that has not begun by then is skipped.
#[derive(Clone)]
pub struct DirectoryHandle {
    shared: Arc<Shared>,
    store: Sender<StoreJob>,
    hashing: Sender<HashJob>,
}

impl Directory {
    /// Opens or creates the database and starts the threads. Blocks for as long as that takes.
    pub fn open(options: &Options) -> Result<Self, OpenError> {
        let default_domain =
            canonical_domain(&options.default_domain).map_err(OpenError::DefaultDomain)?;
        let database = Database::open(&options.path, &default_domain, options.template.clone())?;
        let no_randomness = || OpenError::System(std::io::Error::other("no randomness"));
        let mut nobody = [0; 16];
        getrandom::fill(&mut nobody).map_err(|_| no_randomness())?;
        let shared = Arc::new(Shared {
            default_domain,
            cache: LoginCache::new().map_err(|_| no_randomness())?,
            names: KnownNames::default(),
            throttle: Throttle::new(options.failures_per_minute_max),
            routes: ArcSwap::from_pointee(database.route_table().map_err(|source| {
                OpenError::Database {
                    path: options.path.clone(),
                    source,
                }
            })?),
            decoy: StoredHash::of(&Password::new(nobody)).ok_or_else(no_randomness)?,
            domains: ArcSwap::default(),
            external: OnceLock::new(),
            alerts: ArcSwap::default(),
        });
        shared.reload_domains(&database);
        shared.reload_alerts(&database);
        let (store, store_jobs) = bounded(STORE_QUEUE_JOBS_MAX);
        let (hashing, hash_jobs) = bounded(HASH_QUEUE_JOBS_MAX);
        let mut threads = Vec::new();
        for number in 0..options.hash_threads.clamp(1, HASH_THREADS_MAX) {
            let hasher = Hasher {
                shared: shared.clone(),
                database: Database::open_reader(&options.path)?,
                store: store.downgrade(),
                waiting: hash_jobs.clone(),
            };
            let jobs = hash_jobs.clone();
            threads.push(spawn(format!("directory-h{number}"), move || {
                run(jobs, hasher)
            })?);
        }
        threads.push(spawn("directory".to_owned(), move || {
            run(store_jobs, database)
        })?);
        Ok(Self {
            handle: DirectoryHandle {
                shared,
                store,
                hashing,
            },
            threads,
            executor: None,
        })
    }

    /// A handle to talk to the directory; clone it freely.
    pub fn handle(&self) -> DirectoryHandle {
        self.handle.clone()
    }

    /// Finishes what was asked and ends the threads. Later requests hear that the directory is not
    /// available. Blocks for as long as that takes.
    pub fn close(self) {
        if let Some(executor) = self.executor {
            // What waits for a back end is given up; it is finished at the next start.
            executor.shutdown_background();
        }
        self.handle.hashing.close();
        self.handle.store.close();
        for thread in self.threads {
            // A thread that panicked outside a job has said so in the trace.
            let _ = thread.join();
        }
    }
}

/// Logging in and finding accounts.
impl DirectoryHandle {
    /// The canonical name for what a client or an administrator wrote.
    pub fn resolve(&self, name: &str) -> Result<AccountName, NameError> {
        AccountName::parse(name, &self.shared.default_domain)
    }

    /// The domain of names without one.
    pub fn default_domain(&self) -> &str {
        &self.shared.default_domain
    }

    /// How long a login should wait before it is looked at: its network or its account had many
    /// failures lately. Takes about a microsecond and never blocks.
    pub fn login_delay(&self, name: &str, remote: IpAddr) -> Duration {
        let name = self.resolve(name).ok();
        let now = Instant::now();
        self.shared.throttle.delay(name.as_ref(), remote, now)
    }

    /// The account, if this very login was good lately. Takes about a microsecond and never blocks,
    /// so a shard may call it; `None` says nothing, [`Self::authenticate`] does.
    pub fn try_cached(&self, name: &str, password: &Password, remote: IpAddr) -> Option<Account> {
        let name = self.resolve(name).ok()?;
        self.try_cached_name(&name, password, remote)
    }

    fn try_cached_name(
        &self,
        name: &AccountName,
        password: &Password,
        remote: IpAddr,
    ) -> Option<Account> {
        if !password.is_admissible() {
            return None;
        }
        let Route::Local(name) = self.shared.routes.load().route(name).route else {
            return None;
        };
        let verdict = self
            .shared
            .throttle
            .try_verdict(&name, remote, Instant::now())?;
        match verdict {
            Verdict::Open => self.shared.cache.try_get(&name, password),
            Verdict::Closed => None,
        }
    }

    /// Checks a name and a password: at once if the same login was good lately, else on a hashing
    /// thread. A wrong name takes as long as a wrong password.
    pub async fn authenticate(
        &self,
        name: &str,
        password: Password,
        remote: IpAddr,
    ) -> Result<Account, AuthError> {
        if !password.is_admissible() {
            return Err(AuthError::BadCredentials);
        }
        let name = self.resolve(name).ok();
        if let Some(name) = &name
            && let Some(account) = self.try_cached_name(name, &password, remote)
        {
            return Ok(account);
        }
        let login = Login {
            name,
            password,
            remote,
        };
        match self.shared.external.get() {
            Some(external) => self.authenticate_external(external, login).await,
            None => self.authenticate_here(login).await,
        }
    }

    /// Checks a login against the database.
    pub(crate) async fn authenticate_here(&self, login: Login) -> Result<Account, AuthError> {
        let (reply, answer) = bounded(1);
        let job: HashJob = Box::new(move |hasher| {
            if !reply.is_closed() {
                hasher.login(&login, &reply);
            }
        });
        match self.hashing.try_send(job) {
            Ok(()) => answer.recv().await.unwrap_or(Err(AuthError::Unavailable)),
            Err(TrySendError::Full(_)) => Err(AuthError::Busy),
            Err(TrySendError::Closed(_)) => Err(AuthError::Unavailable),
        }
    }

    /// The account with exactly this name, whatever the routing table says: at once if it was found
    /// lately, else from the database. Accounts that are being added or deleted are not there, nor
    /// is what is no name.
    pub async fn lookup(&self, name: &str) -> Result<Option<Account>, LookupError> {
        let Ok(name) = self.resolve(name) else {
            return Ok(None);
        };
        self.account(&name).await
    }

    /// The active account with exactly this name.
    pub(crate) async fn account(&self, name: &AccountName) -> Result<Option<Account>, LookupError> {
        if let Some(account) = self.shared.cache.try_known(name) {
            return Ok(Some(account));
        }
        match self.shared.external.get() {
            Some(external) => self.lookup_external(external, name.clone()).await,
            None => self.lookup_here(name.clone()).await,
        }
    }

    /// Finds an account in the database.
    pub(crate) async fn lookup_here(
        &self,
        name: AccountName,
    ) -> Result<Option<Account>, LookupError> {
        let shared = self.shared.clone();
        self.read(move |database| {
            let found = database.find(&name)?;
            let active = found.filter(|known| known.state == State::Active);
            let account = active.map(|known| known.account);
            if let Some(account) = &account {
                shared.cache.insert_known(account);
            }
            Ok(account)
        })
        .await
    }

    /// A page of accounts; an empty one is the end.
    pub async fn list(&self, range: ListRange) -> Result<Vec<AccountEntry>, LookupError> {
        // What is no name cannot have been the last of a page: begin at the beginning.
        let after = range
            .after
            .as_deref()
            .and_then(|name| self.resolve(name).ok());
        self.read(move |database| database.list(&range, after.as_ref()))
            .await
    }

    /// What a crash left half done; to be finished before the server serves.
    pub async fn pending(&self) -> Result<Vec<Pending>, LookupError> {
        self.read(|database| database.pending()).await
    }

    /// The domains, in order.
    pub async fn domain_list(&self) -> Result<Vec<String>, LookupError> {
        self.read(|database| database.domain_list()).await
    }
}

/// Changing accounts and domains. Each is durable when it returns. Whatever came of a change, what
/// was remembered of the account is forgotten: of a commit that failed nobody knows.
impl DirectoryHandle {
    /// Takes the name and an id for a new account that nobody sees yet.
    pub async fn prepare_add(&self, new: NewAccount) -> Result<Reserved, ChangeError> {
        let name = self.resolve(&new.name)?.for_new()?;
        let secret = self.stored(new.secret).await?;
        let prepared = Prepared {
            name,
            secret,
            quota: new.quota,
        };
        let outcomes = self
            .write(move |database, _| database.reserve(vec![prepared]))
            .await?;
        outcomes
            .into_iter()
            .next()
            .unwrap_or(Err(ChangeError::Unavailable))
    }

    /// The same for many at once, in one transaction. Outcomes are in the order of the accounts;
    /// one that is refused does not hinder the others.
    pub async fn prepare_import(
        &self,
        accounts: Vec<NewAccount>,
    ) -> Result<Vec<Result<Reserved, ChangeError>>, ChangeError> {
        if accounts.len() > IMPORT_BATCH_MAX {
            return Err(ChangeError::TooLarge("too many accounts in one batch"));
        }
        let mut outcomes = Vec::with_capacity(accounts.len());
        let mut prepared = Vec::with_capacity(accounts.len());
        for new in accounts {
            match self.resolve(&new.name).and_then(AccountName::for_new) {
                Ok(name) => {
                    let secret = self.stored(new.secret).await?;
                    prepared.push(Prepared {
                        name,
                        secret,
                        quota: new.quota,
                    });
                    outcomes.push(None);
                }
                Err(error) => outcomes.push(Some(Err(error.into()))),
            }
        }
        let reserved = self
            .write(move |database, _| database.reserve(prepared))
            .await?;
        let mut reserved = reserved.into_iter();
        let missing = || Err(ChangeError::Unavailable);
        let fill =
            |outcome: Option<_>| outcome.unwrap_or_else(|| reserved.next().unwrap_or_else(missing));
        Ok(outcomes.into_iter().map(fill).collect())
    }

    /// Makes prepared accounts visible, once the engine knows them. May be repeated.
    pub async fn commit_add(&self, ids: Vec<AccountId>) -> Result<(), ChangeError> {
        self.write(move |database, _| database.commit(&ids)).await
    }

    /// Closes an account: from here on no login and no mail. May be repeated.
    pub async fn mark_deleted(&self, name: &str) -> Result<Account, ChangeError> {
        let name = self.resolve(name)?;
        self.write(move |database, shared| {
            let marked = database.mark_deleted(&name);
            shared.cache.invalidate(&name);
            if let Ok(account) = &marked {
                shared.names.remove(account.id);
            }
            marked
        })
        .await
    }

    /// Removes an account that was marked deleted, or a prepared one that came to nothing. May be
    /// repeated.
    pub async fn remove(&self, id: AccountId) -> Result<(), ChangeError> {
        self.write(move |database, _| database.remove(id)).await
    }

    /// Sets a new password or hash. The old one is refused from here on.
    pub async fn set_secret(&self, name: &str, secret: Secret) -> Result<(), ChangeError> {
        let name = self.resolve(name)?;
        let secret = self.stored(secret).await?;
        self.write(move |database, shared| {
            if database.is_local(&name).map_err(unavailable)? == Some(false) {
                return Err(ChangeError::KeptElsewhere);
            }
            let set = database.set_secret(&name, &secret);
            shared.cache.invalidate(&name);
            set
        })
        .await
    }

    /// Sets what an account may hold. The engine enforces it; tell it too.
    pub async fn set_quota(&self, name: &str, quota: Quota) -> Result<Account, ChangeError> {
        let name = self.resolve(name)?;
        self.write(move |database, shared| {
            let set = database.set_quota(&name, quota);
            shared.cache.invalidate(&name);
            set
        })
        .await
    }

    /// The hash of a secret; a password is hashed on a hashing thread.
    async fn stored(&self, secret: Secret) -> Result<StoredHash, ChangeError> {
        let password = match secret {
            Secret::Hash(hash) => return Ok(hash),
            Secret::Password(password) => password,
        };
        if !password.is_admissible() {
            return Err(ChangeError::Password);
        }
        let hash = ask(&self.hashing, move |_: &mut Hasher| {
            StoredHash::of(&password)
        })
        .await?;
        hash.ok_or(ChangeError::Unavailable)
    }

    /// Runs a job on a hashing thread.
    pub(crate) async fn hash<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Hasher) -> T + Send + 'static,
    ) -> Result<T, LookupError> {
        ask(&self.hashing, job).await
    }

    /// What all threads share.
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    pub(crate) async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Database) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LookupError> {
        let answer = ask(&self.store, move |database: &mut Database| job(database)).await?;
        answer.map_err(|error| {
            unavailable(error);
            LookupError::Unavailable
        })
    }

    pub(crate) async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Database, &Shared) -> Result<T, ChangeError> + Send + 'static,
    ) -> Result<T, ChangeError> {
        let shared = self.shared.clone();
        ask(&self.store, move |database: &mut Database| {
            job(database, &shared)
        })
        .await?
    }
}

/// Puts a job into a queue and awaits its answer.
async fn ask<S: 'static, T: Send + 'static>(
    queue: &Sender<Job<S>>,
    job: impl FnOnce(&mut S) -> T + Send + 'static,
) -> Result<T, LookupError> {
    let (reply, answer) = bounded(1);
    let job: Job<S> = Box::new(move |state| {
        if !reply.is_closed() {
            // The caller may go while the job runs; there is nobody to tell then.
            let _ = reply.try_send(job(state));
        }
    });
    match queue.try_send(job) {
        Ok(()) => answer.recv().await.map_err(|_| LookupError::Unavailable),
        Err(TrySendError::Full(_)) => Err(LookupError::Busy),
        Err(TrySendError::Closed(_)) => Err(LookupError::Unavailable),
    }
}

fn spawn(name: String, body: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, OpenError> {
    Builder::new()
        .name(name)
        .spawn(body)
        .map_err(OpenError::System)
}

mod groups;
#[cfg(test)]
mod tests;
