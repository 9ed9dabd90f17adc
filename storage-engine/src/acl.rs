//! Who may do what with a mailbox (RFC 4314): a list of identifiers and rights.
//!
//! What a guest may do is the union of the entries that match it, less the union of the negative
//! ones. The owner has all rights, whatever the list says.

mod rights;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::actor::{Actor, Principal};
use crate::ids::AccountId;
use crate::state_limits::ACL_ENTRIES_MAX;

pub use rights::{Rights, RightsError};

/// Whom an entry is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identifier {
    /// One account: by its id, so that a later one of the same name inherits nothing.
    Account(AccountId),
    /// Every account of the server.
    Anyone,
    /// Every account of the owner's domain.
    AnyoneOwnersDomain,
    /// Every account of this domain, in lower case.
    AnyoneDomain(String),
    /// The members of this group, without `#`.
    Group(String),
}

impl Identifier {
    /// Whether the entry is about this account.
    pub fn matches(&self, principal: &Principal) -> bool {
        match self {
            Identifier::Account(account) => *account == principal.account,
            Identifier::Anyone => true,
            Identifier::AnyoneOwnersDomain => principal.same_domain,
            Identifier::AnyoneDomain(domain) => *domain == principal.domain,
            Identifier::Group(group) => principal.groups.contains(group),
        }
    }
}

/// One entry. Its rights are never none: such an entry says nothing and is left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclEntry {
    /// Whom it is about.
    pub identifier: Identifier,
    /// It takes the rights away instead of giving them (RFC 4314 2).
    pub negative: bool,
    /// Which.
    pub rights: Rights,
}

/// The list of one mailbox. A clone shares the entries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Acl {
    entries: Arc<BTreeMap<(Identifier, bool), Rights>>,
}

/// One change of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AclChange {
    /// Whose entry.
    pub identifier: Identifier,
    /// The entry that takes rights away.
    pub negative: bool,
    /// What is done to its rights.
    pub action: AclAction,
    /// The rights.
    pub rights: Rights,
}

/// What a change does to the rights of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AclAction {
    /// They become these; with none the entry goes.
    Replace,
    /// These are added.
    Add,
    /// These are removed.
    Remove,
}

impl Acl {
    /// The list with these entries. `None`: more than [`ACL_ENTRIES_MAX`], one twice, or one
    /// without rights.
    pub fn from_entries(entries: impl IntoIterator<Item = AclEntry>) -> Option<Acl> {
        let mut held = BTreeMap::new();
        for entry in entries {
            let key = (entry.identifier, entry.negative);
            if entry.rights.is_none() || held.insert(key, entry.rights).is_some() {
                return None;
            }
        }
        let entries = Arc::new(held);
        (entries.len() <= ACL_ENTRIES_MAX).then_some(Acl { entries })
    }

    /// The entries, in a fixed order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = AclEntry> {
        let entries = self.entries.iter();
        entries.map(|((identifier, negative), rights)| AclEntry {
            identifier: identifier.clone(),
            negative: *negative,
            rights: *rights,
        })
    }

    /// Whether nobody but the owner has any right.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Whether it is the same list, without a look at its entries.
    pub fn is_same(&self, other: &Acl) -> bool {
        Arc::ptr_eq(&self.entries, &other.entries)
    }

    /// What the list lets this actor do.
    pub fn rights_of(&self, actor: &Actor) -> Rights {
        match actor {
            Actor::Owner | Actor::System => Rights::ALL,
            Actor::Guest(principal) => self.rights_of_guest(principal),
        }
    }

    /// The list after these changes. `None`: it would be too long.
    pub fn changed(&self, changes: &[AclChange]) -> Option<Acl> {
        let mut entries = BTreeMap::clone(&self.entries);
        for change in changes {
            let key = (change.identifier.clone(), change.negative);
            let held = entries.get(&key).copied().unwrap_or(Rights::NONE);
            let rights = match change.action {
                AclAction::Replace => change.rights,
                AclAction::Add => held.union(change.rights),
                AclAction::Remove => held.without(change.rights),
            };
            match rights.is_none() {
                true => entries.remove(&key),
                false => entries.insert(key, rights),
            };
        }
        let entries = Arc::new(entries);
        (entries.len() <= ACL_ENTRIES_MAX).then_some(Acl { entries })
    }

    /// What the list lets this guest do.
    pub fn rights_of_guest(&self, principal: &Principal) -> Rights {
        let (mut given, mut taken) = (Rights::NONE, Rights::NONE);
        for ((identifier, negative), rights) in self.entries.iter() {
            if identifier.matches(principal) {
                let sum = if *negative { &mut taken } else { &mut given };
                *sum = sum.union(*rights);
            }
        }
        given.without(taken)
    }
}
