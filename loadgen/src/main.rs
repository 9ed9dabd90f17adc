//! Load generator for IMAP and LMTP servers: many connections from one thread on one ring.
//!
//! Every answer is checked, so that a fast wrong answer is an error and not a good figure. The
//! way of a byte: `connection` (io_uring) -> `tls` -> `engine` (who does what when) -> `session`
//! (one session's commands) -> `reply` (the grammar) -> `op/<verb>` (what the answer must hold,
//! beside the `shadow` of its mailbox) -> `report`.

#![deny(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::as_conversions
    )
)]

#[allow(
    unsafe_code,
    reason = "the ring reads and writes buffers behind the compiler's back"
)]
mod connection;
mod engine;
mod fault;
mod launch;
mod limits;
mod mail;
mod op;
mod options;
mod pacing;
mod random;
mod reply;
mod report;
mod scenario;
mod session;
mod shadow;
mod tls;
mod wheel;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::options::{CommandLine, Options, Verb};
use crate::scenario::{SHIPPED, Scenario, shipped};

fn main() -> ExitCode {
    match run(&CommandLine::parse().verb) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // There is nobody left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "loadgen: {error}");
            ExitCode::from(2)
        }
    }
}

/// Does what the command line says; returns how many errors the report holds.
fn run(verb: &Verb) -> io::Result<u64> {
    let (name, options, is_preparation) = match verb {
        Verb::Run { scenario, options } => (scenario.as_str(), options, false),
        Verb::Prepare { scenario, options } => (scenario.as_str(), options, true),
        Verb::Noop(options) => ("noop", options, false),
        Verb::Login(options) => ("login-logout", options, false),
        Verb::Fetch(options) => ("fetch-body", options, false),
        Verb::Store(options) => ("store-flags", options, false),
        Verb::Scenarios { name } => return show(name.as_deref()),
    };
    let scenario = launch::scenario(name, options)?;
    let report = launch::run(name, &scenario, options, is_preparation)?;
    write(&report, options)?;
    Ok(report.errors())
}

fn write(report: &report::Report, options: &Options) -> io::Result<()> {
    let text = if options.json {
        report.json().map_err(io::Error::other)?
    } else {
        report.text()
    };
    if let Some(path) = &options.html {
        std::fs::write(path, report.html().map_err(io::Error::other)?)?;
    }
    io::stdout().write_all(text.as_bytes())
}

fn show(name: Option<&str>) -> io::Result<u64> {
    let mut out = io::stdout();
    match name {
        Some(name) => {
            let text = shipped(name)
                .ok_or_else(|| io::Error::other(format!("there is no scenario {name}")))?;
            out.write_all(text.as_bytes())?;
        }
        None => {
            for (name, text) in SHIPPED {
                let about = Scenario::parse(text).map_err(io::Error::other)?.about;
                writeln!(out, "{name:<15} {about}")?;
            }
        }
    }
    Ok(0)
}
