//! The wire grammar of IMAP, and nothing else: bytes become fragments, fragments become a
//! [`Command`](command::Command), and response values become bytes.
//!
//! **Invariant:** this crate has no sockets, files, clock, randomness or executor to reach for.
//! Everything that a peer can make grow is bounded in [`limits`].
//!
//! The way in is [`fragmenter`] -> [`command`]; the way out is [`response`]. The words that both
//! ways share (sequence sets, flags, mailbox names, sections, dates) live in [`grammar`].

#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions
    )
)]

pub mod capability;
pub mod command;
pub mod connection_state;
pub mod fragmenter;
pub mod grammar;
pub mod limits;
pub mod request;
pub mod response;
