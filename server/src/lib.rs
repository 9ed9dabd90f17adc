//! Corepost: an IMAP and LMTP server, one shared-nothing shard per core.
//!
//! README.md beside the workspace maps the house and follows a command through it.
#![deny(unsafe_code)]
#![allow(async_fn_in_trait)]

pub mod admin;
pub mod cli;
pub mod config;
pub mod net;
#[allow(unsafe_code)]
pub mod runtime;
