//! One `corepost demo` process with a data directory of its own.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A server may need this long to be ready; a debug build on a busy machine is slow.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The bound on a clean stop that the tests allow.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

static DIRECTORIES: AtomicU32 = AtomicU32::new(0);

/// The binary under test; `COREPOST_TEST_BIN` names another one with the same command line.
pub fn binary() -> String {
    std::env::var("COREPOST_TEST_BIN")
        .unwrap_or_else(|_| env!("CARGO_BIN_EXE_corepost").to_string())
}

/// Whether the binary under test is Corepost itself and not a stand-in.
pub fn is_corepost() -> bool {
    std::env::var_os("COREPOST_TEST_BIN").is_none()
        || std::env::var_os("COREPOST_TEST_IS_COREPOST").is_some()
}

/// A directory that is removed when the value is dropped.
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes an empty directory below the target directory's temporary place.
    pub fn new(what: &str) -> Self {
        let number = DIRECTORIES.fetch_add(1, Ordering::Relaxed);
        let name = format!("corepost-{what}-{}-{number}", std::process::id());
        let base =
            std::env::var_os("COREPOST_TEST_DIR").map_or_else(std::env::temp_dir, PathBuf::from);
        let path = base.join(name);
        std::fs::create_dir_all(&path).expect("the scratch directory can be made");
        Self(path)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if std::env::var_os("COREPOST_TEST_KEEP").is_none() {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// The addresses that the server printed when it was ready.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// Plaintext IMAP.
    pub imap: String,
    /// IMAP over TLS.
    pub imaps: String,
    /// LMTP.
    pub lmtp: String,
    /// Admin HTTP.
    pub admin: String,
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    data_dir: PathBuf,
    port_base: u16,
    shards: usize,
    arguments: Vec<String>,
    /// Where it listens.
    pub addresses: Addresses,
    _scratch: Option<Scratch>,
}

impl Server {
    /// Starts on a fresh data directory.
    pub fn start(what: &str, shards: usize) -> Self {
        let scratch = Scratch::new(what);
        let data_dir = scratch.path().join("data");
        let mut server = Self::start_in(&data_dir, shards, &[]);
        server._scratch = Some(scratch);
        server
    }

    /// Starts on a given data directory with further arguments for `corepost demo`.
    pub fn start_in(data_dir: &Path, shards: usize, arguments: &[&str]) -> Self {
        std::fs::create_dir_all(data_dir).expect("the data directory can be made");
        let port_base = free_port_base();
        let arguments: Vec<String> = arguments.iter().map(|a| (*a).to_string()).collect();
        let (child, addresses) = spawn(data_dir, port_base, shards, &arguments);
        Self {
            child,
            data_dir: data_dir.to_path_buf(),
            port_base,
            shards,
            arguments,
            addresses,
            _scratch: None,
        }
    }

    /// Starts `corepost serve` with a configuration file: `more` is TOML behind the addresses, in
    /// which `{second}` is an address that nothing else listens on. `addresses.imaps` is that too.
    pub fn serve(what: &str, shards: usize, more: &str) -> Self {
        let scratch = Scratch::new(what);
        let data_dir = scratch.path().join("data");
        std::fs::create_dir_all(&data_dir).expect("the data directory can be made");
        let port_base = free_port_base();
        let address = |n: u16| format!("127.0.0.1:{}", port_base + n);
        let addresses = Addresses {
            imap: address(0),
            imaps: address(1),
            lmtp: address(2),
            admin: address(3),
        };
        let more = more.replace("{second}", &addresses.imaps);
        // Keys of the section that is written here belong into it.
        let (listen, more): (Vec<&str>, Vec<&str>) = more
            .split_inclusive('\n')
            .partition(|line| line.starts_with("listen."));
        let listen: String = listen
            .iter()
            .filter_map(|line| line.strip_prefix("listen."))
            .collect();
        let more: String = more.concat();
        let config = format!(
            "data_dir = \"{}\"\nshards = {shards}\n{more}\n[listen]\nimap = [\"{}\"]\nimaps = []\n\
             lmtp = [\"{}\"]\nlmtp_socket = \"{}\"\nadmin = \"{}\"\n{listen}",
            data_dir.display(),
            addresses.imap,
            addresses.lmtp,
            lmtp_socket(&data_dir).display(),
            addresses.admin
        );
        let path = scratch.path().join("corepost.toml");
        std::fs::write(&path, config).expect("the configuration can be written");
        let log = std::fs::File::create(scratch.path().join("data.log")).expect("a log file");
        let mut child = Command::new(binary())
            .args(["serve", "--config"])
            .arg(&path)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the server can be started");
        await_port(&addresses.imap, &mut child);
        await_admin(&path);
        Self {
            child,
            data_dir,
            port_base,
            shards,
            arguments: Vec::new(),
            addresses,
            _scratch: Some(scratch),
        }
    }

    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Where its data is.
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Its UNIX socket for LMTP; `corepost demo` has none.
    pub fn lmtp_socket(&self) -> PathBuf {
        lmtp_socket(&self.data_dir)
    }

    /// Adds an account while the server runs.
    pub fn add_account(&self, name: &str, password: &str) {
        let output = Command::new(binary())
            .args(["account", "add", name, "--password", password, "--data-dir"])
            .arg(&self.data_dir)
            .output()
            .expect("the binary can be run");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            output.status.success(),
            "account add {name}: {} {text}",
            output.status
        );
    }

    /// Runs the command line against it: whether it succeeded, and all that it printed.
    pub fn administer(&self, arguments: &[String]) -> (bool, String) {
        let output = Command::new(binary())
            .args(arguments)
            .arg("--data-dir")
            .arg(&self.data_dir)
            .stdin(Stdio::null())
            .output()
            .expect("the binary can be run");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        (output.status.success(), text)
    }

    /// Power cut for the process: no chance to write anything more.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server can be killed");
        self.child.wait().expect("the server can be waited for");
    }

    /// Starts again on the same data directory and the same ports.
    pub fn restart(&mut self) {
        self.restart_with_shards(self.shards);
    }

    /// Starts again with another number of shards.
    pub fn restart_with_shards(&mut self, shards: usize) {
        self.shards = shards;
        let (child, addresses) = spawn(&self.data_dir, self.port_base, shards, &self.arguments);
        self.child = child;
        self.addresses = addresses;
    }

    /// SIGTERM, and the exit status within the bound.
    pub fn terminate(&mut self) -> ExitStatus {
        signal(self.pid(), "TERM");
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the server can be waited for") {
                return status;
            }
            assert!(
                started.elapsed() < STOP_TIMEOUT,
                "the server did not stop after SIGTERM"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_some() {
            return;
        }
        if !is_corepost() {
            // A stand-in has processes of its own, which only it can end.
            self.terminate();
            return;
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Beside the data directory, which only the server may enter.
fn lmtp_socket(data_dir: &Path) -> PathBuf {
    data_dir.with_file_name("lmtp.sock")
}

/// Sends a signal by name to one process.
pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .arg(format!("-{name}"))
        .arg(pid.to_string())
        .status();
    assert!(
        status.expect("kill can be run").success(),
        "kill -{name} {pid}"
    );
}

/// Four free ports in a row, from a region that is this process's own.
pub fn free_port_base() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..400 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        let place = (std::process::id().wrapping_mul(97).wrapping_add(step * 4)) % 20_000;
        let base = 10_000 + u16::try_from(place).unwrap_or(0) / 4 * 4;
        let free = (0..4).all(|n| std::net::TcpListener::bind(("127.0.0.1", base + n)).is_ok());
        if free {
            return base;
        }
    }
    panic!("no four free ports in a row");
}

