//! Memory that the sessions of one shard share: whoever wants some waits until it is there.

use std::cell::Cell;

use super::signal::Signal;

/// So many bytes and no more. Lives on one shard.
pub struct Budget {
    bytes_max: u64,
    free: Cell<u64>,
    freed: Signal,
}

/// Bytes taken; dropping it gives them back.
pub struct Taken<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    /// With all of it free.
    pub fn new(bytes_max: u64) -> Self {
        Budget {
            bytes_max,
            free: Cell::new(bytes_max),
            freed: Signal::default(),
        }
    }

    /// Waits for `bytes`, or for all there are where it is more than that. Nobody may wait for
    /// some while holding others, or two could wait for each other.
    pub async fn take(&self, bytes: u64) -> Taken<'_> {
        let bytes = bytes.min(self.bytes_max);
        loop {
            let since = self.freed.version();
            if let Some(left) = self.free.get().checked_sub(bytes) {
                self.free.set(left);
                return Taken {
                    budget: self,
                    bytes,
                };
            }
            self.freed.changed(since).await;
        }
    }
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        self.budget.free.set(self.budget.free.get() + self.bytes);
        self.budget.freed.raise();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_lite::future::{block_on, poll_once};

    #[test]
    fn who_finds_too_little_waits_until_it_is_given_back() {
        let budget = Budget::new(10);
        let six = block_on(budget.take(6));
        let four = block_on(budget.take(4));
        let mut five = Box::pin(budget.take(5));
        assert!(block_on(poll_once(&mut five)).is_none());
        drop(four);
        assert!(block_on(poll_once(&mut five)).is_none(), "four are free");
        drop(six);
        assert!(block_on(poll_once(&mut five)).is_some());
        drop(five);
        assert_eq!(budget.free.get(), 10);
    }

    #[test]
    fn more_than_there_is_gets_all_there_is() {
        let budget = Budget::new(10);
        let all = block_on(budget.take(99));
        assert_eq!(budget.free.get(), 0);
        drop(all);
        assert_eq!(budget.free.get(), 10);
    }
}
