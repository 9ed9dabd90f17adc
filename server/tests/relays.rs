//! Relays that ISPs use, delivering to the real binary by LMTP: Postfix over TCP and over the UNIX
//! socket, Exim over TCP.
//!
//! A relay that is not installed is skipped with a line that says so. Debian lets Postfix and Exim
//! exclude each other, so one of them usually is.

#[path = "relays/exim.rs"]
mod exim;
mod harness;
#[path = "relays/postfix.rs"]
mod postfix;

use exim::Exim;
use harness::client::Client;
use harness::server::Server;
use harness::wire::Wire;
use postfix::Postfix;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Messages that the relay is given.
const MESSAGES: u32 = 20;

/// A relay of our own that runs.
trait Relay {
    /// Where it takes mail by SMTP.
    fn smtp_port(&self) -> u16;
    /// What it wrote about its work.
    fn log(&self) -> String;
}

/// Where the relay's binary is.
fn installed(tool: &str, package: &str) -> Option<PathBuf> {
    let places = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/usr/local/sbin";
    let mut places = places.split(':').map(|place| Path::new(place).join(tool));
    let found = places.find(|place| place.exists());
    if found.is_none() {
        println!("SKIPPED: {tool} is not installed (apt-get install {package})");
    }
    found
}

fn sample(number: u32) -> String {
    format!(
        "From: Sender <sender@example.org>\r\nTo: one@localhost\r\nSubject: message {number}\r\n\
         Message-ID: <{number}@example.org>\r\n\r\nThis is message {number}.\r\n"
    )
}

/// Hands a message over by SMTP.
fn send(relay: &impl Relay, from: &str, to: &[&str], message: &str) {
    let mut wire = Wire::connect(&format!("127.0.0.1:{}", relay.smtp_port()));
    let mut say = |text: &str, code: &str| {
        if !text.is_empty() {
            wire.send(format!("{text}\r\n").as_bytes())
                .expect("the relay listens");
        }
        let line = wire.line().expect("the relay answers");
        let line = String::from_utf8_lossy(&line).into_owned();
        assert!(line.starts_with(code), "{text}: {line}");
    };
    say("", "220");
    say("HELO client.example.org", "250");
    say(&format!("MAIL FROM:<{from}>"), "250");
    to.iter()
        .for_each(|to| say(&format!("RCPT TO:<{to}>"), "250"));
    say("DATA", "354");
    say(&format!("{message}."), "250");
    say("QUIT", "221");
}

/// Every message reaches both recipients, and one to nobody comes back.
fn check(server: &Server, relay: Result<impl Relay, String>) {
    let relay = match relay {
        Ok(relay) => relay,
        Err(reason) => {
            println!("SKIPPED: the relay does not start here: {reason}");
            return;
        }
    };
    server.add_account("one@localhost", "secret");
    server.add_account("two@localhost", "secret");
    for number in 0..MESSAGES {
        let to = ["one@localhost", "two@localhost"];
        send(&relay, "sender@example.org", &to, &sample(number));
    }
    // A bounce comes back by LMTP too, with the null sender.
    send(
        &relay,
        "one@localhost",
        &["nobody-here@localhost"],
        &sample(100),
    );
    let wait = |account: &str, wanted: u32| {
        let deadline = Instant::now() + Duration::from_secs(60);
        let mut client = Client::login(&server.addresses.imap, account, "secret");
        while client.select("INBOX") < wanted {
            let log = relay.log();
            assert!(
                Instant::now() < deadline,
                "{account} is short of mail:\n{log}"
            );
            std::thread::sleep(Duration::from_millis(200));
        }
        client
    };
    let mut one = wait("one@localhost", MESSAGES + 1);
    let mut two = wait("two@localhost", MESSAGES);
    let fetch = "FETCH 1:* (BODY.PEEK[HEADER.FIELDS (RETURN-PATH)])";
    let text = two.run(fetch).ok().text();
    let paths = text.matches("<sender@example.org>").count();
    assert_eq!(paths, MESSAGES.try_into().unwrap_or(0), "{text}");
    let text = one.run("SEARCH FROM mailer-daemon").ok().text();
    let is_found = text.trim_end().len() > "* SEARCH".len();
    assert!(is_found, "no bounce: {text}");
    println!("{MESSAGES} messages to two recipients and a bounce");
}

#[test]
fn postfix_delivers_by_lmtp() {
    if installed("postfix", "postfix").is_some() {
        let server = Server::start("postfix", 2);
        let lmtp = format!("inet:{}", server.addresses.lmtp);
        check(&server, Postfix::start(&lmtp));
    }
}

#[test]
fn postfix_delivers_by_lmtp_over_the_unix_socket() {
    if !harness::server::is_corepost() {
        println!("SKIPPED: the socket is one of our settings");
    } else if installed("postfix", "postfix").is_some() {
        let server = Server::serve("postfix-unix", 2, "");
        let lmtp = format!("unix:{}", server.lmtp_socket().display());
        check(&server, Postfix::start(&lmtp));
    }
}

#[test]
fn exim_delivers_by_lmtp() {
    if let Some(binary) = installed("exim4", "exim4-daemon-light") {
        let server = Server::start("exim", 2);
        check(&server, Exim::start(&binary, &server.addresses.lmtp));
    }
}
