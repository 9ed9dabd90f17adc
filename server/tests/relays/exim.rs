//! Exim as Debian builds it, in a directory of its own, delivering to the server by LMTP.

use crate::Relay;
use crate::harness::server::{Scratch, free_port_base};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It listens within this time or not at all.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// An Exim of our own: its configuration, spool and log are in the scratch directory.
pub struct Exim {
    scratch: Scratch,
    smtp_port: u16,
    child: Child,
}

impl Exim {
    /// Starts the binary with LMTP to `HOST:PORT`, or says why it cannot be.
    pub fn start(binary: &Path, lmtp: &str) -> Result<Self, String> {
        let scratch = Scratch::new("exim");
        let smtp_port = free_port_base();
        for part in ["spool", "logs"] {
            std::fs::create_dir(scratch.path().join(part)).map_err(|e| e.to_string())?;
        }
        let root = scratch.path().display().to_string();
        let file = scratch.path().join("exim.conf");
        let text = configuration(&root, binary, lmtp, smtp_port);
        std::fs::write(&file, text).map_err(|e| e.to_string())?;
        let owner = Command::new("chown")
            .args(["-R", "Debian-exim"])
            .args([scratch.path().join("spool"), scratch.path().join("logs")])
            .status();
        if !owner.is_ok_and(|status| status.success()) {
            return Err("not root, or no user Debian-exim".into());
        }
        let errors = std::fs::File::create(scratch.path().join("errors"));
        // In the foreground, with a run of the queue every two seconds.
        let child = Command::new(binary)
            .arg("-C")
            .arg(&file)
            .args(["-bdf", "-q2s"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(errors.map_err(|e| e.to_string())?)
            .spawn()
            .map_err(|e| e.to_string())?;
        let mut exim = Self {
            scratch,
            smtp_port,
            child,
        };
        let deadline = Instant::now() + START_TIMEOUT;
        while std::net::TcpStream::connect(("127.0.0.1", smtp_port)).is_err() {
            let is_gone = exim.child.try_wait().is_ok_and(|status| status.is_some());
            if is_gone || Instant::now() > deadline {
                return Err(exim.log());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(exim)
    }
}

impl Relay for Exim {
    fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    fn log(&self) -> String {
        let read = |name: &str| std::fs::read_to_string(self.scratch.path().join(name));
        let parts = ["errors", "logs/main", "logs/panic"].map(read);
        parts.into_iter().filter_map(Result::ok).collect()
    }
}

/// Its only file.
fn configuration(root: &str, binary: &Path, lmtp: &str, smtp_port: u16) -> String {
    let binary = binary.display();
    let (host, port) = lmtp.rsplit_once(':').unwrap_or((lmtp, "24"));
    format!(
        "primary_hostname = relay.example.org\nexim_path = {binary}\n\
         spool_directory = {root}/spool\n\
         log_file_path = {root}/logs/%s\npid_file_path = {root}/spool/pid\n\
         local_interfaces = 127.0.0.1\ndaemon_smtp_ports = {smtp_port}\n\
         acl_smtp_rcpt = accept\nacl_smtp_data = accept\nrfc1413_query_timeout = 0s\n\
         begin routers\n\
         mailboxes:\n  driver = manualroute\n  domains = localhost\n  transport = lmtp\n\
         \x20 route_list = * {host}\n  self = send\n\
         begin transports\n\
         lmtp:\n  driver = smtp\n  protocol = lmtp\n  port = {port}\n  allow_localhost\n\
         \x20 hosts_try_prdr =\n\
         begin retry\n* * F,1h,2s\n"
    )
}

impl Drop for Exim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
