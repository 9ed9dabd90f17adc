//! Ends and beginnings: SIGTERM, kill -9, other numbers of shards, a second process, a full store.

mod harness;

use harness::client::{Client, dump};
use harness::server::{Server, demo_command, free_port_base, is_corepost};
use std::time::{Duration, Instant};

/// Accounts in the test over shards; with two shards each has some of them.
const ACCOUNTS: usize = 8;

fn fill(server: &Server, account: &str) {
    let mut client = Client::login(&server.addresses.imap, account, "secret");
    client.run("CREATE Work").ok();
    client.run("CREATE Work/Deep").ok();
    client.run("CREATE Gone").ok();
    client.run("SUBSCRIBE Work/Deep").ok();
    client.run("DELETE Gone").ok();
    for n in 0..30 {
        let body = "line of text\r\n".repeat(n * 37 % 400);
        let message = format!("Subject: {n} of {account}\r\nX-N: {n}\r\n\r\n{body}");
        client
            .append("INBOX", "(\\Seen kept)", message.as_bytes())
            .ok();
    }
    client.select("INBOX");
    client
        .run("STORE 3:9 +FLAGS.SILENT (\\Flagged another)")
        .ok();
    client.run("STORE 5:6 +FLAGS.SILENT (\\Deleted)").ok();
    client.run("EXPUNGE").ok();
    client.run("COPY 1:10 Work").ok();
    client.run("MOVE 2:4 Work/Deep").ok();
    client.run("RENAME Work Job").ok();
}

fn accounts() -> Vec<String> {
    (0..ACCOUNTS)
        .map(|n| format!("keeper{n}@localhost"))
        .collect()
}

fn dumps(server: &Server) -> Vec<String> {
    let address = &server.addresses.imap;
    accounts()
        .iter()
        .map(|account| dump(address, account, "secret"))
        .collect()
}

/// The first difference, so that a failure is readable.
fn assert_same(what: &str, before: &[String], after: &[String]) {
    for (before, after) in before.iter().zip(after) {
        let differs = before.lines().zip(after.lines()).find(|(a, b)| a != b);
        assert!(before == after, "{what}: {differs:?}");
    }
}

#[test]
fn what_is_acknowledged_survives_a_kill_and_other_numbers_of_shards() {
    let mut server = Server::start("restart", 2);
    for account in accounts() {
        server.add_account(&account, "secret");
        fill(&server, &account);
    }
    let before = dumps(&server);
    assert!(
        before.iter().all(|text| text.contains("29 of keeper")),
        "{}",
        before[0]
    );
    // Connections land on both shards, and each account lives on one: the bytes are the same.
    for _ in 0..4 {
        assert_same("another connection", &before, &dumps(&server));
    }
    if !is_corepost() {
        println!("SKIPPED: a stand-in cannot be killed in one blow");
        return;
    }
    server.kill();
    server.restart();
    assert_same("after kill -9", &before, &dumps(&server));
    for shards in [1, 3, 2] {
        assert!(server.terminate().success(), "a clean stop exits with 0");
        server.restart_with_shards(shards);
        assert_same(&format!("with {shards} shards"), &before, &dumps(&server));
    }
    // Life goes on: no UID is used again.
    let mut client = Client::login(&server.addresses.imap, &accounts()[0], "secret");
    let tagged = client
        .append("INBOX", "()", b"Subject: later\r\n\r\n")
        .ok()
        .tagged;
    assert!(tagged.contains(" 31]"), "{tagged}");
}

