//! Where a mailbox name leads: to the session's own account, or to another's.
//!
//! Nobody may learn of an account or a mailbox that he has no rights to. So a name that leads
//! nowhere takes the way of one that does: the owner of an id that nobody has is asked, and what
//! comes back is the same refusal. What may differ is time, so these refusals leave at multiples of
//! [`limits::FOREIGN_REFUSAL_QUANTUM`] only.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use mail_directory::{Account, AccountName};
use storage_engine::account::validate_name;
use storage_engine::ids::AccountId;
use storage_engine::request::{Actor, Limit, Operation, Refusal, Reply};

use super::foreign::{ForeignName, domain_of};
use super::{Login, Session, State};
use crate::command::namespace::SEPARATOR;
use crate::limits;
use crate::quota::limit_of;
use crate::runtime::Runtime;
use crate::shard::Shard;

/// A mailbox name in the account that it belongs to.
#[derive(Debug, Clone)]
pub struct Location {
    /// The account that owns the mailbox.
    pub owner: AccountId,
    /// What this session is to the owner.
    pub actor: Actor,
    /// The owner's bounds.
    pub limit: Limit,
    /// The name in that account; empty for the root of another account.
    pub name: String,
    /// What the client has written before it.
    prefix: Option<String>,
    /// The owner's name, if it is another account.
    account: Option<String>,
    /// When it was asked for.
    since: Duration,
}

impl Location {
    fn own(login: &Login, name: &str) -> Self {
        Location {
            owner: login.account,
            actor: Actor::Owner,
            limit: login.limit,
            name: name.to_owned(),
            prefix: None,
            account: None,
            since: Duration::ZERO,
        }
    }

    /// Whether it is another account's.
    pub fn is_foreign(&self) -> bool {
        matches!(self.actor, Actor::Guest(_))
    }

    /// Whether both names are of one account, by what is written: the answer tells nothing of
    /// whether there is such an account.
    pub fn is_beside(&self, other: &Location) -> bool {
        self.account == other.account
    }

    /// A name of the owner's as this session's client knows it.
    pub fn shown<'n>(&self, name: &'n str) -> Cow<'n, str> {
        match &self.prefix {
            None => Cow::Borrowed(name),
            Some(prefix) => Cow::Owned(format!("{prefix}{SEPARATOR}{name}")),
        }
    }
}

impl<R: Runtime> Session<R> {
    /// Finds out where a name leads. Names that lead nowhere are not told from others here.
    pub async fn locate(&self, name: &str) -> Result<Location, Refusal> {
        let Some(login) = self.login() else {
            return Err(Refusal::NoSuchAccount);
        };
        let Some(foreign) = ForeignName::parse(name) else {
            return Ok(Location::own(login, name));
        };
        let mut location = self.locate_account(&foreign).await?;
        // A name that no mailbox can have is missing in every account, so that the owner's words
        // about such names tell nothing.
        if location.is_foreign() && validate_name(foreign.mailbox).is_err() {
            location.owner = nobody(foreign.account);
        }
        foreign.mailbox.clone_into(&mut location.name);
        Ok(location)
    }

    /// Finds out where the names of an account lead; the location is that of its root.
    pub async fn locate_account(&self, foreign: &ForeignName<'_>) -> Result<Location, Refusal> {
        let Some(login) = self.login() else {
            return Err(Refusal::NoSuchAccount);
        };
        let prefix = Some(foreign.prefix());
        let own = Location {
            prefix,
            ..Location::own(login, "")
        };
        let since = self.shard.runtime().now();
        let account = AccountName::parse(foreign.account, login.domain());
        let found = match &account {
            Ok(account) if account.as_str() == login.name => return Ok(own),
            Ok(account) => self.find_account(account).await,
            Err(_) => None,
        };
        let account = account.map_or_else(|_| foreign.account.to_owned(), |a| a.to_string());
        // Another name of an account may be of another domain than the account.
        let domain = found
            .as_ref()
            .map_or(domain_of(&account), |found| found.name.domain());
        let principal = self.principal(login, domain).await;
        let (owner, limit) = match &found {
            Some(found) => (AccountId(found.id.to_bytes()), limit_of(found)),
            None => (nobody(&account), Limit::default()),
        };
        // Another name of the account itself.
        if owner == login.account {
            return Ok(own);
        }
        Ok(Location {
            owner,
            actor: Actor::Guest(principal),
            limit,
            account: Some(account),
            since,
            ..own
        })
    }

