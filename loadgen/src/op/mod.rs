//! The commands: each file writes one and knows what its answer must hold.

pub mod append;
pub mod body;
pub mod flags;
pub mod headers;
pub mod list;
pub mod login;
pub mod search;
pub mod select;
pub mod status;
pub mod store;
pub mod survey;
pub mod sync;

use crate::fault::Fault;
use crate::reply::digest::Digest;
use crate::reply::{Code, Untagged};
use crate::shadow::Mailbox;

/// A command that has been sent, and what has come of it so far.
#[derive(Debug)]
pub enum Command {
    /// One whose answer need only be OK: NOOP, LOGIN, LOGOUT, CAPABILITY, CREATE, DONE.
    Plain(Plain),
    /// SELECT
    Select(select::Select),
    /// FETCH of what the run needs to know of the messages.
    Survey(survey::Survey),
    /// LIST
    List(list::List),
    /// STATUS
    Status(status::Status),
    /// FETCH of headers
    Headers(headers::Headers),
    /// UID FETCH of a body
    Body(body::Body),
    /// FETCH of all flags
    Flags(flags::AllFlags),
    /// UID STORE
    Store(store::Store),
    /// APPEND
    Append(append::Append),
    /// UID SEARCH
    Search(search::Search),
    /// SELECT with QRESYNC, or SELECT and FETCH CHANGEDSINCE
    Sync(sync::Sync),
    /// IDLE, before the go-ahead
    Idle,
}

/// Commands that differ only in what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// NOOP
    Noop,
    /// STARTTLS
    StartTls,
    /// LOGIN
    Login,
    /// CAPABILITY
    Capability,
    /// CREATE of the mailbox, after a SELECT that was refused.
    Create,
    /// DONE
    Done,
    /// LOGOUT
    Logout,
}

impl Command {
    /// Looks at an untagged response that came before the command's end.
    pub fn untagged(
        &mut self,
        untagged: &Untagged<'_>,
        digest: Option<&Digest>,
        mailbox: &mut Mailbox,
    ) -> Result<(), Fault> {
        match self {
            Self::Select(select) => select.untagged(untagged, mailbox),
            Self::Survey(survey) => survey.untagged(untagged, digest, mailbox),
            Self::List(list) => list.untagged(untagged),
            Self::Status(status) => {
                status.untagged(untagged);
                Ok(())
            }
            Self::Headers(headers) => headers.untagged(untagged, mailbox),
            Self::Body(body) => body.untagged(untagged, digest, mailbox),
            Self::Flags(flags) => flags.untagged(untagged),
            Self::Store(store) => {
                store.untagged(untagged);
                Ok(())
            }
            Self::Search(search) => search.untagged(untagged),
            Self::Sync(sync) => sync.untagged(untagged, mailbox),
            Self::Plain(_) | Self::Append(_) | Self::Idle => Ok(()),
        }
    }

    /// Judges the answer once its tagged OK is there.
    pub fn finish(&mut self, code: Code<'_>, mailbox: &mut Mailbox) -> Result<(), Fault> {
        match self {
            Self::Select(select) => select.finish(),
            Self::Survey(survey) => survey.finish(mailbox),
            Self::List(list) => list.finish(),
            Self::Status(status) => status.finish(),
            Self::Headers(headers) => headers.finish(),
            Self::Body(body) => body.finish(),
            Self::Flags(flags) => flags.finish(),
            Self::Store(store) => store.finish(mailbox),
            Self::Append(append) => append.finish(code, mailbox),
            Self::Search(search) => search.finish(mailbox),
            Self::Sync(sync) => sync.finish(),
            Self::Plain(_) | Self::Idle => Ok(()),
        }
    }
}
