//! Whom a login is for: the name led through the routing table to an account, before any secret is
//! checked. Every mechanism that checks a secret begins here and ends with [`Hasher::concluded`].

use std::net::IpAddr;
use std::time::Instant;

use crate::account::State;
use crate::database::Known;
use crate::error::AuthError;
use crate::name::AccountName;
use crate::route::{ExternalAddress, Route};
use crate::throttle::Verdict;
use crate::worker::Hasher;

/// Whom a name stands for.
pub(crate) struct Found {
    /// The name that failures are counted for: the account's own, so that its aliases do not give
    /// more attempts; without an account the one that was sent.
    pub(crate) name: AccountName,
    /// The account whose secret is to be checked. Without one nobody's is, in the same time.
    pub(crate) known: Option<Known>,
    /// The account has moved to another system: whoever knows the secret that is still kept here
    /// is told so, and where none is kept, everybody (RFC 2221 4.1).
    moved: Option<ExternalAddress>,
}

impl Hasher {
    /// Finds whom a name stands for, unless too many have failed to be it.
    pub(crate) fn locate(&self, name: &AccountName, remote: IpAddr) -> Result<Found, AuthError> {
        let found = self.follow(name)?;
        let verdict = self
            .shared
            .throttle
            .verdict(&found.name, remote, Instant::now());
        match verdict {
            Verdict::Open => Ok(found),
            Verdict::Closed => Err(AuthError::Throttled),
        }
    }

    /// What comes of a check: `is_right` says whether the secret was that of `found.known`. What is
    /// no login counts for the throttle, a referral included: it tells something as well.
    pub(crate) fn concluded(
        &self,
        found: Found,
        is_right: bool,
        remote: IpAddr,
    ) -> Result<Known, AuthError> {
        let Found { name, known, moved } = found;
        let refused = match (known, moved) {
            (Some(known), None) if is_right && known.state == State::Active => return Ok(known),
            (Some(_), None) if is_right => return Err(AuthError::Disabled),
            // RFC 2221 6: whoever did not authenticate is not told where the account has gone.
            (Some(_), _) if !is_right => AuthError::BadCredentials,
            (_, Some(address)) => AuthError::Moved(address),
            (_, None) => AuthError::BadCredentials,
        };
        self.shared
            .throttle
            .failed(Some(&name), remote, Instant::now());
        Err(refused)
    }

    fn follow(&self, name: &AccountName) -> Result<Found, AuthError> {
        let table = self.shared.routes.load();
        let mut routing = table.route(name);
        loop {
            let moved = match &routing.route {
                Route::Local(local) => {
                    if let Some(known) = self.find(local)? {
                        let name = local.clone();
                        let known = Some(known);
                        return Ok(Found {
                            name,
                            known,
                            moved: None,
                        });
                    }
                    routing = table.reroute_unknown(routing);
                    continue;
                }
                Route::External(address) => Some(address.clone()),
                Route::Rejected(_) | Route::Unknown => None,
            };
            return match moved {
                Some(address) => self.kept_for(name, &routing.via, address),
                None => Ok(Found {
                    name: name.clone(),
                    known: None,
                    moved: None,
                }),
            };
        }
    }

    /// An account that has moved, with what is still kept here of it.
    fn kept_for(
        &self,
        name: &AccountName,
        via: &[AccountName],
        address: ExternalAddress,
    ) -> Result<Found, AuthError> {
        let moved = Some(address);
        for old in via {
            if let Some(known) = self.find(old)? {
                let known = Some(known);
                let name = old.clone();
                return Ok(Found { name, known, moved });
            }
        }
        Ok(Found {
            name: name.clone(),
            known: None,
            moved,
        })
    }

    /// The account, unless it is still being added.
    pub(crate) fn find(&self, name: &AccountName) -> Result<Option<Known>, AuthError> {
        match self.database.find(name) {
            Ok(known) => Ok(known.filter(|known| known.state != State::Reserved)),
            Err(error) => {
                tracing::error!(%error, "the directory's database failed");
                Err(AuthError::Unavailable)
            }
        }
    }
}

impl Found {
    /// Whether a right secret logs in: then it may be remembered.
    pub(crate) fn may_log_in(&self) -> bool {
        self.known.is_some() && self.moved.is_none()
    }
}
