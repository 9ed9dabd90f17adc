//! The engine's clock, on the server's runtime.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use storage_engine::clock::Clock;

use crate::runtime::Runtime;

/// Lives on one shard.
pub struct StoreClock<R: Runtime>(R);

impl<R: Runtime> StoreClock<R> {
    /// The clock of `runtime`.
    pub fn new(runtime: R) -> Self {
        StoreClock(runtime)
    }
}

impl<R: Runtime> Clock for StoreClock<R> {
    fn now_s(&self) -> i64 {
        self.0.wall_s()
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()>>> {
        Box::pin(self.0.sleep(duration))
    }
}
