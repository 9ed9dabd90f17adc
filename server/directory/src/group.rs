//! Groups of accounts: what a list of rights calls `#name`.

use serde::{Deserialize, Serialize};

use crate::error::NameError;
use crate::name::AccountName;

/// The canonical name of a group, `name@domain`: it follows the rules of account names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupName(AccountName);

impl GroupName {
    /// Reads a name as an administrator writes it, with or without the `#` before it. Without a
    /// domain it belongs to `default_domain`.
    pub fn parse(text: &str, default_domain: &str) -> Result<Self, NameError> {
        let text = text.strip_prefix('#').unwrap_or(text);
        AccountName::parse(text, default_domain).map(Self)
    }

    /// The whole name, `name@domain`.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.0.local()
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.0.domain()
    }
}

/// One member of a group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// The group, `name@domain`.
    pub group: String,
    /// The account's canonical name.
    pub account: String,
}

/// Which members a listing shows: a page in order of group, then account.
#[derive(Clone, Debug, Default)]
pub struct GroupRange {
    /// Only this group, if given.
    pub group: Option<String>,
    /// Only what follows this one, if given: the last one of the page before.
    pub after: Option<GroupMember>,
}
