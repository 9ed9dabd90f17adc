//! Mail that is built to hurt: deep, wide, long. It is stored, listed and fetched, and others wait
//! for nothing meanwhile.

mod harness;

use harness::client::{Client, string_after};
use harness::server::{Server, is_corepost};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Levels and parts of the monsters.
const COUNT: usize = 100_000;
/// No command of a bystander may take longer; a debug build on a busy machine is slow.
const PATIENCE: Duration = Duration::from_secs(3);

fn nested() -> Vec<u8> {
    let mut message = b"Subject: nested\r\n".to_vec();
    message.extend(b"Content-Type: message/rfc822\r\n\r\n".repeat(COUNT));
    message.extend(b"Subject: innermost\r\n\r\nthe end\r\n");
    message
}

fn wide() -> Vec<u8> {
    let mut message =
        b"Subject: wide\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n".to_vec();
    message.extend(b"--b\r\nContent-Type: text/plain\r\n\r\nx\r\n".repeat(COUNT));
    message.extend(b"--b--\r\n");
    message
}

fn nested_multiparts() -> Vec<u8> {
    let mut message = b"Subject: nested multiparts\r\n".to_vec();
    for n in 0..20_000 {
        let head = format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n");
        message.extend(head.as_bytes());
    }
    message.extend(b"\r\nthe end\r\n");
    message
}

fn long_header() -> Vec<u8> {
    let mut message = b"Subject: long\r\nTo: ".to_vec();
    message.extend(b"someone <someone@example.org>,\r\n ".repeat(50_000));
    message.extend(b"last@example.org\r\nX-Long: ");
    message.extend(b"x".repeat(1_000_000));
    message.extend(b"\r\n\r\nbody\r\n");
    message
}

/// Another session works on while the monsters pass; returns its slowest command.
fn bystander(server: &Server, stop: &AtomicBool) -> Duration {
    let mut client = Client::login(&server.addresses.imap, "calm@localhost", "secret");
    client
        .append("INBOX", "()", b"Subject: calm\r\n\r\nbody\r\n")
        .ok();
    client.select("INBOX");
    let mut slowest = Duration::ZERO;
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        client.run("FETCH 1 (FLAGS ENVELOPE BODY.PEEK[])").ok();
        client.run("NOOP").ok();
        slowest = slowest.max(started.elapsed());
        std::thread::sleep(Duration::from_millis(2));
    }
    slowest
}

fn pass(server: &Server, monster: &[u8], name: &str) {
    let mut client = Client::login(&server.addresses.imap, "prey@localhost", "secret");
    client.run(&format!("CREATE {name}")).ok();
    client.append(name, "()", monster).ok();
    assert_eq!(client.select(name), 1);
    let answer = client
        .run("FETCH 1 (BODYSTRUCTURE ENVELOPE RFC822.SIZE)")
        .ok();
    assert!(
        answer
            .text()
            .contains(&format!("RFC822.SIZE {}", monster.len())),
        "{name}"
    );
    let answer = client.run("FETCH 1 (BODY.PEEK[])").ok();
    let body = string_after(&answer.untagged[0], "BODY[]").expect("a body");
    assert!(body == monster, "{name} came back as other bytes");
    client
        .run("FETCH 1 (BODY.PEEK[1.1.1.1.1.1.1.1] BODY.PEEK[1.MIME] BODY.PEEK[99999])")
        .ok();
    client.run("SEARCH TEXT \"nowhere at all\"").ok();
    client.run("LOGOUT");
}

#[test]
fn monsters_hurt_nobody() {
    // One shard: the monsters and the bystander share a thread.
    let server = Server::start("monsters", 1);
    server.add_account("prey@localhost", "secret");
    server.add_account("calm@localhost", "secret");
    let stop = AtomicBool::new(false);
    let slowest = std::thread::scope(|scope| {
        let calm = scope.spawn(|| bystander(&server, &stop));
        let monsters: [(&str, Vec<u8>); 4] = [
            ("Nested", nested()),
            ("Wide", wide()),
            ("Multiparts", nested_multiparts()),
            ("Header", long_header()),
        ];
        for (name, monster) in &monsters {
            let started = Instant::now();
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                pass(&server, monster, name)
            }));
            println!(
                "{name}: {} octets in {:?}",
                monster.len(),
                started.elapsed()
            );
            if let Err(panic) = result {
                stop.store(true, Ordering::Relaxed);
                std::panic::resume_unwind(panic);
            }
        }
        stop.store(true, Ordering::Relaxed);
        calm.join().expect("the bystander lives")
    });
    println!("the slowest command of another session took {slowest:?}");
    assert!(
        !is_corepost() || slowest < PATIENCE,
        "another session waited {slowest:?}"
    );
}
