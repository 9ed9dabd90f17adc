//! Accounts that a back end elsewhere has, served beside those of the database.
//!
//! ```text
//! login -> throttle -> the database: is it ours? -> else the back end: what is there of this name?
//!       -> a hashing thread, or the back end again: is the password right?
//!       -> the database: which account is that? -> if it is new: the engine, then the database
//! ```
//!
//! All of that is one task on a side thread, so a shard only waits for its end. It goes on when the
//! caller gives up. Names that many ask for at once are looked up once; how many wait is bounded,
//! and so is the time. Good logins and found names are remembered for a while, also while the back
//! end is down.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_channel::{Sender, bounded};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::account::{Account, Reserved, State};
use crate::backend::{Backend, BackendError, Entry, Proof};
use crate::database::adopt::{Adopted, Claim};
use crate::database::{Known, unavailable};
use crate::error::{AuthError, ChangeError, LookupError, OpenError};
use crate::handle::{Directory, DirectoryHandle};
use crate::hash::StoredHash;
use crate::limits::{
    CREATE_TIMEOUT, EXTERNAL_BLOCKING_THREADS_MAX, EXTERNAL_JOBS_MAX, FAILURE_STEP,
    STABLE_ID_BYTES_MAX,
};
use crate::name::AccountName;
use crate::password::Password;
use crate::throttle::Verdict;
use crate::worker::Login;

mod flights;
mod health;
mod locate;
mod missing;
pub mod passwd_file;

use flights::Flights;
use health::Health;
use locate::Whose;
use missing::Missing;

/// Has the engine make an account, and its answer sent where the second argument says; `false` if
/// it has no time for that.
pub type Creator = Box<dyn Fn(Reserved, Sender<Result<(), String>>) -> bool + Send + Sync>;

/// How accounts of a back end are served.
pub struct ExternalOptions {
    /// Where they come from.
    pub backend: Box<dyn Backend>,
    /// Makes new ones in the engine.
    pub create: Creator,
    /// How long the back end has for one answer.
    pub timeout: Duration,
    /// How long a good login and a found name are remembered.
    pub remembered: Duration,
}

/// The back end and what is known of it.
pub(crate) struct External {
    backend: Box<dyn Backend>,
    create: Creator,
    timeout: Duration,
    remembered: Duration,
    /// Of the side thread; the executor itself belongs to [`Directory`].
    executor: Handle,
    jobs: Arc<Semaphore>,
    flights: Flights,
    missing: Missing,
    health: Health,
}

impl Directory {
    /// Serves the accounts of a back end too, from here on. To be called once, before anybody logs
    /// in.
    pub fn attach(&mut self, options: ExternalOptions) -> Result<(), OpenError> {
        let executor = executor()?;
        let external = External {
            backend: options.backend,
            create: options.create,
            timeout: options.timeout,
            remembered: options.remembered,
            executor: executor.handle().clone(),
            jobs: Arc::new(Semaphore::new(EXTERNAL_JOBS_MAX)),
            flights: Flights::default(),
            missing: Missing::default(),
            health: Health::default(),
        };
        if self
            .handle()
            .shared()
            .external
            .set(Arc::new(external))
            .is_err()
        {
            let twice = std::io::Error::other("there is a back end already");
            return Err(OpenError::System(twice));
        }
        self.executor = Some(executor);
        Ok(())
    }
}

impl DirectoryHandle {
    /// [`DirectoryHandle::authenticate`] where there is a back end.
    pub(crate) async fn authenticate_external(
        &self,
        external: &Arc<External>,
        login: Login,
    ) -> Result<Account, AuthError> {
        let task = Task::new(self, external);
        let began = Instant::now();
        run(external, async move {
            let outcome = task.log_in(login).await;
            if outcome == Err(AuthError::BadCredentials) {
                // A back end takes its own time for names that it has and for others. All
                // failures end at the same few moments, so that nobody learns which those are.
                sleep(until_next_step(began.elapsed())).await;
            }
            outcome
        })
        .await
        .unwrap_or_else(|error| Err(error.into()))
    }

    /// [`DirectoryHandle::lookup`] where there is a back end.
    pub(crate) async fn lookup_external(
        &self,
        external: &Arc<External>,
        name: AccountName,
    ) -> Result<Option<Account>, LookupError> {
        let task = Task::new(self, external);
        run(external, async move { task.look_up(&name).await })
            .await
            .unwrap_or_else(Err)
    }
}

