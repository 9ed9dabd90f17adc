//! Clients that people use, against the real binary: mbsync, imaplib and curl.
//!
//! A client that is not installed is skipped with a line that says so.

mod harness;

use harness::client::Client;
use harness::server::{Scratch, Server};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Messages that mbsync carries.
const MESSAGES: u32 = 2_000;

fn is_installed(tool: &str, package: &str) -> bool {
    let places = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let found = places
        .split(':')
        .any(|place| Path::new(place).join(tool).exists());
    if !found {
        println!("SKIPPED: {tool} is not installed (apt-get install {package})");
    }
    found
}

fn port(address: &str) -> String {
    address.rsplit(':').next().unwrap_or_default().to_string()
}

fn succeed(what: &str, output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{what}: {}\n{text}\n{errors}",
        output.status
    );
    text
}

/// The server's own certificate, for clients that want to know it.
fn certificate(server: &Server, to: &Path) {
    let output = Command::new("openssl")
        .args(["s_client", "-connect", &server.addresses.imaps])
        .stdin(Stdio::null())
        .output()
        .expect("openssl can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let from = text
        .find("-----BEGIN CERTIFICATE-----")
        .expect("a certificate");
    let mark = "-----END CERTIFICATE-----\n";
    let end = text.find(mark).expect("the end of the certificate") + mark.len();
    std::fs::write(to, &text[from..end]).expect("the certificate can be written");
}

fn sample(n: u32) -> String {
    let lines: String = (0..n % 40)
        .map(|k| format!("line {k} of message {n}\r\n"))
        .collect();
    format!(
        "From: Sender {n} <s{n}@example.org>\r\nTo: you@example.org\r\nSubject: message {n}\r\n\
         Date: Mon, 1 Jan 2024 00:00:00 +0000\r\nMessage-ID: <{n}@example.org>\r\n\r\n{lines}"
    )
}

struct Mbsync {
    scratch: Scratch,
}

impl Mbsync {
    fn new(server: &Server, user: &str) -> Self {
        let scratch = Scratch::new("mbsync");
        let root = scratch.path().display().to_string();
        certificate(server, &scratch.path().join("cert.pem"));
        let (host, far_port) = ("localhost", port(&server.addresses.imaps));
        let config = format!(
            "IMAPAccount a\nHost {host}\nPort {far_port}\nUser {user}\nPass secret\nSSLType IMAPS\n\
             CertificateFile {root}/cert.pem\n\nIMAPStore far\nAccount a\n\n\
             MaildirStore near\nPath {root}/mail/\nInbox {root}/mail/INBOX\nSubFolders Verbatim\n\n\
             Channel c\nFar :far:\nNear :near:\nPatterns INBOX Made\nCreate Both\nRemove Both\n\
             Expunge Both\nSyncState *\nCopyArrivalDate yes\n"
        );
        std::fs::create_dir(scratch.path().join("mail")).expect("a maildir root");
        std::fs::write(scratch.path().join("rc"), config).expect("a configuration");
        Self { scratch }
    }

    fn run(&self, what: &str) {
        let config = self.scratch.path().join("rc");
        let output = Command::new("mbsync")
            .arg("-c")
            .arg(config)
            .arg("c")
            .output();
        succeed(what, &output.expect("mbsync can be run"));
    }

    /// Every message file of a folder with its content.
    fn files(&self, folder: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        for part in ["cur", "new"] {
            let folder = self.scratch.path().join("mail").join(folder).join(part);
            for entry in std::fs::read_dir(folder).expect("a maildir") {
                let path = entry.expect("a folder entry").path();
                files.insert(path.clone(), std::fs::read(&path).expect("a message file"));
            }
        }
        files
    }

    fn file_of(&self, n: u32) -> Option<PathBuf> {
        let wanted = format!("Message-ID: <{n}@example.org>").into_bytes();
        let has = |content: &Vec<u8>| content.windows(wanted.len()).any(|window| window == wanted);
        self.files("INBOX")
            .into_iter()
            .find(|(_, content)| has(content))
            .map(|(path, _)| path)
    }

    /// Gives a message other flags, as a mail program on this side does.
    fn flag(&self, n: u32, flags: &str) {
        let path = self.file_of(n).expect("the message is there");
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let stem = name.split(":2,").next().unwrap_or_default().to_string();
        let to = self
            .scratch
            .path()
            .join("mail/INBOX/cur")
            .join(format!("{stem}:2,{flags}"));
        std::fs::rename(path, to).expect("the file can be renamed");
    }
}

#[test]
fn mbsync_carries_two_thousand_messages_both_ways_over_tls() {
    if !is_installed("mbsync", "isync") || !is_installed("openssl", "openssl") {
        return;
    }
    let server = Server::start("mbsync", 2);
    server.add_account("sync@localhost", "secret");
    let mut far = Client::login(&server.addresses.imap, "sync@localhost", "secret");
    append_samples(&mut far, 1..=20);
    std::thread::scope(|scope| {
        // Several at once: many clients share one sync of the store.
        for part in 0..8 {
            let mut client = Client::login(&server.addresses.imap, "sync@localhost", "secret");
            let numbers = (21..=MESSAGES).filter(move |n| n % 8 == part);
            scope.spawn(move || append_samples(&mut client, numbers));
        }
    });
    let sync = Mbsync::new(&server, "sync@localhost");
    sync.run("the first run");
    let files = sync.files("INBOX");
    assert_eq!(files.len(), MESSAGES as usize);
    let mut near: Vec<String> = files.values().map(|bytes| as_sent(bytes)).collect();
    let mut sent: Vec<String> = (1..=MESSAGES).map(sample).collect();
    near.sort();
    sent.sort();
    assert!(near == sent, "some message is not byte for byte the same");

    change_both_sides(&sync, &mut far);

    // A run with nothing to do does nothing, on either side.
    sync.run("a run that settles");
    let before = (far_state(&mut far), sync.files("INBOX"));
    sync.run("the run that must change nothing");
    let after = (far_state(&mut far), sync.files("INBOX"));
    let differs = before.0.lines().zip(after.0.lines()).find(|(a, b)| a != b);
    assert!(
        before.0 == after.0,
        "a run with nothing to do changed: {differs:?}"
    );
    assert!(
        before.1 == after.1,
        "a run with nothing to do changed files"
    );
    println!("mbsync: {MESSAGES} messages over TLS, both ways, second run changes nothing");
}

fn append_samples(client: &mut Client, numbers: impl Iterator<Item = u32>) {
    for n in numbers {
        let flags = if n.is_multiple_of(3) {
            "(\\Seen)"
        } else {
            "()"
        };
        client.append("INBOX", flags, sample(n).as_bytes()).ok();
    }
}

/// Flags, expunges, new mail and a new mailbox, each carried to the other side.
fn change_both_sides(sync: &Mbsync, far: &mut Client) {
    far.select("INBOX");
    far.run("STORE 5 +FLAGS.SILENT (\\Flagged \\Answered)").ok();
    far.run("STORE 7 +FLAGS.SILENT (\\Deleted)").ok();
    far.run("EXPUNGE").ok();
    far.append("INBOX", "()", sample(MESSAGES + 1).as_bytes())
        .ok();
    sync.flag(10, "FS");
    sync.flag(11, "T");
    let made = sync.scratch.path().join("mail/Made");
    ["cur", "new", "tmp"].iter().for_each(|part| {
        std::fs::create_dir_all(made.join(part)).expect("a maildir");
    });
    std::fs::write(made.join("new/1.a.host"), "Subject: made\n\nhere\n").expect("a message");
    sync.run("the run with changes");
    let flagged = sync.file_of(5).expect("message 5").display().to_string();
    assert!(
        flagged.ends_with("FR") || flagged.ends_with("FRS"),
        "{flagged}"
    );
    assert!(sync.file_of(7).is_none(), "an expunge did not come over");
    assert!(
        sync.file_of(MESSAGES + 1).is_some(),
        "a new message did not come over"
    );
    far.run("NOOP").ok();
    let text = far
        .run("UID SEARCH FLAGGED SEEN SUBJECT \"message 10\"")
        .ok()
        .text();
    assert!(text.contains("SEARCH 10"), "{text}");
    let text = far
        .run("UID SEARCH HEADER MESSAGE-ID \"<11@example.org>\"")
        .ok()
        .text();
    assert!(!text.contains("SEARCH 11"), "{text}");
    let text = far.run("STATUS Made (MESSAGES)").ok().text();
    assert!(text.contains("MESSAGES 1"), "{text}");
}

/// A maildir file has LF and perhaps mbsync's own header.
fn as_sent(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let lines = text.lines().filter(|line| !line.starts_with("X-TUID: "));
    lines.map(|line| format!("{line}\r\n")).collect()
}

/// Everything that a run could have changed; which session has `\Recent` is not part of it.
fn far_state(far: &mut Client) -> String {
    far.run("EXAMINE INBOX").ok();
    let items = "(MESSAGES UIDNEXT UIDVALIDITY HIGHESTMODSEQ)";
    let status = far.run(&format!("STATUS INBOX {items}")).ok().text();
    let rows = far
        .run("UID FETCH 1:* (UID FLAGS INTERNALDATE)")
        .ok()
        .text();
    let text = status + &rows.replace(" \\Recent", "").replace("\\Recent", "");
    text.lines()
        .filter(|line| !line.starts_with("* OK"))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[test]
fn imaplib_has_a_working_day() {
    if !is_installed("python3", "python3") {
        return;
    }
    let server = Server::start("imaplib", 2);
    server.add_account("snake@localhost", "sec\"ret\\");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/imaplib_session.py");
    let output = Command::new("python3")
        .arg(script)
        .args([
            "127.0.0.1",
            &port(&server.addresses.imap),
            &port(&server.addresses.imaps),
        ])
        .args(["snake@localhost", "sec\"ret\\"])
        .output()
        .expect("python3 can be run");
    print!("{}", succeed("imaplib", &output));
}

#[test]
fn curl_reads_and_writes() {
    if !is_installed("curl", "curl") {
        return;
    }
    let server = Server::start("curl", 2);
    server.add_account("curly@localhost", "secret");
    let base = format!("imap://{}", server.addresses.imap);
    let secure = format!("imaps://{}", server.addresses.imaps);
    let scratch = Scratch::new("curl");
    let file = scratch.path().join("message");
    std::fs::write(&file, sample(9)).expect("a message");
    let curl = |arguments: &[&str]| {
        let common = ["-sS", "-k", "-m", "30", "--user", "curly@localhost:secret"];
        Command::new("curl")
            .args(common)
            .args(arguments)
            .output()
            .expect("curl can be run")
    };
    let check = |what: &str, arguments: &[&str], wanted: &str| {
        let text = succeed(what, &curl(arguments));
        assert!(text.contains(wanted), "{what}: {text}");
    };
    let inbox = format!("{base}/INBOX");
    succeed(
        "append",
        &curl(&["-T", &file.display().to_string(), &inbox]),
    );
    check("list", &[&format!("{base}/")], "INBOX");
    check("fetch", &[&format!("{inbox};UID=1")], &sample(9));
    check(
        "fetch by number",
        &[&format!("{inbox};MAILINDEX=1")],
        &sample(9),
    );
    check(
        "search",
        &[&format!("{inbox}?SUBJECT%20message")],
        "SEARCH 1",
    );
    check(
        "section",
        &[&format!("{inbox};UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT)")],
        "message 9",
    );
    check(
        "implicit TLS",
        &[&format!("{secure}/INBOX;UID=1")],
        &sample(9),
    );
    check(
        "STARTTLS",
        &["--ssl-reqd", &format!("{inbox};UID=1")],
        &sample(9),
    );
    check(
        "SASL PLAIN",
        &["--login-options", "AUTH=PLAIN", &format!("{base}/")],
        "INBOX",
    );
    let refused = Command::new("curl")
        .args(["-sS", "-m", "30", "--user", "curly@localhost:wrong", &base])
        .output()
        .expect("curl can be run");
    assert_eq!(
        refused.status.code(),
        Some(67),
        "a wrong password is a login failure"
    );
}
