//! The side threads: one that owns the database, several that check passwords.

use std::collections::HashMap;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use arc_swap::ArcSwap;
use async_channel::{Receiver, Sender, WeakSender};

use crate::account::{Account, State};
use crate::alerts::AlertSet;
use crate::cache::LoginCache;
use crate::database::Database;
use crate::error::AuthError;
use crate::external::External;
use crate::hash::StoredHash;
use crate::name::AccountName;
use crate::names::KnownNames;
use crate::password::Password;
use crate::route::RouteTable;
use crate::settings::Settings;
use crate::throttle::Throttle;

/// A job for a thread that has an `S`.
pub(crate) type Job<S> = Box<dyn FnOnce(&mut S) + Send>;
/// A job for the thread that owns the database.
pub(crate) type StoreJob = Job<Database>;
/// A job for any of the hashing threads.
pub(crate) type HashJob = Job<Hasher>;

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) default_domain: String,
    pub(crate) cache: LoginCache,
    pub(crate) names: KnownNames,
    pub(crate) throttle: Throttle,
    /// Swapped at a change; whoever follows a name holds one table all the way.
    pub(crate) routes: ArcSwap<RouteTable>,
    /// Nobody's hash, checked where there is no account, so that both take the same time.
    pub(crate) decoy: StoredHash,
    /// What holds for each domain; replaced as a whole by the thread that owns the database.
    pub(crate) domains: ArcSwap<HashMap<String, Arc<Settings>>>,
    /// A back end that has accounts beside the database, if there is one.
    pub(crate) external: OnceLock<Arc<External>>,
    /// Alerts of domains and of the server; replaced likewise.
    pub(crate) alerts: ArcSwap<AlertSet>,
}

impl Shared {
    /// Reads the alerts anew, as [`Self::reload_domains`] does the domains.
    pub(crate) fn reload_alerts(&self, database: &Database) {
        match database.alerts() {
            Ok(alerts) => self.alerts.store(Arc::new(alerts)),
            Err(error) => tracing::error!(%error, "the directory's alerts cannot be read"),
        }
    }

    /// Reads the domains anew. If that fails, what was known stays, and the trace says so.
    pub(crate) fn reload_domains(&self, database: &Database) {
        match database.all_domain_settings() {
            Ok(domains) => self.domains.store(Arc::new(domains)),
            Err(error) => tracing::error!(%error, "the directory's domains cannot be read"),
        }
        // Which addresses are another system's depends on them.
        match database.route_table() {
            Ok(table) => self.routes.store(Arc::new(table)),
            Err(error) => tracing::error!(%error, "the routing table cannot be read"),
        }
    }
}

/// What one hashing thread has.
pub(crate) struct Hasher {
    pub(crate) shared: Arc<Shared>,
    pub(crate) database: Database,
    /// Weak, so that the threads end when the last handle is gone.
    pub(crate) store: WeakSender<StoreJob>,
    pub(crate) waiting: Receiver<HashJob>,
}

/// Someone who wants to log in.
pub(crate) struct Login {
    /// `None` if what the client sent is no name at all.
    pub(crate) name: Option<AccountName>,
    pub(crate) password: Password,
    pub(crate) remote: IpAddr,
}

/// Runs jobs until the queue is closed and empty. A job that panics is traced and forgotten; its
/// caller learns that the directory is not available.
pub(crate) fn run<S>(jobs: Receiver<Job<S>>, mut state: S) {
    while let Ok(job) = jobs.recv_blocking() {
        if catch_unwind(AssertUnwindSafe(|| job(&mut state))).is_err() {
            tracing::error!("a job of the directory panicked");
        }
    }
}

impl Hasher {
    /// Checks a login, answers, and then replaces a weak hash if nobody waits.
    pub(crate) fn login(&mut self, login: &Login, reply: &Sender<Result<Account, AuthError>>) {
        match self.authenticate(login) {
            Ok((account, weak)) => {
                let id = account.id;
                // The caller may be gone; the login was counted all the same.
                let _ = reply.try_send(Ok(account));
                if let Some(old) = weak.filter(|_| self.waiting.is_empty()) {
                    self.upgrade(id, old, &login.password);
                }
            }
            Err(error) => {
                let _ = reply.try_send(Err(error));
            }
        }
    }

    /// The account, and its hash if that is to be replaced.
    fn authenticate(&self, login: &Login) -> Result<(Account, Option<StoredHash>), AuthError> {
        let Login {
            name,
            password,
            remote,
        } = login;
        let Some(name) = name else {
            self.shared.decoy.verify(password);
            self.shared.throttle.failed(None, *remote, Instant::now());
            return Err(AuthError::BadCredentials);
        };
        let found = self.locate(name, *remote)?;
        if found.may_log_in()
            && let Some(account) = self.shared.cache.get(&found.name, password)
        {
            return Ok((account, None));
        }
        let began = self.shared.cache.begin(&found.name);
        // What was found before may have changed before this.
        let found = self.locate(name, *remote)?;
        let is_right = match &found.known {
            Some(known) => known.secret.verify(password),
            None => false,
        };
        let was_fast = found
            .known
            .as_ref()
            .is_none_or(|known| !is_right && !known.secret.is_argon2());
        if was_fast {
            self.shared.decoy.verify(password);
        }
        let known = self.concluded(found, is_right, *remote)?;
        if !self.shared.cache.insert(began, &known.account, password) {
            // Something changed while the hash was computed; was it this account?
            let is_same = self.find(&known.account.name)?.is_some_and(|again| {
                again.state == State::Active && again.secret.as_str() == known.secret.as_str()
            });
            if !is_same {
                return Err(AuthError::BadCredentials);
            }
        }
        let weak = known.secret.wants_upgrade().then_some(known.secret);
        Ok((known.account, weak))
    }

    /// Whether the password is that of one of these secrets; takes at least the time of a check
    /// against a hash of our own.
    pub(crate) fn is_one_of(&self, secrets: &[StoredHash], password: &Password) -> bool {
        let is_good = secrets.iter().any(|secret| secret.verify(password));
        if !is_good && !secrets.iter().any(StoredHash::is_argon2) {
            self.shared.decoy.verify(password);
        }
        is_good
    }

    /// Best effort: where the queue is full, the next login tries again.
    fn upgrade(&self, id: crate::AccountId, old: StoredHash, password: &Password) {
        let (Some(new), Some(store)) = (StoredHash::of(password), self.store.upgrade()) else {
            return;
        };
        let job: StoreJob = Box::new(move |database| {
            // A failure is in the trace already.
            let _ = database.upgrade_secret(id, &old, &new);
        });
        let _ = store.try_send(job);
    }
}
