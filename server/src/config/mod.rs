//! Configuration: one TOML file.
//!
//! `deploy/corepost.sample.toml` documents every key with its default; a test holds it against this
//! code. Unknown keys and bad values are errors that name the line and the right spelling.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use mail_directory::Template;

use crate::net::network::Networks;

mod keys;
mod listen;
mod reader;

pub use reader::{ConfigError, Fault};

/// Everything that the file can say.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Where all data lives.
    pub data_dir: PathBuf,
    /// Shards to run; 0 is one per core.
    pub shards: usize,
    /// The name in greetings and Received headers; empty is the system's.
    pub hostname: String,
    /// The domain of account names without one.
    pub default_domain: String,
    /// Where to listen.
    pub listen: Listen,
    /// Certificates.
    pub tls: Tls,
    /// The store.
    pub store: Store,
    /// Bounds on what clients may do.
    pub limits: Limits,
    /// Mail delivery.
    pub lmtp: Lmtp,
    /// Logging in.
    pub auth: Auth,
    /// New accounts.
    pub accounts: Accounts,
    /// Diagnostics.
    pub log: Log,
}

/// Addresses to listen on.
#[derive(Clone, Debug, PartialEq)]
pub struct Listen {
    /// IMAP, with STARTTLS.
    pub imap: Vec<SocketAddr>,
    /// IMAP with TLS from the first byte.
    pub imaps: Vec<SocketAddr>,
    /// LMTP over TCP.
    pub lmtp: Vec<SocketAddr>,
    /// LMTP over a UNIX socket, if any.
    pub lmtp_socket: Option<PathBuf>,
    /// Sockets with rules of their own.
    pub sockets: Vec<ListenSocket>,
    /// Whose connections to the addresses above begin with a PROXY header.
    pub proxy_from: Networks,
    /// Health and counters over HTTP, if any.
    pub admin: Option<SocketAddr>,
}

/// A socket with rules of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct ListenSocket {
    /// Its address; the unspecified one is every address of its family.
    pub address: SocketAddr,
    /// What is spoken.
    pub protocol: Protocol,
    /// TLS from the first byte.
    pub tls: bool,
    /// Who may connect; empty is everybody.
    pub allow: Networks,
    /// Who may not, even if `allow` has them.
    pub deny: Networks,
    /// Whose connections begin with a PROXY header.
    pub proxy_from: Networks,
}

/// What is spoken on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// IMAP.
    Imap,
    /// LMTP.
    Lmtp,
}

/// Certificates; the first is for clients that name no host or one that no other is for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// Empty: a self-signed certificate is made.
    pub certificates: Vec<CertificateFiles>,
}

/// PEM files, read again when they change.
#[derive(Clone, Debug, PartialEq)]
pub struct CertificateFiles {
    /// The certificate and those that lead to its issuer.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// The store and its memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Store {
    /// Bytes on disk at which new mail is refused; `None` is what the disk holds.
    pub size_max: Option<u64>,
    /// Bytes of one segment file; for new segments.
    pub segment_bytes: u64,
    /// Bytes of recent bodies in memory, per shard.
    pub body_cache_bytes: u64,
    /// Bytes of mailbox indexes in memory, per shard.
    pub index_cache_bytes: u64,
}

/// Bounds on what clients may do.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// Largest message, by APPEND (APPENDLIMIT) and by LMTP (SIZE).
    pub message_bytes_max: u64,
    /// Connections of all kinds.
    pub connections_max: usize,
    /// IMAP connections, in plaintext and with TLS; 0 listens for none.
    pub imap_connections_max: usize,
    /// LMTP connections; 0 listens for none.
    pub lmtp_connections_max: usize,
    /// Sessions of one account; `None` is no bound.
    pub sessions_per_account_max: Option<usize>,
    /// Connections from one address; `None` is no bound.
    pub connections_per_address_max: Option<usize>,
    /// Silence after which a client is logged out.
    pub idle_timeout_s: u64,
    /// Time to log in.
    pub login_timeout_s: u64,
    /// How often a client in IDLE hears that the server is still there; `None` is never.
    pub still_here_s: Option<u64>,
    /// How often a client whose APPEND, COPY, MOVE or SEARCH runs hears so; `None` is never.
    pub running_s: Option<u64>,
    /// Time that a client may leave its output unread.
    pub output_stall_s: u64,
}

