//! What can be written on the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use mail_directory::import::parse_size;

use super::demo::DemoOptions;
use super::mailboxes::Mailbox;
use crate::config::Config;

/// Corepost: a mail access server (IMAP and LMTP).
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Arguments {
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Try it: makes a data directory, a certificate and an account, and serves on loopback.
    Demo(Demo),
    /// Serve as a configuration file says.
    Serve(ConfigFile),
    /// Look for faults in a configuration file.
    CheckConfig(ConfigFile),
    /// Add, change, list and delete accounts.
    #[command(subcommand)]
    Account(Account),
    /// Add, list and delete domains.
    #[command(subcommand)]
    Domain(Domain),
    /// Post, list and remove alerts, which clients show to their users.
    #[command(subcommand)]
    Alert(Alert),
    /// List, make, rename, delete and describe mailboxes of an account.
    #[command(subcommand)]
    Mailbox(Mailbox),
    /// Say where names lead: aliases, addresses elsewhere, refusals.
    #[command(subcommand)]
    Route(Route),
    /// How often clients hear "Running" while a command takes long, until the next start.
    Running {
        /// Seconds, or never.
        #[arg(value_parser = every)]
        every: Every,
        #[command(flatten)]
        server: Which,
    },
}

/// A period on the command line; `never` is none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Every(pub(super) Option<u64>);

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Where the demo's data lives.
    #[arg(long, value_name = "D", default_value = "./corepost-data")]
    data_dir: PathBuf,
    /// IMAP listens at N, IMAPS at N+1, LMTP at N+2, admin at N+3; 0 takes any free ports.
    #[arg(long, value_name = "N", default_value_t = 1143,
          value_parser = clap::value_parser!(u16).range(0..=65_532))]
    port_base: u16,
    /// Threads that own accounts; 0 is one per core.
    #[arg(long, value_name = "N", default_value_t = 0,
          value_parser = clap::value_parser!(u16).range(0..=1024))]
    shards: u16,
    /// Print one line of JSON when ready, and nothing else.
    #[arg(long)]
    json: bool,
}

