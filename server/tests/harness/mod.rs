//! What every test against the real binary needs: a server process, connections, a small client.
//!
//! Each test file compiles this module for itself and uses its own part of it.
#![allow(
    dead_code,
    reason = "each test binary uses another part of the harness"
)]

pub mod client;
pub mod server;
pub mod wire;
