//! What accounts may hold, as the directory says it now: a quota that is changed holds for sessions
//! that are logged in and for deliveries under way from their next message on.

use futures_lite::future::poll_once;
use mail_directory::settings::{AccountKind, Administrator};
use mail_directory::{Account, LookupError};
use storage_engine::request::Limit;

use crate::limits::LIMIT_LOOKUP;
use crate::runtime::{Runtime, within};
use crate::session::{Location, Login, Session};
use crate::shard::Shard;

/// The engine's words for what an account may hold.
pub fn limit_of(account: &Account) -> Limit {
    Limit {
        bytes_max: account.quota.bytes,
        messages_max: account.quota.messages,
        alert_percent: account.settings.quota_alert_percent,
        mailboxes_max: mailboxes_max(account),
    }
}

/// Most mailboxes of the account, if there is a bound of its own.
pub fn mailboxes_max(account: &Account) -> Option<u32> {
    match account.settings.kind {
        AccountKind::Single => Some(1),
        AccountKind::Multi => account.settings.mailboxes_max,
    }
}

impl<R: Runtime> Shard<R> {
    /// What the account of this name may hold now. While the directory cannot say, what was known
    /// of it before holds: a back end that is down must not hold up who is logged in already.
    pub async fn limit_of(&self, name: &str, known: Limit) -> Limit {
        let mut lookup = Box::pin(self.directory().lookup(name));
        // Nearly always it is remembered, and no timer is needed.
        let found = match poll_once(&mut lookup).await {
            Some(found) => Some(found),
            None => within(self.runtime(), LIMIT_LOOKUP, lookup).await,
        };
        match found {
            Some(Ok(Some(account))) => limit_of(&account),
            Some(Ok(None) | Err(LookupError::Busy | LookupError::Unavailable)) | None => known,
        }
    }
}

impl<R: Runtime> Session<R> {
    /// What the account that has logged in may hold now.
    pub async fn limit(&self) -> Limit {
        match self.login() {
            Some(Login { name, limit, .. }) => self.shard.limit_of(name, *limit).await,
            None => Limit::default(),
        }
    }

    /// What the owner of a located mailbox may hold now.
    pub async fn limit_at(&self, location: &Location) -> Limit {
        match location.is_foreign() {
            // It was looked up when the name was.
            true => location.limit,
            false => self.limit().await,
        }
    }

    /// Whether who has logged in manages accounts, and whose.
    pub async fn administers(&self) -> Administers {
        let Some(login) = self.login() else {
            return Administers::Nobody;
        };
        match self.shard.directory().lookup(&login.name).await {
            Ok(Some(account)) => match account.settings.administrator {
                Administrator::No => Administers::Nobody,
                Administrator::Domain => Administers::Domain(account.name.domain().to_owned()),
                Administrator::Server => Administers::Everybody,
            },
            Ok(None) | Err(_) => Administers::Nobody,
        }
    }
}

/// Whose accounts somebody manages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Administers {
    /// Nobody's.
    Nobody,
    /// Those of this domain.
    Domain(String),
    /// All.
    Everybody,
}

impl Administers {
    /// Whether accounts of this domain are among them.
    pub fn has(&self, domain: &str) -> bool {
        match self {
            Administers::Nobody => false,
            Administers::Domain(own) => own == domain,
            Administers::Everybody => true,
        }
    }
}
