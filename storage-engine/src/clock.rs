//! Time as an argument: the engine reads no clock and sets no timer of its own.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// What the engine needs of time. The server's runtime and the tests each have one.
pub trait Clock {
    /// Seconds since the Unix epoch.
    fn now_s(&self) -> i64;

    /// Ends after `duration`.
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>>;
}
