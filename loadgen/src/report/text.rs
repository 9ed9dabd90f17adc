//! The report for people at a terminal.

use std::fmt::Write as _;

use super::figures::{Latency, OperationFigures, Report};
use super::number::{bytes, float, grouped, latency_ms, quotient, rate};

impl Report {
    /// The report as text, a table of the operations first.
    pub fn text(&self) -> String {
        let mut out = String::new();
        // Writing into a String cannot fail.
        let _ = self.write_text(&mut out);
        out
    }

    /// How operations came.
    pub(super) fn arrival(&self) -> String {
        match self.asked_rate_per_s {
            None => "closed loop".to_owned(),
            Some(asked) => format!("open loop, {} /s asked", rate(asked)),
        }
    }

    fn write_text(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "{} against {}, {}",
            self.scenario,
            self.target,
            self.arrival()
        )?;
        writeln!(
            out,
            "{} of {} connections ready, {:.1} s measured\n",
            grouped(u64::from(self.ready)),
            grouped(u64::from(self.connections)),
            self.window_s
        )?;
        self.write_table(out)?;
        let count = self.total.count;
        let each = |all: u64| quotient(float(all), float(count));
        writeln!(
            out,
            "\nbytes    {} sent, {} received ({:.0} and {:.0} an operation)",
            bytes(self.total.sent_bytes),
            bytes(self.total.received_bytes),
            each(self.total.sent_bytes),
            each(self.total.received_bytes)
        )?;
        writeln!(
            out,
            "own CPU  {:.3} s, {:.2} us an operation",
            self.own_cpu_s, self.own_cpu_us_per_operation
        )?;
        for fault in &self.faults {
            let operation = fault.operation.as_deref().map(|name| format!(" in {name}"));
            writeln!(
                out,
                "error    {} {}, first{}: {}",
                grouped(fault.count),
                fault.kind,
                operation.unwrap_or_default(),
                fault.example
            )?;
        }
        Ok(())
    }

    fn write_table(&self, out: &mut String) -> std::fmt::Result {
        writeln!(
            out,
            "{:<16}{:>11}{:>13}{:>9}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "ms", "rate /s", "count", "errors", "p50", "p90", "p99", "p99.9", "max"
        )?;
        for figures in self.rows() {
            write_row(out, figures)?;
        }
        Ok(())
    }
}

fn write_row(out: &mut String, figures: &OperationFigures) -> std::fmt::Result {
    write!(
        out,
        "{:<16}{:>11}{:>13}{:>9}",
        figures.name,
        rate(figures.rate_per_s),
        grouped(figures.count),
        grouped(figures.errors)
    )?;
    write_latency(out, &figures.response)?;
    if let Some(service) = &figures.service {
        write!(out, "{:<49}", "  service time alone")?;
        write_latency(out, service)?;
    }
    Ok(())
}

fn write_latency(out: &mut String, latency: &Latency) -> std::fmt::Result {
    let columns = [
        latency.p50_ms,
        latency.p90_ms,
        latency.p99_ms,
        latency.p99_9_ms,
        latency.max_ms,
    ];
    for column in columns {
        write!(out, "{:>10}", latency_ms(column))?;
    }
    writeln!(out)
}