/// Runs work on the side thread and awaits its end.
async fn run<T: Send + 'static>(
    external: &External,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, LookupError> {
    let permit = external.jobs.clone().try_acquire_owned();
    let permit = permit.map_err(|_| LookupError::Busy)?;
    let (reply, answer) = bounded(1);
    external.executor.spawn(async move {
        // The caller may have given up; what was begun is finished all the same.
        let _ = reply.try_send(work.await);
        drop(permit);
    });
    // Without an answer the work panicked, or the executor has ended.
    answer.recv().await.map_err(|_| LookupError::Unavailable)
}

/// One request, on the side thread.
struct Task {
    directory: DirectoryHandle,
    external: Arc<External>,
}

impl Task {
    fn new(directory: &DirectoryHandle, external: &Arc<External>) -> Self {
        Self {
            directory: directory.clone(),
            external: external.clone(),
        }
    }

    async fn log_in(&self, login: Login) -> Result<Account, AuthError> {
        let shared = self.directory.shared();
        let name = match &login.name {
            Some(name) => name.clone(),
            None => return self.directory.authenticate_here(login).await,
        };
        let Whose::Theirs { name, entry, moved } = self.locate(&name).await? else {
            return self.directory.authenticate_here(login).await;
        };
        let verdict = shared.throttle.verdict(&name, login.remote, Instant::now());
        if verdict == Verdict::Closed {
            return Err(AuthError::Throttled);
        }
        if !self.is_proved(&entry, &login.password).await? {
            shared
                .throttle
                .failed(Some(&name), login.remote, Instant::now());
            return Err(AuthError::BadCredentials);
        }
        if let Some(address) = moved {
            shared
                .throttle
                .failed(Some(&name), login.remote, Instant::now());
            return Err(AuthError::Moved(address));
        }
        if !entry.enabled {
            return Err(AuthError::Disabled);
        }
        let began = shared.cache.begin(&name);
        let account = self.adopt(&name, &entry).await?;
        let account = account.ok_or(AuthError::Disabled)?;
        let until = Instant::now() + self.external.remembered;
        let password = &login.password;
        // A change came between: this login is good, the next one is checked again.
        let _ = shared.cache.insert_until(began, &account, password, until);
        Ok(account)
    }

    async fn look_up(&self, name: &AccountName) -> Result<Option<Account>, LookupError> {
        if self.is_local(name).await? {
            return self.directory.lookup_here(name.clone()).await;
        }
        let now = Instant::now();
        if self.external.missing.has(name, now) {
            return Ok(None);
        }
        let Some(entry) = self.find(name).await? else {
            self.external.missing.insert(name, now);
            return Ok(None);
        };
        if !entry.enabled {
            return Ok(None);
        }
        self.adopt(name, &entry).await
    }

    /// Whether the database alone decides about this name.
    async fn is_local(&self, name: &AccountName) -> Result<bool, LookupError> {
        let name = name.clone();
        let local = self
            .directory
            .read(move |database| database.is_local(&name));
        Ok(local.await?.unwrap_or(false))
    }

    /// What the back end has of this name; asked once for all who ask at the same time.
    async fn find(&self, name: &AccountName) -> Result<Option<Arc<Entry>>, LookupError> {
        let flight = self.external.flights.join(name);
        let found = flight.get_or_init(|| async {
            let entry = self.ask(self.external.backend.find(name)).await?;
            let entry = entry.map(Arc::new);
            let is_sound = |id: &String| !id.is_empty() && id.len() <= STABLE_ID_BYTES_MAX;
            let id = entry.as_ref().and_then(|entry| entry.stable_id.as_ref());
            if id.is_some_and(|id| !is_sound(id)) {
                tracing::warn!(%name, "the back end's stable id is empty or too long");
                return Err(LookupError::Unavailable);
            }
            Ok(entry)
        });
        let found = found.await.clone();
        self.external.flights.leave(name, &flight);
        found
    }

    async fn is_proved(&self, entry: &Entry, password: &Password) -> Result<bool, AuthError> {
        let secrets: &[StoredHash] = match &entry.proof {
            Proof::Bind(who) => {
                return Ok(self.ask(self.external.backend.bind(who, password)).await?);
            }
            Proof::Secrets(secrets) => secrets,
        };
        let (secrets, password) = (secrets.to_vec(), password.clone());
        let proved = self
            .directory
            .hash(move |hasher| hasher.is_one_of(&secrets, &password));
        Ok(proved.await?)
    }

