//! COPY ENCRYPTED against the real server: OpenSSL opens the copies with the certificate's key and
//! finds the very octets of the originals.

mod harness;

use std::path::Path;
use std::process::Command;

use harness::client::{Client, quoted};
use harness::server::{Scratch, Server, is_corepost};

/// A large message, so that its copy goes into the log in chunks.
const LARGE_LINES: usize = 30_000;

/// Runs OpenSSL in a folder; `None` where there is none.
fn openssl(folder: &Path, arguments: &[&str]) -> Option<Vec<u8>> {
    let run = Command::new("openssl")
        .current_dir(folder)
        .args(arguments)
        .output();
    let Ok(output) = run else {
        println!("SKIPPED: openssl is not installed");
        return None;
    };
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "openssl {arguments:?}: {error}");
    Some(output.stdout)
}

/// cert.pem and key.pem in the folder; the certificate as one line of base64.
fn certificate(folder: &Path, kind: &[&str]) -> Option<String> {
    let fixed = "req -x509 -nodes -keyout key.pem -out cert.pem -days 9 -subj /CN=Anna -newkey";
    let arguments: Vec<&str> = fixed.split(' ').chain(kind.iter().copied()).collect();
    openssl(folder, &arguments)?;
    let pem = std::fs::read_to_string(folder.join("cert.pem")).unwrap();
    Some(pem.lines().filter(|line| !line.starts_with('-')).collect())
}

fn originals() -> Vec<Vec<u8>> {
    let small = b"From: a@example.org\r\nSubject: small\r\nMIME-Version: 1.0\r\n\
        Content-Type: text/plain\r\n\r\nwords\r\n.\r\nand \xff more";
    let mut large = b"Subject: large\r\n\r\n".to_vec();
    for line in 0..LARGE_LINES {
        large.extend_from_slice(format!("line {line} of a large message\r\n").as_bytes());
    }
    vec![small.to_vec(), large, b"no header\n".to_vec()]
}

/// Every copy in the selected mailbox opens to its original.
fn check_opens(client: &mut Client, folder: &Path, originals: &[Vec<u8>]) {
    for (number, original) in (1..).zip(originals) {
        let fetched = client.run(&format!("FETCH {number} BODY.PEEK[]")).ok();
        let copy = fetched.body_after("BODY[]").expect("the copy");
        std::fs::write(folder.join("copy.eml"), &copy).unwrap();
        let opened = openssl(
            folder,
            &[
                "cms", "-decrypt", "-in", "copy.eml", "-recip", "cert.pem", "-inkey", "key.pem",
            ],
        );
        assert!(opened.as_ref() == Some(original), "message {number}");
    }
}

#[test]
fn openssl_gives_back_the_exact_messages() {
    if !is_corepost() {
        return;
    }
    let scratch = Scratch::new("encrypted");
    let folder = scratch.path();
    let rsa: &[&str] = &["rsa:2048"];
    let curve: &[&str] = &["ec", "-pkeyopt", "ec_paramgen_curve:P-384"];
    let Some(mut text) = certificate(folder, rsa) else {
        return;
    };
    let mut server = Server::start("encrypted-copy", 2);
    server.add_account("anna@localhost", "secret");
    let mut client = Client::login(&server.addresses.imap, "anna@localhost", "secret");
    let originals = originals();
    for original in &originals {
        client.append("INBOX", "(\\Flagged $Work)", original).ok();
    }
    for (mailbox, kind, command) in [("One", rsa, "COPY"), ("Two", curve, "UID COPY")] {
        if kind == curve {
            text = certificate(folder, curve).unwrap();
        }
        client.run(&format!("CREATE {mailbox}")).ok();
        client.select("INBOX");
        let copy = format!("{command} 1:3 {mailbox} ENCRYPTED {}", quoted(&text));
        client.run(&copy).ok();
        assert_eq!(client.select(mailbox), 3);
        check_opens(&mut client, folder, &originals);
        let flags = client.run("FETCH 1 FLAGS").ok().text();
        assert!(
            flags.contains("\\Flagged") && flags.contains("$Work"),
            "{flags}"
        );
    }
    let mut client = check_own(&mut server, folder, client, &originals);
    client.run("LOGOUT");
}

/// The same to the account's own certificate.
/// A server that was killed still has it.
fn check_own(
    server: &mut Server,
    folder: &Path,
    mut client: Client,
    originals: &[Vec<u8>],
) -> Client {
    let administer = |server: &Server, words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        server.administer(&words)
    };
    client.select("INBOX");
    client.run("CREATE Own").ok();
    assert!(client.run("COPY 1:3 Own ENCRYPTED *").is_no());
    let file = folder.join("cert.pem");
    let set = [
        "account",
        "certificate",
        "anna@localhost",
        file.to_str().unwrap(),
    ];
    assert!(administer(server, &set).0);
    server.kill();
    server.restart();
    let mut client = Client::login(&server.addresses.imap, "anna@localhost", "secret");
    client.select("INBOX");
    client.run("COPY 1:3 Own ENCRYPTED *").ok();
    assert_eq!(client.select("Own"), 3);
    check_opens(&mut client, folder, originals);
    let remove = ["account", "certificate", "anna@localhost", "--remove"];
    assert!(administer(server, &remove).0);
    assert!(client.run("COPY 1 INBOX ENCRYPTED *").is_no());
    // A key is no certificate.
    let key = folder.join("key.pem");
    let set = [
        "account",
        "certificate",
        "anna@localhost",
        key.to_str().unwrap(),
    ];
    assert!(!administer(server, &set).0);
    client
}
