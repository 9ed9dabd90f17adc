//! Names of accounts by their ids.

use super::DirectoryHandle;
use crate::account::AccountId;
use crate::error::LookupError;
use crate::limits::NAMES_ASKED_MAX;
use crate::name::AccountName;

impl DirectoryHandle {
    /// The names of accounts in use, by their ids: at once for those that were asked for lately.
    pub async fn names_of(
        &self,
        ids: Vec<AccountId>,
    ) -> Result<Vec<(AccountId, AccountName)>, LookupError> {
        let (mut names, unknown) = self.shared.names.try_get(ids);
        if unknown.is_empty() {
            return Ok(names);
        }
        if unknown.len() > NAMES_ASKED_MAX {
            return Err(LookupError::Unavailable);
        }
        let shared = self.shared.clone();
        let read = self.read(move |database| {
            let found = database.names_of(&unknown)?;
            shared.names.insert(&found);
            Ok(found)
        });
        names.extend(read.await?);
        Ok(names)
    }
}
