//! The routing table: changing it, and asking it where mail goes.

use crate::account::Account;
use crate::database::Database;
use crate::error::{ChangeError, LookupError};
use crate::name::AccountName;
use crate::route::{ExternalAddress, Route, RouteRecord, RouteSource, RouteTarget, Routing};
use crate::worker::Shared;

use super::{DirectoryHandle, unavailable};

/// Where mail for a name goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// Into this account.
    Account(Account),
    /// Away; this is the new address.
    Moved(ExternalAddress),
    /// Nowhere; the administrator says this about it.
    Rejected(std::sync::Arc<str>),
    /// Nobody has the name.
    Nobody,
}

/// What becomes of names that no account has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownNames {
    /// Nobody has them.
    Refuse,
    /// They go where the record of their domain says, if there is one.
    Reroute,
}

/// What a name comes to, for the administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTest {
    /// The names that records led on from.
    pub via: Vec<String>,
    /// Where it ends.
    pub destination: Destination,
    /// It was given up: the records lead in a circle.
    pub is_circle: bool,
}

impl DirectoryHandle {
    /// Where mail for this name goes: by the records of the name and of its domain, and then to the
    /// account of the name that they lead to.
    pub async fn destination(
        &self,
        name: &str,
        unknown: UnknownNames,
    ) -> Result<Destination, LookupError> {
        let Ok(name) = self.resolve(name) else {
            return Ok(Destination::Nobody);
        };
        Ok(self.follow(&name, unknown).await?.0)
    }

    /// The whole way of a name, names that no account has included.
    pub async fn route_test(&self, name: &str) -> Result<RouteTest, ChangeError> {
        let name = self.resolve(name)?;
        let (destination, routing) = self.follow(&name, UnknownNames::Reroute).await?;
        Ok(RouteTest {
            is_circle: routing.is_circle(),
            via: routing.via.iter().map(AccountName::to_string).collect(),
            destination,
        })
    }

    /// Adds a record, or replaces the one of the same source. In a target, a name without a domain
    /// is one of the source's.
    pub async fn route_set(&self, source: &str, target: &str) -> Result<(), ChangeError> {
        let source = RouteSource::parse(source, self.default_domain())?;
        let target = RouteTarget::parse(target, source.domain())?;
        let record = RouteRecord { source, target };
        self.write(move |database, shared| {
            database.route_set(&record)?;
            read_routes(database, shared)
        })
        .await
    }

    /// Removes the record of a source.
    pub async fn route_remove(&self, source: &str) -> Result<(), ChangeError> {
        let source = RouteSource::parse(source, self.default_domain())?;
        self.write(move |database, shared| {
            database.route_remove(&source)?;
            read_routes(database, shared)
        })
        .await
    }

    /// A page of records in the order of their sources, from the one after `after`; an empty one is
    /// the end.
    pub async fn route_list(&self, after: &str) -> Result<Vec<RouteRecord>, LookupError> {
        let after = after.to_owned();
        self.read(move |database| database.route_list(&after)).await
    }

    async fn follow(
        &self,
        name: &AccountName,
        unknown: UnknownNames,
    ) -> Result<(Destination, Routing), LookupError> {
        // One table for the whole way: a change in between could not make it endless, but odd.
        let table = self.shared.routes.load_full();
        let mut routing = table.route(name);
        loop {
            let destination = match &routing.route {
                Route::Local(name) => match self.account(name).await? {
                    Some(account) => Destination::Account(account),
                    None if unknown == UnknownNames::Refuse => Destination::Nobody,
                    None => {
                        routing = table.reroute_unknown(routing);
                        continue;
                    }
                },
                Route::External(address) => Destination::Moved(address.clone()),
                Route::Rejected(text) => Destination::Rejected(text.clone()),
                Route::Unknown => Destination::Nobody,
            };
            return Ok((destination, routing));
        }
    }
}

/// Puts the table into force as the database now has it.
fn read_routes(database: &Database, shared: &Shared) -> Result<(), ChangeError> {
    let table = database.route_table().map_err(unavailable)?;
    shared.routes.store(std::sync::Arc::new(table));
    Ok(())
}
