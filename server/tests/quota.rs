//! Quotas are exact, whoever appends at the same time, and after a crash.

mod harness;

use harness::client::{Client, number_after};
use harness::server::Server;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Connections that append at the same time, to two shards.
const AT_ONCE: usize = 24;
/// Messages that each tries to append.
const EACH: usize = 10;
/// Messages that fit.
const FIT: usize = 100;

const MESSAGE: &[u8] = b"Subject: exact\r\n\r\nsixty-four octets of a message, counted here\r\n..";

fn set(server: &Server, arguments: &str) {
    let words: Vec<String> = arguments.split(' ').map(str::to_string).collect();
    let (done, printed) = server.administer(&words);
    assert!(done, "{arguments}: {printed}");
}

/// Used and limit of a resource, as GETQUOTA tells them.
fn used(server: &Server, name: &str, resource: &str) -> u64 {
    let mut client = Client::login(&server.addresses.imap, name, "secret");
    let told = client.run(&format!("GETQUOTA {name}")).ok().text();
    number_after(&told, resource).expect("the resource is limited")
}

/// Everybody appends at once; how many messages were taken.
fn append_at_once(server: &Server, name: &str) -> usize {
    let taken = AtomicUsize::new(0);
    let together = Barrier::new(AT_ONCE);
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                let mut client = Client::login(&server.addresses.imap, name, "secret");
                together.wait();
                for _ in 0..EACH {
                    let answer = client.append("INBOX", "()", MESSAGE);
                    match answer.is_ok() {
                        true => {
                            taken.fetch_add(1, Ordering::Relaxed);
                        }
                        false => assert!(
                            answer.tagged.starts_with("NO [OVERQUOTA]"),
                            "{}",
                            answer.tagged
                        ),
                    }
                }
            });
        }
    });
    taken.into_inner()
}

#[test]
fn a_quota_is_reached_exactly_by_many_connections_and_kept_through_a_crash() {
    let mut server = Server::start("quota", 2);
    let bytes = MESSAGE.len() * FIT;
    for (name, quota) in [
        ("by-size@localhost", format!("{bytes}")),
        ("by-count@localhost", format!("none --messages {FIT}")),
    ] {
        server.add_account(name, "secret");
        set(&server, &format!("account quota {name} {quota}"));
        assert_eq!(append_at_once(&server, name), FIT, "{name}");
    }
    server.kill();
    server.restart();
    let size = u64::try_from(bytes.div_ceil(1024)).expect("a small number");
    assert_eq!(used(&server, "by-size@localhost", "STORAGE"), size);
    let count = u64::try_from(FIT).expect("a small number");
    assert_eq!(used(&server, "by-count@localhost", "MESSAGE"), count);
    for name in ["by-size@localhost", "by-count@localhost"] {
        let mut client = Client::login(&server.addresses.imap, name, "secret");
        assert!(client.append("INBOX", "()", MESSAGE).is_no(), "{name}");
        assert_eq!(client.select("INBOX"), u32::try_from(FIT).unwrap_or(0));
        client.run("STORE 1 +FLAGS.SILENT (\\Deleted)").ok();
        client.run("EXPUNGE").ok();
        client.append("INBOX", "()", MESSAGE).ok();
        assert!(client.append("INBOX", "()", MESSAGE).is_no(), "{name}");
    }
}

#[test]
fn alerts_survive_a_crash_and_are_told_once_on_whatever_shard() {
    let mut server = Server::start("alerts", 2);
    for n in 0..4 {
        let name = format!("told{n}@localhost");
        server.add_account(&name, "secret");
        set(&server, &format!("alert post --account {name} before"));
    }
    set(&server, "alert post --server everybody");
    server.kill();
    server.restart();
    for n in 0..4 {
        let name = format!("told{n}@localhost");
        // Connections are dealt to the shards by the kernel: some are not the owner's.
        let told: Vec<String> = (0..6)
            .map(|_| {
                let mut client = Client::connect(&server.addresses.imap);
                client.run(&format!("LOGIN {name} secret")).ok().text()
            })
            .collect();
        let told = told.concat();
        assert_eq!(told.matches("[ALERT] before").count(), 1, "{name}: {told}");
        assert_eq!(told.matches("[ALERT] everybody").count(), 1, "{told}");
    }
}
