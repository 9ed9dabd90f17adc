//! The commands: each file writes one and knows what its answer must hold.

pub mod fetch;
pub mod login;
pub mod logout;
pub mod noop;
pub mod select;
pub mod store;
pub mod survey;

use crate::fault::Fault;
use crate::reply::Untagged;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Operation {
    /// NOOP in a session that is logged in.
    Noop,
    /// A fresh connection, LOGIN and LOGOUT.
    Login,
    /// UID FETCH of the body of a random message.
    Fetch,
    /// UID STORE that sets or clears a flag of a random message.
    Store,
}

impl Operation {
    /// The name on the command line and in a report.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noop => "noop",
            Self::Login => "login",
            Self::Fetch => "fetch",
            Self::Store => "store",
        }
    }
}

/// A message as a session knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its UID.
    pub uid: u32,
    /// Its RFC822.SIZE.
    pub size_bytes: u64,
    /// Whether it is flagged, as far as this session has been told.
    pub flagged: bool,
}

/// A command that has been sent, and what has come of it so far.
#[derive(Debug)]
pub enum Command {
    /// LOGIN
    Login,
    /// SELECT
    Select(select::Select),
    /// FETCH of what a session needs to know of its messages.
    Survey(survey::Survey),
    /// NOOP
    Noop,
    /// UID FETCH of a body
    Fetch(fetch::Fetch),
    /// UID STORE
    Store(store::Store),
    /// LOGOUT
    Logout,
}

impl Command {
    /// Looks at an untagged response that came before the command's end.
    pub fn untagged(&mut self, untagged: &Untagged) -> Result<(), Fault> {
        match self {
            Self::Select(select) => {
                select.untagged(untagged);
                Ok(())
            }
            Self::Survey(survey) => survey.untagged(untagged),
            Self::Fetch(fetch) => fetch.untagged(untagged),
            Self::Store(store) => {
                store.untagged(untagged);
                Ok(())
            }
            Self::Login | Self::Noop | Self::Logout => Ok(()),
        }
    }

    /// Judges the answer once its tagged OK is there.
    pub fn finish(&self) -> Result<(), Fault> {
        match self {
            Self::Select(select) => select.finish(),
            Self::Survey(survey) => survey.finish(),
            Self::Fetch(fetch) => fetch.finish(),
            Self::Store(store) => store.finish(),
            Self::Login | Self::Noop | Self::Logout => Ok(()),
        }
    }
}
