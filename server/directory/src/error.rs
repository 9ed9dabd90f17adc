//! One error enum per operation.

use std::path::PathBuf;

use crate::route::{ExternalAddress, RouteError};

/// Why a login was refused. The client's text is the session's business.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// The account does not exist or the password is wrong; nobody is told which.
    #[error("the name or the password is wrong")]
    BadCredentials,
    /// The password is right, but the account is being deleted.
    #[error("the account is closed")]
    Disabled,
    /// The account has moved to another system. The secret was right, or none is kept here.
    #[error("the account has moved to {0}")]
    Moved(ExternalAddress),
    /// Too many failures from this network for this account within the window.
    #[error("too many failed logins")]
    Throttled,
    /// The queue of the hashing threads is full: try again.
    #[error("the directory is busy")]
    Busy,
    /// The database cannot be read; the trace says why.
    #[error("the directory is not available")]
    Unavailable,
}

/// Why a lookup or a listing failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LookupError {
    /// The queue of the database thread is full: try again.
    #[error("the directory is busy")]
    Busy,
    /// The database cannot be read; the trace says why.
    #[error("the directory is not available")]
    Unavailable,
}

/// Why a change of an account or a domain was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The name is not a name.
    #[error(transparent)]
    Name(#[from] NameError),
    /// The ready hash is of no kind that can be verified here.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// The password is longer than the limit, or empty.
    #[error("a password has 1 to {} bytes", crate::limits::PASSWORD_BYTES_MAX)]
    Password,
    /// An account has this name already, or had it and is being deleted.
    #[error("the account exists already")]
    NameTaken,
    /// No such account.
    #[error("no such account")]
    NoSuchAccount,
    /// No such alert.
    #[error("no such alert")]
    NoSuchAlert,
    /// A text that cannot be shown.
    #[error("{0}")]
    Text(&'static str),
    /// The account's domain is not one of ours.
    #[error("no such domain; add it first")]
    NoSuchDomain,
    /// The domain exists already.
    #[error("the domain exists already")]
    DomainTaken,
    /// The domain still has accounts.
    #[error("the domain still has accounts")]
    DomainNotEmpty,
    /// The account is not in the group.
    #[error("the account is not in that group")]
    NotInGroup,
    /// What should be a record of the routing table is none.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// No such record.
    #[error("the routing table has no such record")]
    NoSuchRoute,
    /// A bound was exceeded (quota, batch or template).
    #[error("{0}")]
    TooLarge(&'static str),
    /// The template cannot be carried out.
    #[error("{0}")]
    Template(&'static str),
    /// There is no such setting, or it does not take this value.
    #[error("{0}")]
    Setting(String),
    /// The account is of a back end elsewhere, where its password is kept too.
    #[error("another directory keeps the account's password; change it there")]
    KeptElsewhere,
    /// A queue is full: try again.
    #[error("the directory is busy")]
    Busy,
    /// The database cannot be written; the trace says why.
    #[error("the directory is not available")]
    Unavailable,
}

impl From<LookupError> for ChangeError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Busy => Self::Busy,
            LookupError::Unavailable => Self::Unavailable,
        }
    }
}

/// Why a text is not the name of an account or of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// The part before the `@` is empty, too long or has a character that names may not have.
    #[error("the part before the @ is empty, too long or has a character that is not allowed")]
    Local,
    /// The part before the `@` is one that new accounts do not get.
    #[error("account names have letters, digits, _, - and dots that are neither first nor last")]
    New,
    /// The domain is empty, too long or has a character that domains may not have.
    #[error("the domain is empty, too long or has a character that is not allowed")]
    Domain,
}

/// Why a text is not a password hash that can be verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// The scheme is not supported.
    #[error(
        "unknown password scheme; known are argon2, bcrypt ($2), SHA-crypt ($5, $6), PBKDF2, \
         {{SSHA}}, {{SSHA256}}, {{SSHA512}}, {{SHA}}, {{SHA256}}, {{SHA512}} and {{PLAIN}}"
    )]
    Scheme,
    /// The text after the scheme is malformed.
    #[error("the password hash is malformed")]
    Malformed,
    /// The hash would take so much time or memory that a login could stall the server.
    #[error("the password hash asks for more rounds or memory than is allowed")]
    TooCostly,
}

/// Why the directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The default domain is not a domain.
    #[error("default domain: {0}")]
    DefaultDomain(#[source] NameError),
    /// The database file cannot be created or read.
    #[error("{path}: {source}")]
    File {
        /// The database file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// SQLite cannot use the file.
    #[error("{path}: {source}")]
    Database {
        /// The database file.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A newer Corepost wrote the file.
    #[error("{path}: has format {found}, this program knows up to {known}: use the newer program")]
    Newer {
        /// The database file.
        path: PathBuf,
        /// The version in the file.
        found: i64,
        /// The newest version that is known here.
        known: i64,
    },
    /// A side thread could not be started, or the system has no randomness.
    #[error("{0}")]
    System(#[source] std::io::Error),
}
