//! Takes finished operations while a run goes on.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use thiserror::Error;

use super::figures::{Report, Totals};
use super::interval::{Gauges, Interval};
use super::interval_log::IntervalLog;
use super::number::{float, milliseconds, quotient, seconds};
use crate::limits::{
    EXAMPLE_BYTES_MAX, FAULT_KINDS_MAX, INTERVALS_MAX, LATENCY_NS_MAX, OPERATION_NAME_BYTES_MAX,
    OPERATIONS_MAX,
};

/// Decimal digits that a histogram keeps of a latency.
const LATENCY_DIGITS: u8 = 3;

/// How operations come.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// The next one starts when the last one is answered: there is no time but that of service.
    Closed,
    /// They come at their own times, and the response time counts from when they were meant to.
    Open {
        /// How many a second.
        rate_per_s: f64,
    },
}

/// What a run is, for the reader of its report.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The scenario's name.
    pub scenario: String,
    /// The server's address.
    pub target: String,
    /// The command line that makes this run again, without passwords.
    pub command: String,
    /// How operations come.
    pub arrival: Arrival,
    /// How many connections were asked for.
    pub connections: u32,
    /// The wall clock at the moment that all times count from. The report tells when the
    /// measurement started.
    pub started_at: SystemTime,
}

/// An operation of a recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationId(usize);

/// One operation that was answered rightly.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    /// Which one.
    pub operation: OperationId,
    /// When it was meant to start. In a closed loop that is when it started.
    pub intended_ns: u64,
    /// When its first octet was handed to the kernel.
    pub started_ns: u64,
    /// When its answer was complete.
    pub ended_ns: u64,
    /// Octets of the command.
    pub sent_bytes: u64,
    /// Octets of the answer.
    pub received_bytes: u64,
}

/// Why a recorder cannot be made.
#[derive(Debug, Error)]
pub enum RecorderError {
    /// The histogram's bounds are nonsense.
    #[error("histogram: {0}")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// An operation's name would not stand in the interval log.
    #[error("operation name {0:?}: 1 to 40 letters, digits, '-' or '_'")]
    Name(String),
    /// There are too many operations.
    #[error("more than {OPERATIONS_MAX} operations")]
    TooMany,
}

/// The figures of a run while it goes on. Recording allocates nothing.
pub struct Recorder {
    setting: Setting,
    ready: u32,
    start_ns: Option<u64>,
    stop_ns: Option<u64>,
    operations: Vec<Operation>,
    faults: BTreeMap<&'static str, Tally>,
    intervals: Vec<Interval>,
    /// All operations of an interval together, kept for its capacity.
    together: Histogram<u64>,
    interval_start_ns: u64,
    interval_errors: u64,
    own_cpu_at_start: Duration,
    own_cpu_at_interval: Duration,
    log: Option<IntervalLog>,
}

/// One operation's figures.
pub(super) struct Operation {
    pub name: String,
    /// Response times since the last interval.
    recent: Histogram<u64>,
    /// Response times up to the last interval.
    pub response_ns: Histogram<u64>,
    /// Service times of an open loop.
    pub service_ns: Option<Histogram<u64>>,
    pub in_window: u64,
    pub errors: u64,
    pub sent_bytes: u64,
    pub received_bytes: u64,
}

/// One kind of error.
pub(super) struct Tally {
    pub count: u64,
    pub operation: Option<OperationId>,
    pub example: String,
}

impl Recorder {
    /// A recorder of nothing yet.
    pub fn new(setting: Setting) -> Result<Self, RecorderError> {
        Ok(Self {
            setting,
            ready: 0,
            start_ns: None,
            stop_ns: None,
            operations: Vec::new(),
            faults: BTreeMap::new(),
            intervals: Vec::new(),
            together: histogram()?,
            interval_start_ns: 0,
            interval_errors: 0,
            own_cpu_at_start: Duration::ZERO,
            own_cpu_at_interval: Duration::ZERO,
            log: None,
        })
    }

