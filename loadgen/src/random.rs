//! Choices: a small generator, so that a seed repeats a run's choices.

/// An xorshift generator (Marsaglia, 64 bits); good enough to spread load, nothing more.
#[derive(Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// A generator whose sequence depends on `seed` and `stream` alone.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mixed = seed
            .wrapping_add(stream.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15))
            .wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Self {
            // Zero is the one state that xorshift never leaves.
            state: (mixed ^ (mixed >> 29)).max(1),
        }
    }

    /// Any number but zero.
    pub fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// An index below `count`, or nothing when there is nothing to choose from.
    pub fn index(&mut self, count: usize) -> Option<usize> {
        let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
        usize::try_from(self.next() % count).ok()
    }

    /// A number from `min` to `max`, both included.
    pub fn between(&mut self, min: u64, max: u64) -> u64 {
        let width = max.saturating_sub(min).saturating_add(1).max(1);
        min + self.next() % width
    }

    /// A fraction above 0 and at most 1.
    #[allow(
        clippy::as_conversions,
        clippy::cast_precision_loss,
        reason = "53 bits are what a float holds"
    )]
    pub fn fraction(&mut self) -> f64 {
        ((self.next() >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }
}
