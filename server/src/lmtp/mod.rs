//! Mail in: LMTP (RFC 2033) for Postfix and Exim.
//!
//! ```text
//! wire -> command -> session -> delivery (who, and whether there is room)
//!                         \-> data (unstuffed) -> upload -> delivery -> one reply a recipient
//! ```
//!
//! - [`command`] and [`data`] are pure: lines to commands, the octets after DATA to the message.
//! - [`reply`]: everything that is said, and the one place that maps refusals to codes.
//! - [`wire`]: the connection's bytes both ways; [`session`]: the order of commands.
//! - [`delivery`]: recipients are found, the message is put into their mailboxes.

pub mod command;
pub mod data;
pub mod delivery;
pub mod limits;
pub mod reply;
pub mod session;
pub mod wire;

pub use session::serve;
