//! Connections: listeners, and one type for plain and TLS bytes.
//!
//! - [`listener`]: binds the sockets of a shard and runs their accept loops.
//! - [`stream`]: [`Connection`], what a session reads from and writes to; STARTTLS in place.
//! - [`tls`]: TLS settings shared by all shards, certificates chosen by name and reloaded.
//! - [`self_signed`]: the certificate of a server that was given none.

pub mod listener;
pub mod network;
pub mod proxy;
pub mod self_signed;
pub mod stream;
pub mod tls;

mod certificate_names;
mod tls_session;

pub use stream::Connection;
pub use tls::TlsServer;
