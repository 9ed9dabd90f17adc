//! One second of a run.

use serde::Serialize;

use super::number::{latency_ms, rate};

/// What only the engine knows of the moment.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gauges {
    /// Connections that are open.
    pub connections: u32,
    /// Processor time of this process so far.
    pub own_cpu: std::time::Duration,
}

/// What happened between two looks at the recorder, all operations together.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// When it began, in seconds from the start of the measurement.
    pub start_s: f64,
    /// How long it was.
    pub length_s: f64,
    /// Operations that ended in it and were answered rightly.
    pub count: u64,
    /// Wrong, late and absent answers.
    pub errors: u64,
    /// `count` per second.
    pub rate_per_s: f64,
    /// Response time that half of them kept.
    pub p50_ms: f64,
    /// Response time that 99 in 100 kept.
    pub p99_ms: f64,
    /// The slowest of them.
    pub max_ms: f64,
    /// Connections open at its end.
    pub connections: u32,
    /// Processor time that this process used in it.
    pub own_cpu_s: f64,
}

impl Interval {
    /// The progress line.
    pub fn line(&self) -> String {
        format!(
            "{:>6.0} s  {:>9} /s  p50 {:>7} ms  p99 {:>7} ms  max {:>7} ms  {} errors  \
             {} connections  own CPU {:.0} %",
            self.start_s + self.length_s,
            rate(self.rate_per_s),
            latency_ms(self.p50_ms),
            latency_ms(self.p99_ms),
            latency_ms(self.max_ms),
            self.errors,
            self.connections,
            super::number::quotient(self.own_cpu_s, self.length_s) * 100.0
        )
    }
}