/// Mail delivery.
#[derive(Clone, Debug, PartialEq)]
pub struct Lmtp {
    /// What a sender hears when the recipient's quota is used up.
    pub over_quota: OverQuota,
    /// What separates user and folder; `None` switches that off.
    pub recipient_delimiter: Option<char>,
    /// Recipients of one message.
    pub recipients_max: usize,
}

/// The reply code for a full account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OverQuota {
    /// 452: the sender tries again.
    Temporary,
    /// 552: the sender gives the mail back.
    Permanent,
}

/// Logging in.
#[derive(Clone, Debug, PartialEq)]
pub struct Auth {
    /// Whether passwords are taken without TLS from elsewhere than this machine.
    pub plaintext_off_loopback: bool,
    /// Failed logins per account and client network in a minute; `None` is no bound.
    pub failures_per_minute_max: Option<u32>,
    /// Threads that check passwords; 0 is one per core.
    pub hash_threads: usize,
}

/// Accounts and their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Accounts {
    /// What new ones start with, where their domain says nothing else.
    pub template: Template,
    /// Domains of names that a client writes without one; `default_domain` where none fits.
    pub domains: Vec<ClientDomain>,
}

/// Which clients mean this domain by a name without one: the address that they came to decides
/// before the name that they asked TLS for.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientDomain {
    /// The domain, canonical.
    pub name: String,
    /// Those that came to this address of the server.
    pub address: Option<IpAddr>,
    /// Those that asked TLS for this host, in lower case.
    pub tls_name: Option<String>,
}

/// Diagnostics.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// What is worth a line.
    pub level: Level,
    /// Where lines go.
    pub target: LogTarget,
}

/// What is worth a line; each includes those before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Somebody must act.
    Error,
    /// Somebody should look.
    Warn,
    /// Logins, deliveries, start and stop.
    Info,
    /// For finding a fault.
    Debug,
    /// Every line in and out.
    Trace,
}

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogTarget {
    /// Standard error; what a service manager collects.
    Stderr,
    /// A file that is appended to.
    File(PathBuf),
}

impl Config {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&text).map_err(|faults| ConfigError::Invalid {
            path: path.to_owned(),
            faults,
        })
    }

    /// Reads the text of a file; all faults at once.
    pub fn parse(text: &str) -> Result<Self, Vec<Fault>> {
        reader::read(text, keys::config)
    }

    /// What `corepost demo` runs: loopback only, IMAP at `port_base`, IMAPS, LMTP and admin on the
    /// three ports after it, or any free ports if it is 0.
    pub fn demo(data_dir: &Path, port_base: u16, shards: usize) -> Self {
        let port = |offset| match port_base {
            0 => 0,
            base => base.saturating_add(offset),
        };
        let address = |offset| SocketAddr::from(([127, 0, 0, 1], port(offset)));
        Self {
            data_dir: data_dir.to_owned(),
            shards,
            hostname: "localhost".to_owned(),
            listen: Listen {
                imap: vec![address(0)],
                imaps: vec![address(1)],
                lmtp: vec![address(2)],
                lmtp_socket: None,
                sockets: Vec::new(),
                proxy_from: Networks::default(),
                admin: Some(address(3)),
            },
            ..Self::default()
        }
    }

    /// The name in greetings: the configured one or the system's.
    pub fn hostname(&self) -> String {
        if !self.hostname.is_empty() {
            return self.hostname.clone();
        }
        let system = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        match system.trim() {
            "" => "localhost".to_owned(),
            name => name.to_owned(),
        }
    }

    /// How many shards to run on this machine.
    pub fn shards(&self) -> usize {
        match self.shards {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get()),
            shards => shards,
        }
    }
}

impl Default for Config {
    /// What an empty file says.
    fn default() -> Self {
        // An empty file has no faults; `an_empty_file_is_the_default` holds that.
        match Self::parse("") {
            Ok(config) => config,
            Err(faults) => unreachable!("the defaults are faulty: {faults:?}"),
        }
    }
}

#[cfg(test)]
mod tests;
