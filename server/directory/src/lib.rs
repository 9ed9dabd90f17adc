//! The directory: domains, accounts and passwords in an embedded SQLite database.
//!
//! Nothing here runs on a shard except [`DirectoryHandle::try_cached`], which never blocks and
//! never hashes slowly. All else is a job for a side thread: one thread owns the database for
//! reading and writing, a few more check passwords. Callers talk to them through bounded queues and
//! await the answer on whatever executor they live on; a full queue is an error at once.
//!
//! Where a back end elsewhere has accounts (SQL, LDAP, a file), [`backend`] is what it must do,
//! and [`Directory::attach`] serves them too.
//!
//! The life of an account (add, delete) has two durable homes, the engine and this directory. The
//! caller drives the steps: [`DirectoryHandle::prepare_add`], then the engine's own durable record,
//! then [`DirectoryHandle::commit_add`]; [`DirectoryHandle::mark_deleted`], the engine, then
//! [`DirectoryHandle::remove`]. [`DirectoryHandle::pending`] lists what a crash left half done.
#![forbid(unsafe_code)]

mod account;
pub mod alerts;
pub mod backend;
mod cache;
mod database;
mod error;
mod external;
mod group;
mod handle;
mod hash;
pub mod import;
pub mod limits;
mod locate;
mod name;
mod names;
mod password;
mod route;
pub mod settings;
mod template;
mod throttle;
mod worker;

pub use account::{
    Account, AccountEntry, AccountId, ListRange, NewAccount, Pending, PendingStep, Quota, Reserved,
    Secret, State,
};
pub use error::{AuthError, ChangeError, HashError, LookupError, NameError, OpenError};
pub use external::passwd_file::PasswdFile;
pub use external::{Creator, ExternalOptions};
pub use group::{GroupMember, GroupName, GroupRange};
pub use handle::{Destination, Directory, DirectoryHandle, Options, RouteTest, UnknownNames};
pub use hash::StoredHash;
pub use name::AccountName;
pub use password::Password;
pub use route::{
    ExternalAddress, Route, RouteError, RouteRecord, RouteSource, RouteTable, RouteTarget, Routing,
};
pub use settings::Settings;
pub use template::{MailboxTemplate, Template};
