//! Commands: the enum, the one table of facts about them, and one file per verb.

pub mod append;
pub mod authenticate;
pub mod copy;
pub mod create;
pub mod enable;
pub mod expunge;
pub mod fetch;
pub mod id;
pub mod list;
pub mod login;
pub mod lsub;
pub mod r#move;
pub mod rename;
pub mod search;
pub mod select;
pub mod status;
pub mod store;

pub use append::Append;
pub use authenticate::Authenticate;
pub use copy::Copy;
pub use create::Create;
pub use enable::Enable;
pub use expunge::Expunge;
pub use fetch::{Fetch, FetchAttribute};
pub use id::Id;
pub use list::{List, ListReturn, ListSelection};
pub use login::Login;
pub use lsub::Lsub;
pub use r#move::Move;
pub use rename::Rename;
pub use search::{Search, SearchReturn};
pub use select::{Access, Select};
pub use status::Status;
pub use store::{Store, StoreAction};

use crate::grammar::MailboxName;

/// A command that is grammatically right. What it means in the connection's state is not this
/// crate's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// CAPABILITY
    Capability,
    /// NOOP
    Noop,
    /// LOGOUT
    Logout,
    /// STARTTLS
    StartTls,
    /// AUTHENTICATE
    Authenticate(Authenticate),
    /// LOGIN
    Login(Login),
    /// ENABLE (RFC 5161)
    Enable(Enable),
    /// ID (RFC 2971)
    Id(Id),
    /// SELECT and EXAMINE
    Select(Select),
    /// CREATE
    Create(Create),
    /// DELETE
    Delete(MailboxName),
    /// RENAME
    Rename(Rename),
    /// SUBSCRIBE
    Subscribe(MailboxName),
    /// UNSUBSCRIBE
    Unsubscribe(MailboxName),
    /// LIST, and XLIST
    List(List),
    /// LSUB
    Lsub(Lsub),
    /// NAMESPACE (RFC 2342)
    Namespace,
    /// STATUS
    Status(Status),
    /// APPEND, up to its message literal
    Append(Append),
    /// CHECK
    Check,
    /// CLOSE
    Close,
    /// UNSELECT (RFC 3691)
    Unselect,
    /// EXPUNGE and UID EXPUNGE (RFC 4315)
    Expunge(Expunge),
    /// SEARCH and UID SEARCH
    Search(Search),
    /// FETCH and UID FETCH
    Fetch(Fetch),
    /// STORE and UID STORE
    Store(Store),
    /// COPY and UID COPY
    Copy(Copy),
    /// MOVE and UID MOVE (RFC 6851)
    Move(Move),
    /// IDLE (RFC 2177)
    Idle,
}

/// What the numbers of a command are, and those of SEARCH's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Message sequence numbers.
    Sequence,
    /// UIDs: the command was prefixed with UID.
    Uid,
}