impl Demo {
    pub(super) fn options(self) -> DemoOptions {
        let shards = usize::from(self.shards);
        DemoOptions {
            config: Config::demo(&self.data_dir, self.port_base, shards),
            json: self.json,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct ConfigFile {
    /// The configuration file.
    #[arg(long, value_name = "F")]
    pub(super) config: PathBuf,
}

#[derive(Debug, Subcommand)]
pub(super) enum Account {
    /// Add an account.
    Add {
        /// user or user@domain.
        name: String,
        #[command(flatten)]
        password: PasswordFrom,
        /// What it may hold, such as 500M or 2G.
        #[arg(long, value_name = "SIZE", value_parser = size)]
        quota: Option<u64>,
        #[command(flatten)]
        server: Which,
    },
    /// Set a new password.
    Passwd {
        /// user or user@domain.
        name: String,
        #[command(flatten)]
        password: PasswordFrom,
        #[command(flatten)]
        server: Which,
    },
    /// List accounts.
    List {
        /// Only this domain.
        #[arg(long)]
        domain: Option<String>,
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Delete an account and all its mail.
    Delete {
        /// user or user@domain.
        name: String,
        #[command(flatten)]
        server: Which,
    },
    /// Set what an account may hold.
    Quota {
        /// user or user@domain.
        name: String,
        /// A size such as 500M or 2G, or none.
        #[arg(value_parser = quota)]
        size: Quota,
        /// Messages in all mailboxes; no bound if it is not given.
        #[arg(long, value_name = "N")]
        messages: Option<u64>,
        #[command(flatten)]
        server: Which,
    },
    /// Change settings, as in quota-alert=90; KEY= takes the domain's value again.
    Set {
        /// user or user@domain.
        name: String,
        /// One or more; `account show` lists all keys.
        #[arg(value_name = "KEY=VALUE", required = true, value_parser = setting)]
        changes: Vec<(String, String)>,
        #[command(flatten)]
        server: Which,
    },
    /// Show all settings.
    Show {
        /// user or user@domain.
        name: String,
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Set the S/MIME certificate that COPY ENCRYPTED * encrypts the account's copies to.
    Certificate {
        /// user or user@domain.
        name: String,
        #[command(flatten)]
        certificate: CertificateFrom,
        #[command(flatten)]
        server: Which,
    },
    /// Add many accounts with ready password hashes.
    ///
    /// A hash is one of crypt's ($6$..., $2b$..., $argon2id$...) or one with its scheme before it
    /// ({SSHA}..., {PLAIN}...). A password behind {PLAIN} that has a colon in it must be followed
    /// by :quota=none or such as :quota=2G, so that nobody has to guess where it ends.
    Import {
        /// Lines of name:hash, name:hash:quota or name:hash:quota=QUOTA; - is standard input.
        file: PathBuf,
        #[command(flatten)]
        server: Which,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Domain {
    /// Add a domain.
    Add {
        /// The domain.
        name: String,
        /// A mailbox that its new accounts start with, as NAME, NAME=\Use (\Sent, \Trash, ...) or
        /// NAME=IPF.Class (IPF.Contact, ...); may be given several times. Without it they start
        /// with the server's.
        #[arg(long, value_name = "NAME[=USE]")]
        mailbox: Vec<String>,
        #[command(flatten)]
        server: Which,
    },
    /// List domains.
    List {
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Change settings of all its accounts that have none of their own; KEY= takes the default.
    Set {
        /// The domain.
        name: String,
        /// One or more; `domain show` lists all keys.
        #[arg(value_name = "KEY=VALUE", required = true, value_parser = setting)]
        changes: Vec<(String, String)>,
        #[command(flatten)]
        server: Which,
    },
    /// Show all settings.
    Show {
        /// The domain.
        name: String,
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Delete a domain without accounts.
    Delete {
        /// The domain.
        name: String,
        #[command(flatten)]
        server: Which,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Alert {
    /// Post an alert: at once to who is logged in, to others at their next login; to each account
    /// once.
    Post {
        #[command(flatten)]
        audience: Audience,
        /// One line of text; clients are sent ASCII, with ? in place of other letters.
        text: String,
        #[command(flatten)]
        server: Which,
    },
    /// List alerts, with their numbers: those of a domain and of the server until they are removed,
    /// those of an account until they are shown.
    List {
        #[command(flatten)]
        audience: Audience,
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Remove an alert: nobody is shown it any more.
    Remove {
        #[command(flatten)]
        audience: Audience,
        /// Its number.
        number: u64,
        #[command(flatten)]
        server: Which,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum Route {
    /// Show the routing table.
    Show {
        /// As a JSON array.
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Which,
    },
    /// Add a record, or replace the one of the same source.
    ///
    /// Mail and logins for the source go to the target. If the target's domain is none of ours,
    /// the account has moved: clients are referred to it, and the MTA hears its new address.
    Set {
        /// user or user@domain; @domain for every name of a domain that has no record of its own;
        /// *@domain for the names of a domain that nobody has.
        source: String,
        /// user or user@domain; @domain for the same name there; reject:TEXT for nowhere.
        target: String,
        #[command(flatten)]
        server: Which,
    },
    /// Remove a record.
    Remove {
        /// Its source.
        source: String,
        #[command(flatten)]
        server: Which,
    },
    /// Show where an address leads.
    Test {
        /// user or user@domain.
        address: String,
        #[command(flatten)]
        server: Which,
    },
}

/// Whom an alert is for.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Audience {
    /// One account.
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
    /// Every account of a domain.
    #[arg(long, value_name = "DOMAIN")]
    pub(super) domain: Option<String>,
    /// Every account.
    #[arg(long = "server")]
    pub(super) all: bool,
}

/// Which server is meant, whether it runs or not.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// The server's data directory.
    #[arg(long, value_name = "D")]
    pub(super) data_dir: Option<PathBuf>,
    /// The server's configuration file.
    #[arg(long, value_name = "F")]
    pub(super) config: Option<PathBuf>,
}

/// A certificate, or none.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct CertificateFrom {
    /// The certificate's file, as PEM or as base64 of DER.
    file: Option<PathBuf>,
    /// Take the certificate away.
    #[arg(long)]
    remove: bool,
}

impl CertificateFrom {
    /// The file's text; nothing where the certificate is to go.
    pub(super) fn read(self) -> Result<Option<String>, String> {
        let read = |file: PathBuf| {
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
        };
        self.file.filter(|_| !self.remove).map(read).transpose()
    }
}

/// Where the password comes from; from a prompt if nothing is given.
#[derive(Args)]
#[group(required = false, multiple = false)]
pub(super) struct PasswordFrom {
    /// The password. Other users of this machine can see it in the list of processes.
    #[arg(long = "password", value_name = "P")]
    pub(super) text: Option<String>,
    /// Read the password from the first line of standard input.
    #[arg(long = "password-stdin")]
    pub(super) stdin: bool,
}

impl std::fmt::Debug for PasswordFrom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PasswordFrom(..)")
    }
}

/// A quota on the command line; `none` is no limit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Quota(pub(super) Option<u64>);

fn size(text: &str) -> Result<u64, String> {
    parse_size(text).ok_or_else(|| "expected a size such as 500M or 2G".to_owned())
}

fn every(text: &str) -> Result<Every, String> {
    match text {
        "never" => Ok(Every(None)),
        text => match text.parse() {
            Ok(seconds @ 1..=86_400) => Ok(Every(Some(seconds))),
            Ok(_) | Err(_) => Err("expected 1 to 86400 seconds, or never".to_owned()),
        },
    }
}

fn quota(text: &str) -> Result<Quota, String> {
    match text {
        "none" => Ok(Quota(None)),
        text => size(text).map(|bytes| Quota(Some(bytes))),
    }
}

fn setting(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}
