//! Accounts while the server runs: passwords, deletion, quota and import take effect at once.

mod harness;

use harness::client::Client;
use harness::server::{Server, binary, is_corepost};
use harness::wire::{Wire, show};
use std::io::Write;
use std::process::{Command, Stdio};

/// Runs `corepost account ...` on the running server; what it reads comes from `input`.
fn account(server: &Server, arguments: &[&str], input: &str) {
    let mut child = Command::new(binary())
        .arg("account")
        .args(arguments)
        .arg("--data-dir")
        .arg(server.data_dir())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the binary can be run");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    stdin
        .write_all(input.as_bytes())
        .expect("it reads its input");
    drop(stdin);
    let output = child.wait_with_output().expect("it ends");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "account {arguments:?}: {errors}");
}

fn can_log_in(server: &Server, name: &str, password: &str) -> bool {
    let mut client = Client::connect(&server.addresses.imap);
    client.run(&format!("LOGIN {name} {password}")).is_ok()
}

fn start(what: &str) -> Option<Server> {
    if is_corepost() {
        return Some(Server::start(what, 2));
    }
    println!("SKIPPED: the commands for accounts are ours");
    None
}

#[test]
fn a_new_password_takes_effect_at_once() {
    let Some(server) = start("passwd") else {
        return;
    };
    server.add_account("pass@localhost", "first");
    // Twice, so that the second login comes from what is remembered.
    assert!(can_log_in(&server, "pass@localhost", "first"));
    assert!(can_log_in(&server, "pass@localhost", "first"));
    account(
        &server,
        &["passwd", "pass@localhost", "--password", "second"],
        "",
    );
    assert!(!can_log_in(&server, "pass@localhost", "first"));
    assert!(can_log_in(&server, "pass@localhost", "second"));
}

#[test]
fn a_deleted_account_is_gone_at_once_and_its_name_begins_anew() {
    let Some(server) = start("delete") else {
        return;
    };
    server.add_account("gone@localhost", "secret");
    let mut client = Client::login(&server.addresses.imap, "gone@localhost", "secret");
    client
        .append("INBOX", "()", b"Subject: private\r\n\r\n")
        .ok();
    client.run("CREATE Private").ok();
    client.select("INBOX");
    account(&server, &["delete", "gone@localhost"], "");
    assert!(!can_log_in(&server, "gone@localhost", "secret"));
    // The session that was there ends.
    let tag = client.start(b"FETCH 1 (BODY[])").unwrap_or_default();
    let first = client.wire.response();
    if let Ok(response) = first {
        assert!(response.starts_with(b"* BYE"), "{tag}: {}", show(&response));
    }
    // Nobody who takes the name sees what was there (ids are never used again).
    server.add_account("gone@localhost", "other");
    let mut client = Client::login(&server.addresses.imap, "gone@localhost", "other");
    assert_eq!(client.select("INBOX"), 0);
    assert!(client.run("STATUS Private (MESSAGES)").is_no());
}

#[test]
fn a_full_account_is_refused_at_rcpt_and_at_append() {
    let Some(server) = start("quota") else {
        return;
    };
    server.add_account("small@localhost", "secret");
    server.add_account("large@localhost", "secret");
    account(&server, &["quota", "small@localhost", "10K"], "");
    let mut client = Client::login(&server.addresses.imap, "small@localhost", "secret");
    let message = format!("Subject: x\r\n\r\n{}", "0123456789\r\n".repeat(400));
    let mut refusal = String::new();
    for _ in 0..5 {
        let answer = client.append("INBOX", "()", message.as_bytes());
        if !answer.is_ok() {
            refusal = answer.tagged;
        }
    }
    assert!(refusal.starts_with("NO [OVERQUOTA]"), "{refusal}");
    // Exactly full, so that not even a small message fits.
    let fill = format!(
        "Subject: y\r\n\r\n{}",
        "z".repeat(10 * 1024 - 2 * message.len() - 14)
    );
    client.append("INBOX", "()", fill.as_bytes()).ok();
    let mut lmtp = Wire::connect(&server.addresses.lmtp);
    lmtp.line().expect("a greeting");
    let mut say = |text: &str| {
        lmtp.send(format!("{text}\r\n").as_bytes())
            .expect("LMTP takes lines");
        loop {
            let line = lmtp.line().expect("an answer");
            if line.get(3) != Some(&b'-') {
                return String::from_utf8_lossy(&line).into_owned();
            }
        }
    };
    say("LHLO x");
    say("MAIL FROM:<s@example.org>");
    let answer = say("RCPT TO:<small@localhost>");
    assert!(
        answer.starts_with("452") || answer.starts_with("552"),
        "{answer}"
    );
    assert!(say("RCPT TO:<large@localhost>").starts_with("250"));
    // Expunging makes room.
    client.select("INBOX");
    client.run("STORE 1:* +FLAGS.SILENT (\\Deleted)").ok();
    client.run("EXPUNGE").ok();
    let answer = say("RCPT TO:<small@localhost>");
    assert!(answer.starts_with("250"), "{answer}");
}

#[test]
fn accounts_are_imported_with_ready_hashes() {
    let Some(server) = start("import") else {
        return;
    };
    // Of the password "secret", as other software writes it.
    let hash = Command::new("openssl")
        .args(["passwd", "-6", "-salt", "saltsalt", "secret"])
        .output();
    let Ok(hash) = hash else {
        println!("SKIPPED: openssl is not installed (apt-get install openssl)");
        return;
    };
    let hash = String::from_utf8_lossy(&hash.stdout).trim().to_string();
    let lines =
        format!("# two accounts\none@localhost:{hash}\ntwo@localhost:{{PLAIN}}secret:quota=2G\n");
    account(&server, &["import", "-"], &lines);
    for name in ["one@localhost", "two@localhost"] {
        assert!(can_log_in(&server, name, "secret"), "{name}");
        assert!(!can_log_in(&server, name, "wrong"), "{name}");
    }
}
