//! What a directory of accounts elsewhere must be able to do.
//!
//! The embedded database is always there: it keeps domains, settings and the id of every account.
//! A back end says, beside it, which names exist and how their owners prove themselves. An account
//! that a back end knows is made here at its first login or delivery; one that has vanished there
//! is refused, and stays here until an operator deletes it.

use std::future::Future;
use std::pin::Pin;

use crate::account::Quota;
use crate::hash::StoredHash;
use crate::name::AccountName;
use crate::password::Password;

/// What a back end says of one name.
#[derive(Clone, Debug)]
pub struct Entry {
    /// How its owner logs in.
    pub proof: Proof,
    /// What names the account for good, whatever becomes of its name: an entryUUID, a primary key.
    /// With `None` the name itself does.
    pub stable_id: Option<String>,
    /// What it may hold, if the back end says so; else what was set here stays.
    pub quota: Option<Quota>,
    /// Settings of the account, by key.
    pub settings: Vec<(String, String)>,
    /// A closed account gets no mail, and nobody logs in.
    pub enabled: bool,
}

/// How a login is checked.
#[derive(Clone, Debug)]
pub enum Proof {
    /// Against one of these.
    Secrets(Vec<StoredHash>),
    /// By the back end itself, to which the account is known under this name (a DN).
    Bind(String),
}

/// Why a back end has no answer. The texts are for the trace; no secret is in them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BackendError {
    /// It cannot be reached, does not answer, or refuses us.
    #[error("{0}")]
    Unavailable(String),
    /// It answers, but what it says of this account cannot be used.
    #[error("{0}")]
    Entry(String),
}

/// What a back end answers, later.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

/// A directory of accounts elsewhere. Its methods run on a side thread with tokio's executor, any
/// number at once; each bounds its connections. They may be dropped at any time.
pub trait Backend: Send + Sync + 'static {
    /// One word, the same for good: it goes into the database with the stable ids.
    fn kind(&self) -> &'static str;

    /// What there is under this name.
    fn find<'a>(&'a self, name: &'a AccountName) -> Answer<'a, Option<Entry>>;

    /// Whether this is the password of a [`Proof::Bind`]. It is never empty.
    fn bind<'a>(&'a self, who: &'a str, password: &'a Password) -> Answer<'a, bool>;
}
