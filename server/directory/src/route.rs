//! Where names lead: aliases of accounts and of domains, addresses elsewhere, refusals, and what
//! becomes of names that nobody has.
//!
//! Pure: a table of records, and [`RouteTable::route`], which follows them a bounded number of
//! steps. Logins and deliveries use the same table, so an alias that mail follows logs in too.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::error::NameError;
use crate::limits::ROUTE_STEPS_MAX;
use crate::name::AccountName;

mod record;

pub use record::{RouteError, RouteRecord, RouteSource, RouteTarget};

/// All records, and which domains are ours. Immutable: a change makes a new one.
#[derive(Clone, Debug, Default)]
pub struct RouteTable {
    domains: HashSet<String>,
    accounts: HashMap<AccountName, RouteTarget>,
    whole_domains: HashMap<String, RouteTarget>,
    unknown_in: HashMap<String, RouteTarget>,
}

/// Where a name leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// A name that may be ours: whether an account has it, the directory knows. Its domain need not
    /// be one of ours where no record led to it, as a back end may have it.
    Local(AccountName),
    /// An address of another system.
    External(ExternalAddress),
    /// Refused, with the administrator's text.
    Rejected(Arc<str>),
    /// Nobody's name, or one whose records lead in a circle.
    Unknown,
}

/// A route with the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// Where it ends.
    pub route: Route,
    /// The names that a record led on from, in order; the first is the one that was asked for.
    /// `via.len() <= ROUTE_STEPS_MAX`.
    pub via: Vec<AccountName>,
}

/// A mail address of another system. The local part is as the administrator wrote it, since only
/// that system knows whether its case matters.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalAddress {
    local: Arc<str>,
    domain: Arc<str>,
}

impl RouteTable {
    /// A table of these records for a server with these domains (canonical). A later record of the
    /// same source replaces an earlier one.
    pub fn new(
        domains: impl IntoIterator<Item = String>,
        records: impl IntoIterator<Item = RouteRecord>,
    ) -> Self {
        let mut table = Self {
            domains: domains.into_iter().collect(),
            ..Self::default()
        };
        for RouteRecord { source, target } in records {
            match source {
                RouteSource::Account(name) => table.accounts.insert(name, target),
                RouteSource::Domain(domain) => table.whole_domains.insert(domain, target),
                RouteSource::UnknownIn(domain) => table.unknown_in.insert(domain, target),
            };
        }
        table
    }

    /// Follows the records of a name: its own first, then those of its domain.
    pub fn route(&self, name: &AccountName) -> Routing {
        self.follow(name.clone(), Vec::new())
    }

    /// Goes on from a [`Route::Local`] name that no account has, by its domain's record for such
    /// names. Without one, or from any other route, it ends where nobody is.
    pub fn reroute_unknown(&self, routing: Routing) -> Routing {
        let Routing { route, via } = routing;
        let Route::Local(name) = route else {
            return Routing { route, via };
        };
        match self.unknown_in.get(name.domain()) {
            Some(target) => self.lead_on(name, target, via),
            None => Routing {
                route: Route::Unknown,
                via,
            },
        }
    }

    /// Whether a domain (canonical) is one of ours.
    fn is_ours(&self, domain: &str) -> bool {
        self.domains.contains(domain)
    }

    fn follow(&self, name: AccountName, via: Vec<AccountName>) -> Routing {
        let (mut name, mut via) = (name, via);
        loop {
            let Some(target) = self.record_of(&name) else {
                let route = Route::Local(name);
                return Routing { route, via };
            };
            match self.step(name, target, via) {
                (Some(next), on) => (name, via) = (next, on),
                (None, on) => return self.end(target, on),
            }
        }
    }

    fn record_of(&self, name: &AccountName) -> Option<&RouteTarget> {
        let own = self.accounts.get(name);
        own.or_else(|| self.whole_domains.get(name.domain()))
    }

    fn lead_on(&self, name: AccountName, target: &RouteTarget, via: Vec<AccountName>) -> Routing {
        match self.step(name, target, via) {
            (Some(next), on) => self.follow(next, on),
            (None, on) => self.end(target, on),
        }
    }

    /// The next name that is ours or that a record has, and the way to it; without one the target
    /// is where it [ends](Self::end).
    fn step(
        &self,
        name: AccountName,
        target: &RouteTarget,
        mut via: Vec<AccountName>,
    ) -> (Option<AccountName>, Vec<AccountName>) {
        let next = match target {
            RouteTarget::Address(address) => address.as_name(),
            RouteTarget::Domain(domain) => name.in_domain(domain),
            RouteTarget::Reject(_) => None,
        };
        via.push(name);
        let is_within = via.len() < ROUTE_STEPS_MAX;
        let next = next.filter(|next| {
            is_within && (self.is_ours(next.domain()) || self.record_of(next).is_some())
        });
        (next, via)
    }

    /// What a target comes to from which no further step was taken.
    fn end(&self, target: &RouteTarget, via: Vec<AccountName>) -> Routing {
        let in_domain = |domain: &str| via.last().and_then(|name| name.in_domain(domain));
        let route = match target {
            _ if via.len() >= ROUTE_STEPS_MAX => Route::Unknown,
            RouteTarget::Address(address) => Route::External(address.clone()),
            RouteTarget::Domain(domain) => match in_domain(domain) {
                Some(name) => Route::External(ExternalAddress::of(&name)),
                None => Route::Unknown,
            },
            RouteTarget::Reject(text) => Route::Rejected(text.clone()),
        };
        Routing { route, via }
    }
}

impl Routing {
    /// Whether it was given up after so many steps: the records lead in a circle.
    pub fn is_circle(&self) -> bool {
        self.via.len() >= ROUTE_STEPS_MAX
    }
}

impl ExternalAddress {
    /// Reads `local@domain`; without a domain it is one of `default_domain`.
    pub fn parse(text: &str, default_domain: &str) -> Result<Self, NameError> {
        // The same rules as for names of ours, but for the case of the local part.
        let name = AccountName::parse(text, default_domain)?;
        let (local, _) = text
            .rsplit_once('@')
            .or_else(|| text.rsplit_once('%'))
            .unwrap_or((text, default_domain));
        Ok(Self {
            local: local.into(),
            domain: name.domain().into(),
        })
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The part after the `@`, in lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    fn of(name: &AccountName) -> Self {
        Self {
            local: name.local().into(),
            domain: name.domain().into(),
        }
    }

    fn as_name(&self) -> Option<AccountName> {
        AccountName::parse(&self.to_string(), &self.domain).ok()
    }
}

impl fmt::Display for ExternalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl fmt::Debug for ExternalAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
