//! Identifiers of lists of rights: as people write them, and as the engine keeps them.
//!
//! `anyone` is every account of the server, `anyone@` those of the owner's domain, `anyone@domain`
//! those of another, `#group` a group, all else an account. Accounts are kept by their id, so that
//! a later account of the same name inherits nothing, and shown by the name that they have now.

use std::collections::HashMap;

use mail_directory::{AccountName, DirectoryHandle, LookupError};
use storage_engine::acl::{Acl, Identifier, Rights};
use storage_engine::ids::AccountId;

const ANYONE: &str = "anyone";

/// What `text` means in a list of an account of `domain`; `None` if there is no such account.
pub async fn read(
    directory: &DirectoryHandle,
    text: &str,
    domain: &str,
) -> Result<Option<Identifier>, LookupError> {
    if let Some(group) = text.strip_prefix('#') {
        return Ok(Some(Identifier::Group(group.to_lowercase())));
    }
    let (local, at) = match text.split_once('@') {
        Some((local, domain)) => (local, Some(domain)),
        None => (text, None),
    };
    if local.eq_ignore_ascii_case(ANYONE) {
        return Ok(Some(match at {
            None => Identifier::Anyone,
            Some("") => Identifier::AnyoneOwnersDomain,
            Some(domain) => Identifier::AnyoneDomain(domain.to_lowercase()),
        }));
    }
    let account = match text.contains(['@', '%']) {
        true => directory.lookup(text).await?,
        false => directory.lookup(&format!("{text}@{domain}")).await?,
    };
    Ok(account.map(|account| Identifier::Account(AccountId(account.id.to_bytes()))))
}

/// The names of the accounts in a list and of `owner`. Accounts that are no more have none.
pub async fn names(
    directory: &DirectoryHandle,
    acl: &Acl,
    owner: AccountId,
) -> Result<HashMap<AccountId, AccountName>, LookupError> {
    let accounts = acl.entries().filter_map(|entry| match entry.identifier {
        Identifier::Account(account) => Some(account),
        Identifier::Anyone
        | Identifier::AnyoneOwnersDomain
        | Identifier::AnyoneDomain(_)
        | Identifier::Group(_) => None,
    });
    let wanted = accounts.chain([owner]);
    let wanted = wanted.map(|account| mail_directory::AccountId::from_bytes(account.0));
    let found = directory.names_of(wanted.collect()).await?;
    let found = found.into_iter();
    Ok(found
        .map(|(id, name)| (AccountId(id.to_bytes()), name))
        .collect())
}

/// The domain of the owner, which names without one belong to.
pub fn domain_of(owner: AccountId, names: &HashMap<AccountId, AccountName>) -> &str {
    names.get(&owner).map_or("", AccountName::domain)
}

/// The entries of a list as they are told: the owner first, with all rights.
pub fn entries(
    acl: &Acl,
    owner: AccountId,
    names: &HashMap<AccountId, AccountName>,
    domain: &str,
) -> Vec<(String, String)> {
    let owners = shown(&Identifier::Account(owner), names, domain);
    let owners = owners.map(|name| (name, Rights::ALL.letters()));
    let others = acl.entries().filter_map(|entry| {
        let name = shown(&entry.identifier, names, domain)?;
        let mark = if entry.negative { "-" } else { "" };
        Some((format!("{mark}{name}"), entry.rights.letters()))
    });
    owners.into_iter().chain(others).collect()
}

/// An identifier as it is shown in a list of an account of `domain`; `None` for an account that is
/// no more.
fn shown(
    identifier: &Identifier,
    names: &HashMap<AccountId, AccountName>,
    domain: &str,
) -> Option<String> {
    Some(match identifier {
        Identifier::Anyone => ANYONE.to_owned(),
        Identifier::AnyoneOwnersDomain => format!("{ANYONE}@"),
        Identifier::AnyoneDomain(domain) => format!("{ANYONE}@{domain}"),
        Identifier::Group(group) => format!("#{group}"),
        Identifier::Account(account) => {
            let name = names.get(account)?;
            match name.domain() == domain {
                true => name.local().to_owned(),
                false => name.as_str().to_owned(),
            }
        }
    })
}
