//! Accounts as callers see them.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::hash::StoredHash;
use crate::name::AccountName;
use crate::password::Password;
use crate::settings::Settings;
use crate::template::Template;

/// 128 random bits that name an account for good; never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId([u8; 16]);

impl AccountId {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The id's bytes, in the order in which they are printed.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0
    }

    /// A fresh id from the system's randomness.
    pub(crate) fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AccountId {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        u128::from_str_radix(text, 16).map(|value| Self(value.to_be_bytes()))
    }
}

impl Serialize for AccountId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What an account may hold; `None` is no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    /// Bytes of all its messages.
    pub bytes: Option<u64>,
    /// Messages in all its mailboxes.
    pub messages: Option<u64>,
}

/// An account that may be used: its owner logged in, or mail is for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Names the account in the engine.
    pub id: AccountId,
    /// Its canonical name.
    pub name: AccountName,
    /// What it may hold.
    pub quota: Quota,
    /// What else holds for it.
    pub settings: Arc<Settings>,
}

/// Where an account is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Being added: the engine may or may not know it. Invisible.
    Reserved,
    /// In use.
    Active,
    /// Being deleted: no login, no mail.
    Deleting,
}

/// One account in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountEntry {
    /// Names the account in the engine.
    pub id: AccountId,
    /// Its canonical name.
    pub name: AccountName,
    /// Where it is in its life.
    pub state: State,
    /// What it may hold.
    #[serde(flatten)]
    pub quota: Quota,
    /// When it was added, in seconds since 1970.
    pub created_s: i64,
}

/// Which accounts a listing shows: a page in order of domain, then local part.
#[derive(Clone, Debug, Default)]
pub struct ListRange {
    /// Only this domain, if given.
    pub domain: Option<String>,
    /// Only what follows this account, if given: the last one of the page before.
    pub after: Option<String>,
}

/// How a new account proves itself.
#[derive(Clone, Debug)]
pub enum Secret {
    /// A password, hashed here.
    Password(Password),
    /// A hash from elsewhere.
    Hash(StoredHash),
}

/// An account to be added.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// The name as it was written; without a domain it belongs to the default domain.
    pub name: String,
    /// How it proves itself.
    pub secret: Secret,
    /// What it may hold.
    pub quota: Quota,
}

/// An account whose name and id are taken, but that nobody sees yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reserved {
    /// The id to make known to the engine.
    pub id: AccountId,
    /// Its canonical name.
    pub name: AccountName,
    /// What the engine creates beside INBOX.
    pub template: Template,
    /// What it may hold.
    pub quota: Quota,
}

/// What a crash left half done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The account.
    pub id: AccountId,
    /// Its canonical name.
    pub name: AccountName,
    /// What its domain's new accounts start with; needed to finish an addition.
    pub template: Template,
    /// What it may hold.
    pub quota: Quota,
    /// Which step is open.
    pub step: PendingStep,
}

/// The open step of a [`Pending`] account. Each may be repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PendingStep {
    /// Make it known to the engine, then `commit_add`; or forget it in the engine, then `remove`.
    Add,
    /// Delete it in the engine, then `remove`.
    Delete,
}