/// The command that starts a server, for tests that look at a start which fails.
pub fn demo_command(data_dir: &Path, port_base: u16, shards: usize) -> Command {
    let mut command = Command::new(binary());
    command.args(["demo", "--json", "--port-base", &port_base.to_string()]);
    command
        .args(["--shards", &shards.to_string(), "--data-dir"])
        .arg(data_dir);
    command
}

fn spawn(data_dir: &Path, port_base: u16, shards: usize, more: &[String]) -> (Child, Addresses) {
    let log = data_dir.with_extension("log");
    let errors = std::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log);
    let mut child = demo_command(data_dir, port_base, shards)
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors.expect("the log of the server can be opened"))
        .spawn()
        .expect("the server can be started");
    let stdout = child.stdout.take().expect("standard output is a pipe");
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        // The pipe is drained to its end, so that the server never blocks on it.
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = sender.send(line);
        }
    });
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(line) = receiver.recv_timeout(left) else {
            let _ = child.kill();
            let _ = child.wait();
            let text = std::fs::read_to_string(&log).unwrap_or_default();
            panic!("the server did not come up; its standard error:\n{text}");
        };
        if line.trim_start().starts_with('{') {
            return (child, parse_addresses(&line));
        }
    }
}

fn await_port(address: &str, child: &mut Child) {
    let deadline = Instant::now() + START_TIMEOUT;
    while std::net::TcpStream::connect(address).is_err() {
        let ended = child.try_wait().expect("the server can be waited for");
        assert!(ended.is_none(), "the server ended: {ended:?}");
        assert!(Instant::now() < deadline, "the server did not come up");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The commands of the binary reach a server through its socket, which may open last.
fn await_admin(config: &Path) {
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        let mut command = Command::new(binary());
        command.args(["account", "list", "--config"]).arg(config);
        if command
            .output()
            .expect("the binary can be run")
            .status
            .success()
        {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "the server cannot be administered"
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn parse_addresses(line: &str) -> Addresses {
    let json: serde_json::Value = serde_json::from_str(line).expect("the ready line is JSON");
    let field = |name: &str| json[name].as_str().unwrap_or_default().to_string();
    Addresses {
        imap: field("imap"),
        imaps: field("imaps"),
        lmtp: field("lmtp"),
        admin: field("admin"),
    }
}
