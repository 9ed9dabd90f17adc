//! Who asks: the account itself, the system, or somebody else with the rights that the account
//! gave.

use std::sync::Arc;

use crate::ids::AccountId;

/// On whose behalf a request is planned. A clone is cheap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// The account itself: all rights.
    Owner,
    /// Delivery, administration and what the server does for itself: all rights.
    System,
    /// Another account: the rights that the mailbox's list gives it, checked when the request is
    /// planned and nowhere else.
    Guest(Arc<Principal>),
}

/// What another account is known by to the lists of rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Its account.
    pub account: AccountId,
    /// Its domain, in lower case.
    pub domain: String,
    /// The groups that it is in, each by the name that a list would have, without `#`.
    pub groups: Vec<String>,
    /// Whether its domain is that of the account it asks.
    pub same_domain: bool,
}
