//! What a run came to: counts, latencies, errors, and what it cost this side.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::fault::{Fault, FaultKind};
use crate::limits::LATENCY_NS_MAX;

/// Decimal digits that the histogram keeps of a latency.
const LATENCY_DIGITS: u8 = 3;

/// The figures of one run.
pub struct Report {
    /// The operation's name.
    pub operation: &'static str,
    /// How many connections were asked for.
    pub connections: u32,
    /// How many of them were ready when the measurement started.
    pub prepared: u32,
    /// How long the measurement lasted.
    pub window: Duration,
    /// Processor time of this process from the start of the measurement to the last answer.
    pub cpu: Duration,
    latencies_ns: Histogram<u64>,
    in_window: u64,
    faults: BTreeMap<FaultKind, Tally>,
}

struct Tally {
    count: u64,
    example: String,
}

impl Report {
    /// A report of nothing yet.
    pub fn new(
        operation: &'static str,
        connections: u32,
    ) -> Result<Self, hdrhistogram::CreationError> {
        Ok(Self {
            operation,
            connections,
            prepared: 0,
            window: Duration::ZERO,
            cpu: Duration::ZERO,
            latencies_ns: Histogram::new_with_bounds(1, LATENCY_NS_MAX, LATENCY_DIGITS)?,
            in_window: 0,
            faults: BTreeMap::new(),
        })
    }

    /// An operation was answered rightly while the measurement ran.
    pub fn operation_in_window(&mut self, latency: Duration) {
        self.in_window += 1;
        self.operation_after_window(latency);
    }

    /// An operation begun in time was answered rightly after the end. Its latency counts, or the
    /// slowest answers would be the ones that nobody sees; the rate does not count it.
    pub fn operation_after_window(&mut self, latency: Duration) {
        let nanoseconds = u64::try_from(latency.as_nanos()).unwrap_or(LATENCY_NS_MAX);
        self.latencies_ns.saturating_record(nanoseconds);
    }

    /// An answer was wrong, late or absent.
    pub fn fault(&mut self, fault: Fault) {
        let tally = self.faults.entry(fault.kind).or_insert(Tally {
            count: 0,
            example: fault.example,
        });
        tally.count += 1;
    }

    /// Operations that were answered rightly.
    pub fn count(&self) -> u64 {
        self.latencies_ns.len()
    }

    /// Errors of all kinds.
    pub fn errors(&self) -> u64 {
        self.faults.values().map(|tally| tally.count).sum()
    }

    /// Errors of one kind.
    #[cfg(test)]
    pub fn errors_of(&self, kind: FaultKind) -> u64 {
        self.faults.get(&kind).map_or(0, |tally| tally.count)
    }

    /// Operations per second of the measurement.
    pub fn rate(&self) -> f64 {
        quotient(float(self.in_window), self.window.as_secs_f64())
    }

    /// The report for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = writeln!(
            out,
            "{}: {} operations, {} errors, {} of {} connections ready",
            self.operation,
            self.count(),
            self.errors(),
            self.prepared,
            self.connections
        );
        let seconds = self.window.as_secs_f64();
        let _ = writeln!(out, "rate     {:.1} /s over {seconds:.1} s", self.rate());
        let _ = writeln!(
            out,
            "latency  p50 {:.3} ms, p99 {:.3} ms, p99.9 {:.3} ms, max {:.3} ms",
            self.quantile_ms(0.5),
            self.quantile_ms(0.99),
            self.quantile_ms(0.999),
            self.max_ms()
        );
        let _ = writeln!(
            out,
            "own CPU  {:.3} s, {:.2} us an operation",
            self.cpu.as_secs_f64(),
            quotient(self.cpu.as_secs_f64() * 1e6, float(self.count()))
        );
        for (kind, tally) in &self.faults {
            let _ = writeln!(
                out,
                "error    {} {}: {}",
                tally.count,
                kind.name(),
                tally.example
            );
        }
        out
    }

    /// The report for programs: one JSON object on one line.
    pub fn json(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail. Every string here is printable ASCII.
        let _ = write!(
            out,
            "{{\"operation\":\"{}\",\"connections\":{},\"prepared\":{},\"count\":{},\"errors\":{}",
            self.operation,
            self.connections,
            self.prepared,
            self.count(),
            self.errors()
        );
        let _ = write!(
            out,
            ",\"seconds\":{:.3},\"rate\":{:.1},\"p50_ms\":{:.4},\"p99_ms\":{:.4}",
            self.window.as_secs_f64(),
            self.rate(),
            self.quantile_ms(0.5),
            self.quantile_ms(0.99)
        );
        let _ = write!(
            out,
            ",\"p99_9_ms\":{:.4},\"max_ms\":{:.4},\"cpu_s\":{:.6},\"faults\":{{",
            self.quantile_ms(0.999),
            self.max_ms(),
            self.cpu.as_secs_f64()
        );
        for (index, (kind, tally)) in self.faults.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let example = tally.example.replace('\\', "\\\\").replace('"', "\\\"");
            let _ = write!(
                out,
                "{comma}\"{}\":{{\"count\":{},\"example\":\"{example}\"}}",
                kind.name(),
                tally.count
            );
        }
        out.push_str("}}\n");
        out
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        milliseconds(self.latencies_ns.value_at_quantile(quantile))
    }

    fn max_ms(&self) -> f64 {
        milliseconds(self.latencies_ns.max())
    }
}

fn milliseconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64() * 1e3
}

/// No run comes near the counts that this cannot tell apart.
fn float(count: u64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}

fn quotient(dividend: f64, divisor: f64) -> f64 {
    if divisor > 0.0 {
        dividend / divisor
    } else {
        0.0
    }
}
