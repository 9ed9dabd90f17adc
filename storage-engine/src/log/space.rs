//! Bytes on the disk, taken before they are written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of all segments of the process, against the configured size. One for all shards.
#[derive(Debug, Clone)]
pub struct Space {
    used: Arc<AtomicU64>,
    max: u64,
}

impl Space {
    /// `used` bytes are on the disk; `max` may never be exceeded.
    pub fn new(used: u64, max: Option<u64>) -> Space {
        Space {
            used: Arc::new(AtomicU64::new(used)),
            max: max.unwrap_or(u64::MAX),
        }
    }

    /// Takes space for a file.
    pub fn take(&self, bytes: u64) -> bool {
        let taken = |used: u64| used.checked_add(bytes).filter(|sum| *sum <= self.max);
        self.used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, taken)
            .is_ok()
    }

    /// Gives back what a file took.
    pub fn give(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// Bytes taken now.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }
}
