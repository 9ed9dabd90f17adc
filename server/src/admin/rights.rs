//! The rights that others have on a mailbox, as an administrator sees and changes them.

use mail_directory::{Account, DirectoryHandle};
use serde::{Deserialize, Serialize};
use storage_engine::acl::{AclAction, AclChange, Identifier, Rights};
use storage_engine::ids::AccountId;
use storage_engine::request::{Operation, Reply};

use super::accounts::Failure;
use super::engine::Engine;
use super::requests::AdminReply;
use crate::identifiers;

/// One entry of a list of rights: what `SETACL` takes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RightsLine {
    /// An account, anyone, anyone@, anyone@domain or #group; `-` before it takes rights away.
    pub identifier: String,
    /// Letters; for a change `+` or `-` before them adds or removes, without letters the entry
    /// goes.
    pub rights: String,
}

/// Changes the entries that are named, all in one step, and answers with the whole list.
pub(super) async fn execute(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    account: &Account,
    mailbox: String,
    changes: Vec<RightsLine>,
) -> Result<AdminReply, Failure> {
    let mut read = Vec::with_capacity(changes.len());
    for change in &changes {
        read.push(read_change(directory, account, change).await?);
    }
    if !read.is_empty() {
        let operation = Operation::ChangeAcl {
            name: mailbox.clone(),
            changes: read,
        };
        engine.operation(account.id, operation).await?;
    }
    let asked = engine.operation(account.id, Operation::Acl { name: mailbox });
    let Reply::Acl(acl) = asked.await? else {
        return Err(Failure::Engine("no list of rights came".to_owned()));
    };
    let owner = AccountId(account.id.to_bytes());
    let names = identifiers::names(directory, &acl, owner).await?;
    let entries = identifiers::entries(&acl, owner, &names, account.name.domain());
    let line = |(identifier, rights)| RightsLine { identifier, rights };
    Ok(AdminReply::Rights {
        entries: entries.into_iter().map(line).collect(),
    })
}

async fn read_change(
    directory: &DirectoryHandle,
    account: &Account,
    change: &RightsLine,
) -> Result<AclChange, Failure> {
    let refused = |reason: &str| Failure::Engine(format!("{}: {reason}", change.identifier));
    let (negative, name) = match change.identifier.strip_prefix('-') {
        Some(name) => (true, name),
        None => (false, change.identifier.as_str()),
    };
    let (action, letters) = match change.rights.split_at_checked(1) {
        Some(("+", letters)) => (AclAction::Add, letters),
        Some(("-", letters)) => (AclAction::Remove, letters),
        _ => (AclAction::Replace, change.rights.as_str()),
    };
    let rights = Rights::from_letters(letters).map_err(|error| refused(&error.to_string()))?;
    let domain = account.name.domain();
    let identifier = identifiers::read(directory, name, domain).await?;
    let identifier = identifier.ok_or_else(|| refused("no such account"))?;
    if identifier == Identifier::Account(AccountId(account.id.to_bytes())) {
        return Err(refused("the owner always has all rights"));
    }
    Ok(AclChange {
        identifier,
        negative,
        action,
        rights,
    })
}
