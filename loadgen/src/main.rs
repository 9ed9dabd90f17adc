//! Load generator for IMAP servers: many closed-loop connections from one thread.
//!
//! Every answer is checked, so that a fast wrong answer is an error and not a good figure. The
//! way of a byte: `connection` (io_uring) -> `scenario` (who does what when) -> `session` (one
//! session's commands) -> `reply` (the grammar) -> `op/<verb>` (what the answer must hold) ->
//! `report`.
//!
//! A mailbox must keep its messages during a run: `fetch` and `store` learn them beforehand, and
//! one that is gone is an answer that lacks something.

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
mod fault;
mod limits;
mod op;
mod random;
mod reply;
mod report;
mod scenario;
mod session;

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

use crate::limits::CONNECTIONS_MAX;
use crate::op::Operation;
use crate::op::store::Company;
use crate::scenario::Plan;
use crate::session::Script;

/// What `{}` in a user's name stands for.
const USER_NUMBER: &str = "{}";

/// Drives an IMAP server with one operation on many connections and checks every answer.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// What to do again and again.
    operation: Operation,
    /// The server, as host:port (plaintext).
    #[arg(long)]
    target: String,
    /// Who logs in; `{}` stands for the number of the user.
    #[arg(long, value_parser = printable)]
    user: String,
    /// The password of every user.
    #[arg(long, value_parser = printable)]
    password: String,
    /// How many users there are, numbered from `--first-user`; connections take turns.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    users: u32,
    /// The number of the first user.
    #[arg(long, default_value_t = 1)]
    first_user: u32,
    /// How many connections there are at a time.
    #[arg(long, default_value_t = 10,
        value_parser = clap::value_parser!(u32).range(1..=i64::from(CONNECTIONS_MAX)))]
    connections: u32,
    /// How long to measure, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    duration_s: u64,
    /// How long an answer may take, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    reply_timeout_s: u64,
    /// The mailbox of `fetch` and `store`.
    #[arg(long, default_value = "INBOX", value_parser = printable)]
    mailbox: String,
    /// Which messages are chosen: the same seed, the same choice.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    json: bool,
    /// Write a histogram of each second to this file, as HdrHistogram's tools read it.
    #[arg(long, value_name = "FILE")]
    interval_log: Option<PathBuf>,
    /// Write the report as a page with charts to this file.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print no line a second to standard error.
    #[arg(long)]
    quiet: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            // There is nobody left to tell when standard error is closed.
            let _ = writeln!(io::stderr(), "loadgen: {error}");
            ExitCode::from(2)
        }
    }
}

/// Runs and reports; returns how many errors the report holds.
fn run(arguments: &Arguments) -> io::Result<u64> {
    let report = scenario::run(plan(arguments)?)?;
    let text = if arguments.json {
        report.json().map_err(io::Error::other)?
    } else {
        report.text()
    };
    if let Some(path) = &arguments.html {
        std::fs::write(path, report.html().map_err(io::Error::other)?)?;
    }
    io::stdout().write_all(text.as_bytes())?;
    Ok(report.errors())
}

fn plan(arguments: &Arguments) -> io::Result<Plan> {
    let users: Vec<String> = (0..arguments.connections)
        .map(|connection| {
            let number = u64::from(arguments.first_user) + u64::from(connection % arguments.users);
            arguments.user.replace(USER_NUMBER, &number.to_string())
        })
        .collect();
    let is_alone = arguments.connections == 1
        || (arguments.user.contains(USER_NUMBER) && arguments.users >= arguments.connections);
    Ok(Plan {
        target: resolve(&arguments.target)?,
        users,
        script: Script {
            operation: arguments.operation,
            password: arguments.password.clone(),
            mailbox: arguments.mailbox.clone(),
            company: if is_alone {
                Company::Alone
            } else {
                Company::Shared
            },
        },
        duration: Duration::from_secs(arguments.duration_s),
        reply_timeout: Duration::from_secs(arguments.reply_timeout_s),
        seed: arguments.seed,
        command: command(std::env::args()),
        interval_log: arguments.interval_log.clone(),
        is_quiet: arguments.quiet,
    })
}

/// The command line without the password.
fn command(words: impl Iterator<Item = String>) -> String {
    let mut is_secret = false;
    let shown = words.map(|word| {
        let hidden = std::mem::replace(&mut is_secret, word == "--password");
        match word.split_once('=') {
            _ if hidden => "...".to_owned(),
            Some(("--password", _)) => "--password=...".to_owned(),
            _ => word,
        }
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn resolve(target: &str) -> io::Result<SocketAddr> {
    target
        .to_socket_addrs()?
        .next()
        .ok_or_else(|| io::Error::other("the target has no address"))
}

/// Words that need no literal, which would have to wait for the server's continuation.
fn printable(text: &str) -> Result<String, String> {
    let is_printable = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if !text.is_empty() && text.len() <= 1_000 && text.bytes().all(is_printable) {
        Ok(text.to_owned())
    } else {
        Err("1 to 1,000 printable ASCII characters".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, Parser};

    use super::{Arguments, command, plan};
    use crate::op::store::Company;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    fn check(more: &str, users: &[&str], company: Company) {
        let line = format!("loadgen noop --target 127.0.0.1:143 --password p {more}");
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        let plan = plan(&arguments).unwrap();
        assert_eq!(plan.users, users, "{more}");
        assert_eq!(plan.script.company, company, "{more}");
    }

    #[test]
    fn the_report_does_not_tell_the_password() {
        for line in [
            "loadgen noop --password secret --json",
            "loadgen noop --password=secret",
        ] {
            let told = command(line.split(' ').map(str::to_owned));
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn connections_take_turns_over_users() {
        check("--user a --connections 1", &["a"], Company::Alone);
        check("--user a --connections 2", &["a", "a"], Company::Shared);
        check(
            "--user u{}@x --users 2 --first-user 7 --connections 3",
            &["u7@x", "u8@x", "u7@x"],
            Company::Shared,
        );
        check(
            "--user u{}@x --users 2 --connections 2",
            &["u1@x", "u2@x"],
            Company::Alone,
        );
    }
}
