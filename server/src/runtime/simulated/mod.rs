//! A deterministic executor for tests: one thread, a seeded order of turns, a virtual clock.
//!
//! Every shard of a server, its clients and its disk can run in one [`Simulation`]. The same
//! seed and the same code give the same order of events, so a failing seed is a failing test
//! (code under test must not let the order of a std `HashMap` decide anything). The clock stands
//! still while anything can run, and then jumps to the next timer.

mod executor;
mod random;
mod stream;

#[cfg(test)]
mod tests;

pub use executor::{SimulatedRuntime, Simulation, Stalled};
pub use random::SeededRandom;
pub use stream::{SimulatedKick, SimulatedListener, SimulatedStream};
