//! Postfix as a newcomer installs it, in a directory of its own, delivering to the server by LMTP.

use crate::Relay;
use crate::harness::server::{Scratch, free_port_base};
use std::process::Command;

/// A Postfix of our own: its configuration, queue and log are in the scratch directory.
pub struct Postfix {
    scratch: Scratch,
    smtp_port: u16,
}

impl Postfix {
    /// Starts it with LMTP to `inet:HOST:PORT` or `unix:PATH`, or says why it cannot be.
    pub fn start(lmtp: &str) -> Result<Self, String> {
        let scratch = Scratch::new("postfix");
        let smtp_port = free_port_base();
        let root = scratch.path().display().to_string();
        for part in ["config", "queue", "data"] {
            std::fs::create_dir(scratch.path().join(part)).map_err(|e| e.to_string())?;
        }
        let (main, master) = configuration(&root, lmtp, smtp_port);
        let config = scratch.path().join("config");
        std::fs::write(config.join("main.cf"), main).map_err(|e| e.to_string())?;
        std::fs::write(config.join("master.cf"), master).map_err(|e| e.to_string())?;
        let owner = Command::new("chown")
            .arg("postfix")
            .arg(scratch.path().join("data"))
            .status();
        if !owner.is_ok_and(|status| status.success()) {
            return Err("not root, or no user postfix".into());
        }
        let postfix = Self { scratch, smtp_port };
        let output = postfix
            .command("start")
            .output()
            .map_err(|e| e.to_string())?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into_owned() + &postfix.log());
        }
        Ok(postfix)
    }

    fn command(&self, verb: &str) -> Command {
        let mut command = Command::new("/usr/sbin/postfix");
        command
            .arg("-c")
            .arg(self.scratch.path().join("config"))
            .arg(verb);
        command
    }
}

impl Relay for Postfix {
    fn smtp_port(&self) -> u16 {
        self.smtp_port
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.path().join("log")).unwrap_or_default()
    }
}

/// The two files of Postfix.
fn configuration(root: &str, lmtp: &str, smtp_port: u16) -> (String, String) {
    let main = format!(
        "compatibility_level = 3.6\nqueue_directory = {root}/queue\n\
         data_directory = {root}/data\n\
         maillog_file = {root}/log\nmaillog_file_prefixes = {root}\n\
         myhostname = relay.example.org\n\
         mydestination =\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
         virtual_mailbox_domains = localhost\nvirtual_transport = lmtp:{lmtp}\n\
         mynetworks = 127.0.0.0/8\nsmtpd_relay_restrictions = permit_mynetworks, reject\n\
         smtpd_recipient_restrictions = permit_mynetworks, reject\nsmtputf8_enable = no\n\
         lmtp_destination_recipient_limit = 50\nminimal_backoff_time = 2s\nalias_maps =\n\
         local_transport = error:no local mail\nlocal_recipient_maps =\nqueue_run_delay = 2s\n"
    );
    let master = format!(
        "127.0.0.1:{smtp_port} inet n - n - - smtpd\npickup unix n - n 60 1 pickup\n\
         cleanup unix n - n - 0 cleanup\nqmgr unix n - n 300 1 qmgr\n\
         rewrite unix - - n - - trivial-rewrite\nbounce unix - - n - 0 bounce\n\
         defer unix - - n - 0 bounce\ntrace unix - - n - 0 bounce\n\
         verify unix - - n - 1 verify\n\
         flush unix n - n 1000? 0 flush\nproxymap unix - - n - - proxymap\n\
         smtp unix - - n - - smtp\nlmtp unix - - n - - lmtp\nerror unix - - n - - error\n\
         retry unix - - n - - error\nanvil unix - - n - 1 anvil\nscache unix - - n - 1 scache\n\
         postlog unix-dgram n - n - 1 postlogd\n"
    );
    (main, master)
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = self.command("stop").output();
    }
}
