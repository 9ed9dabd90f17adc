//! The command line.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::limits::{CONNECTIONS_MAX, SOURCES_MAX};
use crate::pacing::Gaps;

/// Drives an IMAP or LMTP server with a scenario and checks every answer.
#[derive(Debug, Parser)]
#[command(version)]
pub struct CommandLine {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run a scenario: the name of one that comes with the program, or a file.
    Run {
        /// Name or file.
        scenario: String,
        /// How.
        #[command(flatten)]
        options: Options,
    },
    /// Fill the mailboxes of a scenario, and do no more.
    Prepare {
        /// Name or file.
        scenario: String,
        /// How.
        #[command(flatten)]
        options: Options,
    },
    /// List the scenarios that come with the program, or show the text of one.
    Scenarios {
        /// Which one to show.
        name: Option<String>,
    },
    /// Short for `run noop`.
    Noop(Options),
    /// Short for `run login-logout`.
    Login(Options),
    /// Short for `run fetch-body`.
    Fetch(Options),
    /// Short for `run store-flags`.
    Store(Options),
}

/// How TLS begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TlsKind {
    /// Not at all.
    #[default]
    None,
    /// With the connection (IMAPS).
    Implicit,
    /// With STARTTLS.
    Starttls,
}

/// How to do it.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// The server, as host:port; several are used in turn.
    #[arg(long, required = true, value_delimiter = ',')]
    pub target: Vec<String>,
    /// The server for roles that speak LMTP, if it is another one.
    #[arg(long, value_delimiter = ',')]
    pub lmtp_target: Vec<String>,
    /// Addresses of this machine to connect from, in turn: `127.0.0.2-127.0.0.9`, or single ones.
    #[arg(long, value_delimiter = ',', value_parser = sources)]
    pub source: Vec<Sources>,
    /// Who logs in; `{}` stands for the number of the user.
    #[arg(long, value_parser = printable)]
    pub user: String,
    /// The password of every user.
    #[arg(long, value_parser = printable)]
    pub password: String,
    /// How many users there are, numbered from `--first-user`; connections take turns.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    pub users: Option<u32>,
    /// The number of the first user.
    #[arg(long, default_value_t = 1)]
    pub first_user: u32,
    /// How many connections there are at a time.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(CONNECTIONS_MAX)))]
    pub connections: Option<u32>,
    /// How long to measure, in seconds.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=604_800))]
    pub duration_s: Option<u64>,
    /// Iterations a second, whether or not the server keeps up.
    #[arg(long, value_parser = rate)]
    pub rate: Option<f64>,
    /// What lies between the iterations of `--rate`.
    #[arg(long, value_enum, requires = "rate")]
    pub gaps: Option<Gaps>,
    /// How long an answer may take, in seconds.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub reply_timeout_s: u64,
    /// The mailbox that is selected.
    #[arg(long, value_parser = printable)]
    pub mailbox: Option<String>,
    /// How many messages it holds at least; missing ones are appended before the measurement.
    #[arg(long)]
    pub messages: Option<u32>,
    /// How long messages are that are appended or delivered.
    #[arg(long)]
    pub message_bytes: Option<u32>,
    /// How many recipients a delivery by LMTP has.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=100))]
    pub recipients: Option<u64>,
    /// Append nothing beforehand.
    #[arg(long)]
    pub no_prepare: bool,
    /// Whether connections are encrypted, and from when on.
    #[arg(long, value_enum, default_value_t = TlsKind::None)]
    pub tls: TlsKind,
    /// The certificates that the server's must lead to, as PEM.
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub ca: Option<PathBuf>,
    /// Believe any certificate.
    #[arg(long)]
    pub insecure: bool,
    /// Which choices are made: the same seed, the same choices.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Write a histogram of each second to this file, as HdrHistogram's tools read it.
    #[arg(long, value_name = "FILE")]
    pub interval_log: Option<PathBuf>,
    /// Write the report as a page with charts to this file.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Print no line a second to standard error.
    #[arg(long)]
    pub quiet: bool,
}

/// A range of addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources(pub Vec<IpAddr>);

fn sources(text: &str) -> Result<Sources, String> {
    let Some((first, last)) = text.split_once('-') else {
        let address = text.parse().map_err(|error| format!("{error}"))?;
        return Ok(Sources(vec![address]));
    };
    let number = |text: &str| -> Result<u32, String> {
        let address: Ipv4Addr = text.parse().map_err(|error| format!("{error}"))?;
        Ok(u32::from(address))
    };
    let (first, last) = (number(first)?, number(last)?);
    let count = usize::try_from(last.wrapping_sub(first)).unwrap_or(usize::MAX);
    if last < first || count >= SOURCES_MAX {
        return Err(format!("a range of 1 to {SOURCES_MAX} addresses"));
    }
    let addresses = (first..=last).map(|number| IpAddr::V4(Ipv4Addr::from(number)));
    Ok(Sources(addresses.collect()))
}

fn rate(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|rate: &f64| *rate > 0.0 && *rate <= 10_000_000.0)
        .ok_or_else(|| "above 0, and at most 10,000,000".to_owned())
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

/// The command line without the password.
pub fn shown(words: impl Iterator<Item = String>) -> String {
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

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::{CommandLine, Sources, shown, sources};

    #[test]
    fn the_command_line_is_consistent() {
        CommandLine::command().debug_assert();
    }

    #[test]
    fn the_report_does_not_tell_the_password() {
        for line in [
            "loadgen noop --password secret --json",
            "loadgen noop --password=secret",
        ] {
            let told = shown(line.split(' ').map(str::to_owned));
            assert!(!told.contains("secret"), "{told}");
        }
    }

    fn check(text: &str, expected: Option<(&str, &str, usize)>) {
        let found = sources(text).ok().map(|Sources(addresses)| {
            let ends = (addresses.first(), addresses.last());
            let shown = |address: Option<&std::net::IpAddr>| address.unwrap().to_string();
            (shown(ends.0), shown(ends.1), addresses.len())
        });
        let expected = expected.map(|(a, b, count)| (a.to_owned(), b.to_owned(), count));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn sources_are_single_or_ranges() {
        check("127.0.0.2", Some(("127.0.0.2", "127.0.0.2", 1)));
        check("::1", Some(("::1", "::1", 1)));
        check("127.0.0.2-127.0.0.9", Some(("127.0.0.2", "127.0.0.9", 8)));
        check(
            "127.0.0.254-127.0.1.1",
            Some(("127.0.0.254", "127.0.1.1", 4)),
        );
        check("127.0.0.9-127.0.0.2", None);
        check("10.0.0.0-11.0.0.0", None);
        check("localhost", None);
    }
}
