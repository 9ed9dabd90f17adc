//! Corepost's storage engine: accounts over one log per shard.
//!
//! The log is the truth and all else is a fold over it: `account` plans records and applies them,
//! `log` makes them durable, `mail_store` joins the two and publishes what is durable.
//! README.md beside this file explains the design, FORMAT.md every byte on disk.
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)
)]
#![allow(async_fn_in_trait)]

pub mod account;
pub mod acl;
pub mod actor;
pub mod alert;
mod checkpoint;
pub mod clock;
mod compaction;
pub mod disk;
pub mod error;
pub mod ids;
pub mod index;
pub mod limits;
pub mod log;
pub mod mail_store;
pub mod moves;
pub mod reader;
pub mod record;
pub mod recovery;
pub mod request;
pub mod state_limits;
pub mod testing;
pub mod view;
