//! Names of accounts by their ids, as they were read of late: lists of rights are shown with them.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use crate::account::AccountId;
use crate::limits::NAMES_KNOWN_MAX;
use crate::name::AccountName;

/// Shared by all shards and the thread that owns the database, which alone puts names in and takes
/// them out, so that none comes back after its account is gone.
#[derive(Default)]
pub(crate) struct KnownNames {
    names: RwLock<HashMap<AccountId, AccountName>>,
}

impl KnownNames {
    /// The names that are known, and the ids of the others. Never blocks: while the database thread
    /// writes, none is known.
    pub(crate) fn try_get(
        &self,
        ids: Vec<AccountId>,
    ) -> (Vec<(AccountId, AccountName)>, Vec<AccountId>) {
        let Ok(names) = self.names.try_read() else {
            return (Vec::new(), ids);
        };
        let (mut known, mut unknown) = (Vec::with_capacity(ids.len()), Vec::new());
        for id in ids {
            match names.get(&id) {
                Some(name) => known.push((id, name.clone())),
                None => unknown.push(id),
            }
        }
        (known, unknown)
    }

    /// Remembers names. When there are too many, all others are forgotten: they are one query away.
    pub(crate) fn insert(&self, found: &[(AccountId, AccountName)]) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        if names.len() + found.len() > NAMES_KNOWN_MAX {
            names.clear();
        }
        names.extend(found.iter().cloned());
    }

    /// Forgets the name of an account that is being deleted.
    pub(crate) fn remove(&self, id: AccountId) {
        let mut names = self.names.write().unwrap_or_else(PoisonError::into_inner);
        names.remove(&id);
    }
}
