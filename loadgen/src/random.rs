//! The choice of messages: a small generator, so that a seed repeats a run's choices.

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

    /// An index below `count`, or nothing when there is nothing to choose from.
    pub fn index(&mut self, count: usize) -> Option<usize> {
        let count = u64::try_from(count).ok().filter(|count| *count > 0)?;
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        usize::try_from(self.state % count).ok()
    }
}
