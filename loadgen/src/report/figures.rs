//! The figures of a whole run. What is serialised here is the JSON report; every field says what
//! it holds, and a field that changes its meaning changes [`FORMAT`].

use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::Histogram;
use serde::Serialize;

use super::interval::Interval;
use super::number::{float, milliseconds, quotient};
use super::recorder::{Arrival, Operation, Setting, Tally};

/// What a reader of the JSON report checks first.
const FORMAT: &str = "loadgen-report-1";

/// The figures of one run.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Which fields there are.
    pub format: &'static str,
    /// The scenario's name.
    pub scenario: String,
    /// The server's address.
    pub target: String,
    /// The command line that makes this run again.
    pub command: String,
    /// Operations per second that were asked for; `null` in a closed loop.
    pub asked_rate_per_s: Option<f64>,
    /// Start of the measurement, in seconds from 1970.
    pub started_at_s: f64,
    /// How many connections were asked for.
    pub connections: u32,
    /// How many of them were ready when the measurement started.
    pub ready: u32,
    /// How long the measurement lasted.
    pub window_s: f64,
    /// Processor time of this process from the start of the measurement to the last answer.
    pub own_cpu_s: f64,
    /// That time for each operation that was answered rightly.
    pub own_cpu_us_per_operation: f64,
    /// All operations together. Errors here include those outside of any operation.
    pub total: OperationFigures,
    /// Each operation by itself, in the scenario's order.
    pub operations: Vec<OperationFigures>,
    /// Each kind of error.
    pub faults: Vec<FaultFigures>,
    /// Each second of the measurement and of the wait for the last answers.
    pub intervals: Vec<Interval>,
}

/// The figures of one operation.
#[derive(Debug, Serialize)]
pub struct OperationFigures {
    /// Its name; of all together, `total`.
    pub name: String,
    /// How many were answered rightly.
    pub count: u64,
    /// Wrong, late and absent answers.
    pub errors: u64,
    /// Those that ended within the measurement, per second of it.
    pub rate_per_s: f64,
    /// Octets of the commands.
    pub sent_bytes: u64,
    /// Octets of the answers.
    pub received_bytes: u64,
    /// From the intended start to the end of the answer.
    pub response: Latency,
    /// From the actual start to the end of the answer; `null` in a closed loop, where it is the
    /// same.
    pub service: Option<Latency>,
    /// The response time that a share of all operations kept: pairs of the share (0 to 1) and
    /// milliseconds.
    pub curve: Vec<(f64, f64)>,
}

/// A distribution of times, in milliseconds.
#[derive(Debug, PartialEq, Serialize)]
pub struct Latency {
    /// Half were at most this slow.
    pub p50_ms: f64,
    /// 90 in 100 were.
    pub p90_ms: f64,
    /// 99 in 100 were.
    pub p99_ms: f64,
    /// 999 in 1,000 were.
    pub p99_9_ms: f64,
    /// All were.
    pub max_ms: f64,
    /// The arithmetic mean.
    pub mean_ms: f64,
}

/// One kind of error.
#[derive(Debug, Serialize)]
pub struct FaultFigures {
    /// Its name.
    pub kind: &'static str,
    /// How often.
    pub count: u64,
    /// The operation of the first one; `null` when it belonged to none.
    pub operation: Option<String>,
    /// What was said at the first one.
    pub example: String,
}

/// What a recorder has at the end of a run.
pub(super) struct Totals {
    pub ready: u32,
    pub window: Duration,
    pub own_cpu: Duration,
    pub operations: Vec<Operation>,
    pub faults: BTreeMap<&'static str, Tally>,
    pub intervals: Vec<Interval>,
}

impl Report {
    pub(super) fn new(setting: Setting, totals: Totals) -> Self {
        let window_s = totals.window.as_secs_f64();
        let faults = fault_figures(&totals);
        let total = total_figures(&totals, &faults, window_s);
        let own_cpu_s = totals.own_cpu.as_secs_f64();
        let started_at = setting.started_at.duration_since(UNIX_EPOCH);
        Self {
            format: FORMAT,
            scenario: setting.scenario,
            target: setting.target,
            command: setting.command,
            asked_rate_per_s: match setting.arrival {
                Arrival::Closed => None,
                Arrival::Open { rate_per_s } => Some(rate_per_s),
            },
            started_at_s: started_at.map_or(0.0, |since| since.as_secs_f64()),
            connections: setting.connections,
            ready: totals.ready,
            window_s,
            own_cpu_s,
            own_cpu_us_per_operation: quotient(own_cpu_s * 1e6, float(total.count)),
            total,
            operations: totals
                .operations
                .iter()
                .map(|operation| operation_figures(operation, window_s))
                .collect(),
            faults,
            intervals: totals.intervals,
        }
    }