    /// Asks the owner of a located name.
    pub async fn request_at(
        &self,
        location: &Location,
        operation: Operation,
    ) -> Result<Reply, Refusal> {
        self.asking_at(location, operation).await
    }

    /// As [`Session::request_at`], for who has something to do with the session meanwhile.
    pub fn asking_at(
        &self,
        location: &Location,
        operation: Operation,
    ) -> impl Future<Output = Result<Reply, Refusal>> + use<R> {
        let (shard, location) = (self.shard.clone(), location.clone());
        async move {
            let asked = shard.request(location.owner, location.actor.clone(), operation);
            match asked.await {
                Err(refusal) if location.is_foreign() => {
                    Err(hide(&shard, &location, refusal).await)
                }
                outcome => outcome,
            }
        }
    }

    /// Locates the name and asks its owner.
    pub async fn request_named(
        &self,
        name: &str,
        operation: impl Fn(String) -> Operation,
    ) -> Result<(Location, Reply), Refusal> {
        let location = self.locate(name).await?;
        let reply = self
            .request_at(&location, operation(location.name.clone()))
            .await?;
        Ok((location, reply))
    }

    /// Asks the owner of the selected mailbox.
    pub async fn request_selected(&self, operation: Operation) -> Result<Reply, Refusal> {
        let State::Selected(_, selected) = &self.state else {
            return Err(Refusal::NoSuchMailbox);
        };
        let (owner, actor) = (selected.key().account, selected.actor().clone());
        self.shard.request(owner, actor, operation).await
    }

    /// Waits until what is said about a foreign name that may not be there may leave.
    pub async fn keep_time(&self, location: &Location) {
        keep_time(&self.shard, location).await;
    }

    /// An account that the directory cannot look up at the moment is taken for a missing one: to
    /// tell the two apart would tell which accounts it remembers.
    async fn find_account(&self, name: &AccountName) -> Option<Account> {
        match self.shard.directory().lookup(name.as_str()).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(%error, "the account of a foreign mailbox was not looked up");
                None
            }
        }
    }
}

async fn keep_time<R: Runtime>(shard: &Shard<R>, location: &Location) {
    let runtime = shard.runtime();
    let taken = runtime.now().saturating_sub(location.since);
    runtime.sleep(rest_of_quantum(taken)).await;
}

/// One refusal for all that the session may not know.
async fn hide<R: Runtime>(shard: &Shard<R>, location: &Location, refusal: Refusal) -> Refusal {
    match refusal {
        // An account that cannot be read has not said whether there are rights.
        Refusal::NoSuchAccount | Refusal::NoSuchMailbox | Refusal::Unreadable => {
            keep_time(shard, location).await;
            Refusal::NoSuchMailbox
        }
        other => other,
    }
}

impl Login {
    /// The domain of the account.
    pub fn domain(&self) -> &str {
        domain_of(&self.name)
    }
}

/// An id for the name of an account that is not there. Ids are 128 random bits, so it is nobody's;
/// it is the same each time, and spread over the shards like others.
fn nobody(name: &str) -> AccountId {
    let half = |number: u8| {
        let mut hasher = DefaultHasher::new();
        (number, name).hash(&mut hasher);
        hasher.finish().to_le_bytes()
    };
    let mut id = [0; 16];
    let halves = half(0).into_iter().chain(half(1));
    for (to, from) in id.iter_mut().zip(halves) {
        *to = from;
    }
    AccountId(id)
}

/// How long to wait until the next multiple of the quantum.
fn rest_of_quantum(taken: Duration) -> Duration {
    let quantum = limits::FOREIGN_REFUSAL_QUANTUM.as_nanos();
    let rest = quantum - taken.as_nanos() % quantum;
    u64::try_from(rest).map_or(Duration::ZERO, Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_leave_at_multiples_of_the_quantum() {
        let quantum = limits::FOREIGN_REFUSAL_QUANTUM;
        for taken in [
            Duration::ZERO,
            Duration::from_nanos(1),
            quantum / 2,
            quantum,
            quantum * 7 / 2,
        ] {
            let all = taken + rest_of_quantum(taken);
            assert_eq!(all.as_nanos() % quantum.as_nanos(), 0, "{taken:?}");
            assert!(all > taken && all <= taken + quantum, "{taken:?}");
        }
    }

    #[test]
    fn ids_of_nobody_are_steady_and_spread_over_shards() {
        assert_eq!(nobody("a"), nobody("a"));
        let shards: std::collections::BTreeSet<usize> = (0..64)
            .map(|n| nobody(&format!("n{n}")).slice().shard(4))
            .collect();
        assert_eq!(shards.len(), 4);
    }
}
