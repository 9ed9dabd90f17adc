//! The interval log: one compressed histogram a second and operation, as HdrHistogram's own tools
//! read it.
//!
//! The recorded values are nanoseconds of response time. Every line is written when its second is
//! over, so that a run that is killed leaves what it measured.

use std::io::{self, Write};
use std::time::{Duration, SystemTime};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{
    IntervalLogWriterBuilder, IntervalLogWriterError, Tag,
};

/// The version of the format, for readers that ask; the crate leaves it out.
const FORMAT: &str = "[Histogram log format version 1.3]";

/// Where the lines go.
pub struct IntervalLog {
    sink: Box<dyn Write>,
    serializer: V2DeflateSerializer,
}

impl IntervalLog {
    /// Writes the head. Times of intervals are relative to `started_at`.
    pub fn new(mut sink: Box<dyn Write>, title: &str, started_at: SystemTime) -> io::Result<Self> {
        let mut serializer = V2DeflateSerializer::new();
        let mut builder = IntervalLogWriterBuilder::new();
        builder
            .add_comment(FORMAT)
            .add_comment(title)
            .add_comment("response time in nanoseconds, one tag an operation")
            .with_start_time(started_at)
            .with_base_time(started_at);
        builder.begin_log_with(&mut sink, &mut serializer)?;
        Ok(Self { sink, serializer })
    }

    /// Writes one line.
    pub fn write(
        &mut self,
        operation: &str,
        histogram: &Histogram<u64>,
        start_ns: u64,
        length_ns: u64,
    ) -> io::Result<()> {
        // A builder without a head writes nothing, so there can be a new writer for each line.
        IntervalLogWriterBuilder::new()
            .begin_log_with(&mut self.sink, &mut self.serializer)?
            .write_histogram(
                histogram,
                Duration::from_nanos(start_ns),
                Duration::from_nanos(length_ns),
                Tag::new(operation),
            )
            .map_err(|error| match error {
                IntervalLogWriterError::IoError(error) => error,
                IntervalLogWriterError::SerializeError(error) => io::Error::other(error),
            })
    }

    /// Hands what was written to the system.
    pub fn flush(&mut self) -> io::Result<()> {
        self.sink.flush()
    }
}
