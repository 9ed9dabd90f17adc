//! Groups of accounts.

use super::DirectoryHandle;
use crate::account::AccountId;
use crate::error::{ChangeError, LookupError};
use crate::group::{GroupMember, GroupName, GroupRange};

/// Who is in which group. A session learns of its account's groups once, so a change holds from
/// the next login on.
impl DirectoryHandle {
    /// Puts an account into a group; nothing happens if it is there.
    pub async fn group_add(&self, group: &str, account: &str) -> Result<(), ChangeError> {
        let group = GroupName::parse(group, self.default_domain())?;
        let account = self.resolve(account)?;
        self.write(move |database, _| database.group_add(&group, &account))
            .await
    }

    /// Takes an account out of a group. Without members there is no group.
    pub async fn group_remove(&self, group: &str, account: &str) -> Result<(), ChangeError> {
        let group = GroupName::parse(group, self.default_domain())?;
        let account = self.resolve(account)?;
        self.write(move |database, _| database.group_remove(&group, &account))
            .await
    }

    /// A page of members; an empty one is the end.
    pub async fn group_list(&self, range: GroupRange) -> Result<Vec<GroupMember>, LookupError> {
        let parse = |text: &str| GroupName::parse(text, self.default_domain()).ok();
        let group = match range.group.as_deref().map(parse) {
            // What is no name has no members.
            Some(None) => return Ok(Vec::new()),
            Some(group) => group,
            None => None,
        };
        let after = range
            .after
            .and_then(|last| Some((parse(&last.group)?, self.resolve(&last.account).ok()?)));
        self.read(move |database| {
            let after = after.as_ref().map(|(group, account)| (group, account));
            database.group_list(group.as_ref(), after)
        })
        .await
    }

    /// The groups that an account is in, as `name@domain`.
    pub async fn groups_of(&self, account: AccountId) -> Result<Vec<String>, LookupError> {
        self.read(move |database| database.groups_of(account)).await
    }
}
