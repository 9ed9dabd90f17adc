//! What a run came to, and what it cost this side.
//!
//! The way of a figure: the engine hands each finished operation to a [`Recorder`], which keeps
//! histograms and nothing per operation; once a second the engine ends an `Interval` and
//! shows its line; at the end the recorder becomes a [`Report`], which is the same figures as
//! text, as JSON and as a page. The clock is the engine's: every time here is in nanoseconds from
//! an origin of its choice, the same for all of them.

mod axis;
mod chart;
mod figures;
mod interval;
mod interval_log;
mod number;
mod page;
mod recorder;
mod text;

pub use figures::Report;
pub use interval::Gauges;
pub use recorder::{Arrival, OperationId, Recorder, Sample, Setting};

#[cfg(test)]
mod tests;