#[test]
fn counters_never_go_back_over_kills() {
    if !is_corepost() {
        println!("SKIPPED: a stand-in cannot be killed in one blow");
        return;
    }
    let mut server = Server::start("counters", 2);
    server.add_account("count@localhost", "secret");
    let mut seen = Vec::new();
    for round in 0..4 {
        let mut client = Client::login(&server.addresses.imap, "count@localhost", "secret");
        for _ in 0..5 {
            client.append("INBOX", "()", b"Subject: x\r\n\r\n").ok();
        }
        client.select("INBOX");
        client.run("STORE 1:* +FLAGS.SILENT (\\Deleted)").ok();
        client.run("EXPUNGE").ok();
        let status = client
            .run("STATUS INBOX (UIDNEXT UIDVALIDITY HIGHESTMODSEQ)")
            .ok()
            .text();
        let number = |word| harness::client::number_after(&status, word).expect("a number");
        let now = (
            number("UIDVALIDITY"),
            number("UIDNEXT"),
            number("HIGHESTMODSEQ"),
        );
        assert_eq!(now.1, 5 * (round + 1) + 1, "{status}");
        if let Some((validity, _, mod_seq)) = seen.last() {
            assert_eq!(now.0, *validity, "UIDVALIDITY changed");
            assert!(
                now.2 > *mod_seq,
                "HIGHESTMODSEQ fell: {seen:?}, then {now:?}"
            );
        }
        seen.push(now);
        server.kill();
        server.restart();
    }
}

#[test]
fn sigterm_says_bye_and_exits_with_zero() {
    let mut server = Server::start("sigterm", 2);
    server.add_account("bye@localhost", "secret");
    let mut selected = Client::login(&server.addresses.imap, "bye@localhost", "secret");
    selected.select("INBOX");
    let mut idle = Client::login(&server.addresses.imap, "bye@localhost", "secret");
    idle.select("INBOX");
    idle.start(b"IDLE").expect("IDLE can be sent");
    assert!(
        idle.wire
            .response()
            .expect("a continuation")
            .starts_with(b"+")
    );
    let mut fresh = Client::connect(&server.addresses.imap);
    let started = Instant::now();
    let status = server.terminate();
    assert!(status.success(), "{status}");
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    if !is_corepost() {
        return;
    }
    for client in [&mut selected, &mut idle, &mut fresh] {
        let response = client.wire.response().expect("a BYE before the end");
        assert!(
            response.starts_with(b"* BYE"),
            "{}",
            harness::wire::show(&response)
        );
        client.wire.expect_close().expect("the end");
    }
}

#[test]
fn a_second_process_is_told_who_holds_the_data() {
    if !is_corepost() {
        println!("SKIPPED: other servers have other locks");
        return;
    }
    let server = Server::start("second", 1);
    let output = demo_command(server.data_dir(), free_port_base(), 1).output();
    let output = output.expect("the second process can be run");
    assert!(
        !output.status.success(),
        "two processes on one data directory"
    );
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        text.contains(&server.pid().to_string()),
        "no pid in: {text}"
    );
}

#[test]
fn a_full_store_refuses_and_recovers() {
    if !is_corepost() {
        println!("SKIPPED: the bound is one of our settings");
        return;
    }
    let more = "[store]\nsegment_bytes = \"1 MiB\"\nsize_max = \"16 MiB\"\n";
    let server = Server::serve("full", 1, more);
    server.add_account("full@localhost", "secret");
    let mut client = Client::login(&server.addresses.imap, "full@localhost", "secret");
    let message = format!("Subject: big\r\n\r\n{}", "0123456789\r\n".repeat(20_000));
    let mut stored = 0;
    let refusal = loop {
        let answer = client.append("INBOX", "()", message.as_bytes());
        if !answer.is_ok() {
            break answer.tagged;
        }
        stored += 1;
        assert!(stored < 200, "the store takes more than its bound");
    };
    assert!(refusal.starts_with("NO"), "{refusal}");
    assert!(stored > 10, "only {stored} messages fit: {refusal}");
    println!("{stored} messages, then: {refusal}");
    // Reads and expunges go on.
    assert_eq!(client.select("INBOX"), stored);
    let body = client
        .run("FETCH 1 (BODY.PEEK[])")
        .ok()
        .body_after("BODY[]")
        .expect("a body");
    assert!(
        body == message.as_bytes(),
        "the first message is not what was stored"
    );
    client.run("STORE 1:* +FLAGS.SILENT (\\Deleted)").ok();
    client.run("EXPUNGE").ok();
    // And the store takes mail again by itself.
    let deadline = Instant::now() + Duration::from_secs(60);
    while !client.append("INBOX", "()", message.as_bytes()).is_ok() {
        assert!(
            Instant::now() < deadline,
            "no mail is taken after the expunge"
        );
        std::thread::sleep(Duration::from_millis(200));
    }
}