    /// Another operation that is counted apart; about half a MiB each.
    pub fn add_operation(&mut self, name: &str) -> Result<OperationId, RecorderError> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if name.is_empty() || name.len() > OPERATION_NAME_BYTES_MAX || !name.bytes().all(is_plain) {
            return Err(RecorderError::Name(name.to_owned()));
        }
        let id = self.operations.len();
        if id >= OPERATIONS_MAX {
            return Err(RecorderError::TooMany);
        }
        let service_ns = match self.setting.arrival {
            Arrival::Closed => None,
            Arrival::Open { .. } => Some(histogram()?),
        };
        self.operations.push(Operation {
            name: name.to_owned(),
            recent: histogram()?,
            response_ns: histogram()?,
            service_ns,
            in_window: 0,
            errors: 0,
            sent_bytes: 0,
            received_bytes: 0,
        });
        Ok(OperationId(id))
    }

    /// The measurement starts, with so many connections ready for it. What was meant to start
    /// before is not counted, so a warm-up needs nothing else.
    pub fn start(&mut self, now_ns: u64, ready: u32, own_cpu: Duration) {
        self.start_ns = Some(now_ns);
        self.ready = ready;
        self.interval_start_ns = now_ns;
        self.own_cpu_at_start = own_cpu;
        self.own_cpu_at_interval = own_cpu;
    }

    /// From the start of the measurement on, writes a line to `sink` for each interval and
    /// operation, in HdrHistogram's format.
    pub fn log_intervals_to(&mut self, sink: Box<dyn Write>) -> io::Result<()> {
        let title = format!("{} against {}", self.setting.scenario, self.setting.target);
        self.log = Some(IntervalLog::new(sink, &title, self.setting.started_at)?);
        Ok(())
    }

    /// An operation was answered rightly. One that began in time and ends late has its latency
    /// counted, or the slowest answers would be the ones that nobody sees; the rate does not
    /// count it.
    pub fn record(&mut self, sample: &Sample) {
        let is_counted = self
            .start_ns
            .is_some_and(|start| sample.intended_ns >= start)
            && self.stop_ns.is_none_or(|stop| sample.intended_ns <= stop);
        let Some(operation) = self.operations.get_mut(sample.operation.0) else {
            return;
        };
        if !is_counted {
            return;
        }
        let response_ns = sample.ended_ns.saturating_sub(sample.intended_ns);
        operation.recent.saturating_record(response_ns);
        if let Some(service) = &mut operation.service_ns {
            service.saturating_record(sample.ended_ns.saturating_sub(sample.started_ns));
        }
        operation.in_window += u64::from(self.stop_ns.is_none_or(|stop| sample.ended_ns <= stop));
        operation.sent_bytes += sample.sent_bytes;
        operation.received_bytes += sample.received_bytes;
    }

    /// An answer was wrong, late or absent, or a connection failed outside of any operation. The
    /// first example of a kind is kept. Errors count from the preparation on.
    pub fn fail(&mut self, operation: Option<OperationId>, kind: &'static str, example: &str) {
        self.interval_errors += 1;
        if let Some(operation) = operation.and_then(|id| self.operations.get_mut(id.0)) {
            operation.errors += 1;
        }
        // Kinds are words of this program; the bound only says so.
        if self.faults.len() >= FAULT_KINDS_MAX && !self.faults.contains_key(kind) {
            return;
        }
        let tally = self.faults.entry(kind).or_insert_with(|| Tally {
            count: 0,
            operation,
            example: example.chars().take(EXAMPLE_BYTES_MAX).collect(),
        });
        tally.count += 1;
    }

    /// Ends an interval; the engine asks each second from the start to the last answer.
    pub fn tick(&mut self, now_ns: u64, gauges: Gauges) -> io::Result<Interval> {
        let start_ns = self.start_ns.unwrap_or(now_ns);
        let interval_start_ns = self.interval_start_ns.clamp(start_ns, now_ns);
        let offset_ns = interval_start_ns.saturating_sub(start_ns);
        let length_ns = now_ns.saturating_sub(interval_start_ns);
        self.together.reset();
        for operation in &mut self.operations {
            if let Some(log) = &mut self.log
                && (length_ns > 0 || !operation.recent.is_empty())
            {
                log.write(&operation.name, &operation.recent, offset_ns, length_ns)?;
            }
            if operation.recent.is_empty() {
                continue;
            }
            // All have the same bounds, so nothing can be out of range.
            self.together
                .add(&operation.recent)
                .map_err(io::Error::other)?;
            operation
                .response_ns
                .add(&operation.recent)
                .map_err(io::Error::other)?;
            operation.recent.reset();
        }
        if let Some(log) = &mut self.log {
            log.flush()?;
        }
        let quantile = |quantile| milliseconds(self.together.value_at_quantile(quantile));
        let interval = Interval {
            start_s: seconds(offset_ns),
            length_s: seconds(length_ns),
            count: self.together.len(),
            errors: self.interval_errors,
            rate_per_s: quotient(float(self.together.len()), seconds(length_ns)),
            p50_ms: quantile(0.5),
            p99_ms: quantile(0.99),
            max_ms: milliseconds(self.together.max()),
            connections: gauges.connections,
            own_cpu_s: gauges
                .own_cpu
                .saturating_sub(self.own_cpu_at_interval)
                .as_secs_f64(),
        };
        self.interval_start_ns = now_ns;
        self.interval_errors = 0;
        self.own_cpu_at_interval = gauges.own_cpu;
        let is_nothing = length_ns == 0 && interval.count == 0;
        if !is_nothing && self.intervals.len() < INTERVALS_MAX {
            self.intervals.push(interval.clone());
        }
        Ok(interval)
    }

    /// The time of measurement is over; answers that are still due may come. A tick before it
    /// keeps the wait for them apart from the last second.
    pub fn stop(&mut self, now_ns: u64) {
        self.stop_ns = Some(now_ns);
    }

    /// The run is over: every answer has come or has been given up.
    pub fn finish(mut self, now_ns: u64, gauges: Gauges) -> io::Result<Report> {
        let is_new = |operation: &Operation| !operation.recent.is_empty();
        if now_ns > self.interval_start_ns || self.operations.iter().any(is_new) {
            self.tick(now_ns, gauges)?;
        }
        let start_ns = self.start_ns.unwrap_or(now_ns);
        let stop_ns = self.stop_ns.unwrap_or(now_ns);
        // Until here it was the moment that all times count from; preparation comes in between.
        self.setting.started_at += Duration::from_nanos(start_ns);
        Ok(Report::new(
            self.setting,
            Totals {
                ready: self.ready,
                window: Duration::from_nanos(stop_ns.saturating_sub(start_ns)),
                own_cpu: gauges.own_cpu.saturating_sub(self.own_cpu_at_start),
                operations: self.operations,
                faults: self.faults,
                intervals: self.intervals,
            },
        ))
    }
}

impl OperationId {
    pub(super) fn index(self) -> usize {
        self.0
    }
}

fn histogram() -> Result<Histogram<u64>, hdrhistogram::CreationError> {
    Histogram::new_with_bounds(1, LATENCY_NS_MAX, LATENCY_DIGITS)
}
