//! Corepost: an IMAP and LMTP server, one shared-nothing shard per core.
//!
//! README.md beside the workspace maps the house and follows a command through it.
#![deny(unsafe_code)]
#![allow(async_fn_in_trait)]

pub mod admin;
pub mod admission;
pub mod auth;
pub mod cli;
pub mod command;
pub mod config;
pub mod counters;
pub mod encryption;
pub mod flags;
pub mod identifiers;
pub mod jobs;
pub mod limits;
pub mod lmtp;
pub mod net;
pub mod offline;
pub mod program;
pub mod quota;
#[allow(unsafe_code)]
pub mod runtime;
pub mod search;
pub mod service;
pub mod session;
pub mod shard;
pub mod start;
pub mod store_clock;
pub mod tally;
pub mod transport;
pub mod upload;