    /// The rows of a table: every operation, and all together. A lone operation is the total
    /// already, unless there are errors outside of it.
    pub(super) fn rows(&self) -> impl Iterator<Item = &OperationFigures> {
        let is_total = match self.operations.as_slice() {
            [alone] => alone.errors != self.total.errors,
            _ => true,
        };
        self.operations
            .iter()
            .chain(is_total.then_some(&self.total))
    }

    /// Operations that were answered rightly.
    #[cfg(test)]
    pub fn count(&self) -> u64 {
        self.total.count
    }

    /// Errors of all kinds.
    pub fn errors(&self) -> u64 {
        self.total.errors
    }

    /// Errors of one kind.
    #[cfg(test)]
    pub fn errors_of(&self, kind: &str) -> u64 {
        let of_kind = self.faults.iter().filter(|fault| fault.kind == kind);
        of_kind.map(|fault| fault.count).sum()
    }

    /// The report for programs: one JSON object on one line.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let mut line = serde_json::to_string(self)?;
        line.push('\n');
        Ok(line)
    }
}

impl Latency {
    fn new(histogram: &Histogram<u64>) -> Self {
        let quantile_ms = |quantile| milliseconds(histogram.value_at_quantile(quantile));
        Self {
            p50_ms: quantile_ms(0.5),
            p90_ms: quantile_ms(0.9),
            p99_ms: quantile_ms(0.99),
            p99_9_ms: quantile_ms(0.999),
            max_ms: milliseconds(histogram.max()),
            mean_ms: histogram.mean() / 1e6,
        }
    }
}

fn operation_figures(operation: &Operation, window_s: f64) -> OperationFigures {
    OperationFigures {
        name: operation.name.clone(),
        count: operation.response_ns.len(),
        errors: operation.errors,
        rate_per_s: quotient(float(operation.in_window), window_s),
        sent_bytes: operation.sent_bytes,
        received_bytes: operation.received_bytes,
        response: Latency::new(&operation.response_ns),
        service: operation.service_ns.as_ref().map(Latency::new),
        curve: curve(&operation.response_ns),
    }
}

fn total_figures(totals: &Totals, faults: &[FaultFigures], window_s: f64) -> OperationFigures {
    let operations = &totals.operations;
    let response_ns = sum(operations.iter().map(|operation| &operation.response_ns));
    let service_ns = sum(operations
        .iter()
        .filter_map(|operation| operation.service_ns.as_ref()));
    let in_window = operations.iter().map(|operation| operation.in_window).sum();
    OperationFigures {
        name: "total".to_owned(),
        count: operations
            .iter()
            .map(|operation| operation.response_ns.len())
            .sum(),
        errors: faults.iter().map(|fault| fault.count).sum(),
        rate_per_s: quotient(float(in_window), window_s),
        sent_bytes: operations
            .iter()
            .map(|operation| operation.sent_bytes)
            .sum(),
        received_bytes: operations
            .iter()
            .map(|operation| operation.received_bytes)
            .sum(),
        response: response_ns.as_ref().map_or(NOTHING, Latency::new),
        service: service_ns.as_ref().map(Latency::new),
        curve: response_ns.as_ref().map(curve).unwrap_or_default(),
    }
}

/// The latencies of no operation.
const NOTHING: Latency = Latency {
    p50_ms: 0.0,
    p90_ms: 0.0,
    p99_ms: 0.0,
    p99_9_ms: 0.0,
    max_ms: 0.0,
    mean_ms: 0.0,
};

/// All histograms together; they have the same bounds, so nothing can be out of range.
fn sum<'a>(mut all: impl Iterator<Item = &'a Histogram<u64>>) -> Option<Histogram<u64>> {
    let first = all.next()?.clone();
    Some(all.fold(first, |mut sum, next| {
        let added = sum.add(next);
        debug_assert!(added.is_ok(), "{added:?}");
        sum
    }))
}

/// Steps of the curve in each halving of what is left above it.
const CURVE_STEPS: u32 = 4;

fn curve(histogram: &Histogram<u64>) -> Vec<(f64, f64)> {
    histogram
        .iter_quantiles(CURVE_STEPS)
        .map(|step| {
            let share = step.quantile_iterated_to();
            (share, milliseconds(step.value_iterated_to()))
        })
        .collect()
}

fn fault_figures(totals: &Totals) -> Vec<FaultFigures> {
    let name = |tally: &Tally| {
        let operation = totals.operations.get(tally.operation?.index())?;
        Some(operation.name.clone())
    };
    let figures = totals.faults.iter().map(|(kind, tally)| FaultFigures {
        kind,
        count: tally.count,
        operation: name(tally),
        example: tally.example.clone(),
    });
    figures.collect()
}
