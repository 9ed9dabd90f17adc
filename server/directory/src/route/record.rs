//! One record of the table, as an administrator writes it and as the database keeps it.

use std::fmt;
use std::sync::Arc;

use crate::error::NameError;
use crate::limits::REJECT_TEXT_BYTES_MAX;
use crate::name::{AccountName, canonical_domain};

use super::ExternalAddress;

/// What a refusal is kept as: no address begins with it, since none has a colon.
const REJECT: &str = "reject:";
/// What is said where the administrator gave no text.
const REJECT_TEXT: &str = "This address is not in use";

/// A source and its target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRecord {
    /// Which names it is about.
    pub source: RouteSource,
    /// Where they lead.
    pub target: RouteTarget,
}

/// Which names a record is about. Written as `name`, `name@domain`, `@domain` and `*@domain`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum RouteSource {
    /// One name, whether or not an account has it.
    Account(AccountName),
    /// Every name of a domain that has no record of its own.
    Domain(String),
    /// The names of a domain of ours that neither a record nor an account has.
    UnknownIn(String),
}

/// Where a record leads. Written as `name`, `name@domain`, `@domain` and `reject:text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// One address: ours if its domain is, else another system's.
    Address(ExternalAddress),
    /// The same local part in this domain.
    Domain(String),
    /// Nowhere; this is said.
    Reject(Arc<str>),
}

/// Why a record is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The source or the target is neither name nor domain.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The text of a refusal goes into one line of a reply.
    #[error("the text of a refusal has at most {REJECT_TEXT_BYTES_MAX} printable ASCII characters")]
    Text,
}

impl RouteSource {
    /// Reads a source; a name without a domain is one of `default_domain`.
    pub fn parse(text: &str, default_domain: &str) -> Result<Self, NameError> {
        if let Some(domain) = text.strip_prefix("*@") {
            return canonical_domain(domain).map(Self::UnknownIn);
        }
        match text.strip_prefix('@') {
            Some(domain) => canonical_domain(domain).map(Self::Domain),
            None => AccountName::parse(text, default_domain).map(Self::Account),
        }
    }

    /// The domain of the names.
    pub fn domain(&self) -> &str {
        match self {
            Self::Account(name) => name.domain(),
            Self::Domain(domain) | Self::UnknownIn(domain) => domain,
        }
    }
}

impl RouteTarget {
    /// Reads a target; a name without a domain is one of `default_domain`.
    pub fn parse(text: &str, default_domain: &str) -> Result<Self, RouteError> {
        if let Some(reason) = text.strip_prefix(REJECT) {
            let reason = reason.trim();
            let is_line = reason.bytes().all(|byte| (b' '..=b'~').contains(&byte));
            return match reason {
                "" => Ok(Self::Reject(REJECT_TEXT.into())),
                _ if is_line && reason.len() <= REJECT_TEXT_BYTES_MAX => {
                    Ok(Self::Reject(reason.into()))
                }
                _ => Err(RouteError::Text),
            };
        }
        match text.strip_prefix('@') {
            Some(domain) => Ok(canonical_domain(domain).map(Self::Domain)?),
            None => Ok(ExternalAddress::parse(text, default_domain).map(Self::Address)?),
        }
    }
}

impl fmt::Display for RouteSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account(name) => write!(f, "{name}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
            Self::UnknownIn(domain) => write!(f, "*@{domain}"),
        }
    }
}

impl fmt::Display for RouteTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{address}"),
            Self::Domain(domain) => write!(f, "@{domain}"),
            Self::Reject(text) => write!(f, "{REJECT}{text}"),
        }
    }
}
