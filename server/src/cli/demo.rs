//! What the demo is and what it prints.

use std::io::{self, Write};
use std::net::SocketAddr;

use serde::Serialize;

use crate::config::Config;

/// The account that the demo makes. Loopback only, and said aloud: not a secret.
pub const DEMO_ACCOUNT: &str = "demo@localhost";
/// Its password.
pub const DEMO_PASSWORD: &str = "demo";

/// What `corepost demo` was asked for.
#[derive(Debug)]
pub struct DemoOptions {
    /// What to serve.
    pub config: Config,
    /// Whether a script reads what is printed.
    pub json: bool,
}

/// Where the demo can be reached, once it can.
#[derive(Clone, Debug, Serialize)]
pub struct DemoReady {
    /// IMAP with STARTTLS.
    pub imap: SocketAddr,
    /// IMAP with TLS.
    pub imaps: SocketAddr,
    /// LMTP.
    pub lmtp: SocketAddr,
    /// Health and counters.
    pub admin: SocketAddr,
    /// Who can log in.
    pub account: String,
    /// With which password.
    pub password: String,
}

impl DemoReady {
    /// Prints it: one line of JSON for scripts, or text with a command to try.
    pub fn print(&self, json: bool, output: &mut dyn Write) -> io::Result<()> {
        if json {
            let line = serde_json::to_string(self)?;
            writeln!(output, "{line}")?;
        } else {
            let Self {
                imap,
                imaps,
                lmtp,
                admin,
                account,
                password,
            } = self;
            writeln!(output, "Corepost is ready.")?;
            writeln!(output, "  IMAP     {imap}   (STARTTLS)")?;
            writeln!(output, "  IMAPS    {imaps}")?;
            writeln!(output, "  LMTP     {lmtp}")?;
            writeln!(output, "  admin    http://{admin}/health and /metrics")?;
            writeln!(output, "  account  {account}, password {password}")?;
            writeln!(output, "Try:")?;
            writeln!(
                output,
                "  curl -k --user {account}:{password} imaps://{imaps}/"
            )?;
            writeln!(output, "Stop it with Ctrl-C.")?;
        }
        output.flush()
    }
}
