//! Health, counters and the admin socket, on a thread of their own.
//!
//! `http` answers monitoring over HTTP, `socket` the command line over a UNIX socket, `requests`
//! says what the latter may ask for and `accounts` does it, for a server that runs and for one that
//! does not.

mod accounts;
mod alerts;
mod certificate;
mod engine;
mod http;
mod http_connections;
mod jobs;
mod limits;
mod mailboxes;
mod requests;
mod rights;
mod routes;
mod running;
mod server;
mod socket;

pub use accounts::{execute, finish_pending, sleep_on_thread};
pub use engine::{Engine, OfflineEngine, Sleep};
pub use http::{Counter, Health, Status};
pub use jobs::{JobReply, ShardJob};
pub use limits::SHARD_JOBS_WAITING_MAX;
pub use mailboxes::{MailboxAction, MailboxLine};
pub use requests::{
    AccountLine, AdminReply, AdminRequest, AlertAudience, AlertRequest, ImportAccount,
    ImportOutcome, RouteLine, RouteRequest, SettingLine,
};
pub use rights::RightsLine;
pub use server::{AdminOptions, AdminServer, start};
pub use socket::{AdminSocket, AskError, SOCKET_NAME, ask};

#[cfg(test)]
mod tests;