    /// The account here that the entry is for, made if it is new; `None` if it is being deleted.
    async fn adopt(
        &self,
        name: &AccountName,
        entry: &Entry,
    ) -> Result<Option<Account>, LookupError> {
        let kind = self.external.backend.kind();
        let claim = Claim {
            name: name.clone(),
            stable_id: entry.stable_id.as_ref().map(|id| format!("{kind}:{id}")),
            quota: entry.quota,
            settings: entry.settings.clone(),
        };
        let until = Instant::now() + self.external.remembered;
        let adopted = self.directory.write(move |database, shared| {
            let adoption = database.adopt(&claim)?;
            adoption
                .changed
                .iter()
                .for_each(|name| shared.cache.invalidate(name));
            match &adoption.adopted {
                Adopted::Active(account) => shared.cache.insert_known_until(account, until),
                // Its domain may be new too.
                Adopted::Reserved(_) => shared.reload_domains(database),
                Adopted::Closed => {}
            }
            Ok(adoption.adopted)
        });
        match adopted.await {
            Ok(Adopted::Active(account)) => Ok(Some(account)),
            Ok(Adopted::Closed) => Ok(None),
            Ok(Adopted::Reserved(reserved)) => self.create(reserved).await,
            Err(error) => Err(unchanged(name, error)),
        }
    }

    /// Makes a reserved account known to the engine, then visible: the steps of an addition, which
    /// may be repeated and are finished at the next start if a crash comes between.
    async fn create(&self, reserved: Reserved) -> Result<Option<Account>, LookupError> {
        let (id, name) = (reserved.id, reserved.name.clone());
        let (reply, answer) = bounded(1);
        if !(self.external.create)(reserved, reply) {
            return Err(LookupError::Busy);
        }
        match timeout(CREATE_TIMEOUT, answer.recv()).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(reason))) => {
                tracing::warn!(%name, reason, "the engine did not make an account");
                return Err(LookupError::Unavailable);
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(%name, "the engine did not answer in time");
                return Err(LookupError::Unavailable);
            }
        }
        let committed = self.directory.commit_add(vec![id]).await;
        committed.map_err(|error| unchanged(&name, error))?;
        tracing::info!(%name, %id, "made for an account of the back end");
        let until = Instant::now() + self.external.remembered;
        let found = self.directory.write(move |database, shared| {
            let known = database.find(&name).map_err(unavailable)?;
            let is_it = |known: &Known| known.state == State::Active && known.account.id == id;
            let account = known.filter(is_it).map(|known| known.account);
            if let Some(account) = &account {
                shared.cache.insert_known_until(account, until);
            }
            Ok(account)
        });
        found.await.map_err(|_| LookupError::Unavailable)
    }

    /// Awaits an answer of the back end, within its time.
    async fn ask<T>(
        &self,
        answer: impl Future<Output = Result<T, BackendError>>,
    ) -> Result<T, LookupError> {
        let health = &self.external.health;
        if !health.may_ask(Instant::now()) {
            return Err(LookupError::Unavailable);
        }
        let reason = match timeout(self.external.timeout, answer).await {
            Ok(Ok(value)) => {
                health.answered();
                return Ok(value);
            }
            Ok(Err(BackendError::Entry(reason))) => {
                health.answered();
                tracing::warn!(reason, "the back end's answer cannot be used");
                return Err(LookupError::Unavailable);
            }
            Ok(Err(BackendError::Unavailable(reason))) => reason,
            Err(_) => "no answer in time".to_owned(),
        };
        health.failed(Instant::now(), &reason);
        Err(LookupError::Unavailable)
    }
}

/// One thread beside the shards for everything that waits for a back end, and a few for what the
/// system can only do by blocking (names of hosts, files).
fn executor() -> Result<Runtime, OpenError> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(EXTERNAL_BLOCKING_THREADS_MAX)
        .thread_name("directory-x")
        .enable_all()
        .build()
        .map_err(OpenError::System)
}

/// From here to the next whole number of steps since the beginning.
fn until_next_step(elapsed: Duration) -> Duration {
    let step = FAILURE_STEP.as_nanos();
    let over = elapsed.as_nanos() % step;
    let rest = u64::try_from(step.saturating_sub(over));
    rest.map_or(FAILURE_STEP, Duration::from_nanos)
}

/// An account that could not be kept here is not there for now.
fn unchanged(name: &AccountName, error: ChangeError) -> LookupError {
    match error {
        ChangeError::Busy => LookupError::Busy,
        error => {
            tracing::warn!(%name, %error, "an account of the back end cannot be taken over");
            LookupError::Unavailable
        }
    }
}

impl From<LookupError> for AuthError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Busy => Self::Busy,
            LookupError::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests;
