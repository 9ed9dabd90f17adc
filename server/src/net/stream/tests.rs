//! Connections against rustls's own client: in the simulation at seeded cuts, and over TCP.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore};
use rustls::{SupportedProtocolVersion, version};

use super::Connection;
use crate::net::self_signed::ensure_self_signed;
use crate::net::tls::{CertificateFiles, TlsServer};
use crate::runtime::simulated::{SimulatedRuntime, SimulatedStream, Simulation};
use crate::runtime::{Peer, Runtime, Stream, within};

mod bad_peers;
mod over_tcp;

const LOCAL: Peer = Peer::Unix { uid: None };
const BOTH: [&SupportedProtocolVersion; 2] = [&version::TLS13, &version::TLS12];

/// A certificate for `names` in its own directory under `directory`.
fn certificate(directory: &Path, names: &[&str]) -> CertificateFiles {
    let own = directory.join(names.first().unwrap_or(&"default").replace('*', "any"));
    std::fs::create_dir_all(&own).unwrap();
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    ensure_self_signed(&own, &names).unwrap()
}

fn certificate_of(files: &CertificateFiles) -> CertificateDer<'static> {
    CertificateDer::from_pem_file(&files.chain).unwrap()
}

fn client_config(
    trusted: &[&CertificateFiles],
    versions: &[&'static SupportedProtocolVersion],
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for files in trusted {
        roots.add(certificate_of(files)).unwrap();
    }
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Arc::new(config)
}

/// rustls's buffered client on a simulated stream.
struct Client {
    stream: SimulatedStream,
    tls: ClientConnection,
}

impl Client {
    fn new(stream: SimulatedStream, config: &Arc<ClientConfig>, name: &str) -> Self {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let tls = ClientConnection::new(config.clone(), name).unwrap();
        Self { stream, tls }
    }

    async fn flush(&mut self) {
        let mut records = Vec::new();
        while self.tls.wants_write() {
            self.tls.write_tls(&mut records).unwrap();
        }
        self.stream.write_all(&records).await.unwrap();
    }

    async fn send(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(10_000) {
            self.tls.writer().write_all(piece).unwrap();
            self.flush().await;
        }
    }

    /// Appends what comes next; `false` at the end. An end without close_notify is an error.
    async fn receive(&mut self, plain: &mut Vec<u8>) -> std::io::Result<bool> {
        loop {
            self.flush().await;
            let before = plain.len();
            match self.tls.reader().read_to_end(plain) {
                Ok(_) => return Ok(plain.len() > before),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
            if plain.len() > before {
                return Ok(true);
            }
            let mut records = Vec::new();
            if self.stream.read_into(&mut records).await? == 0 {
                self.tls.read_tls(&mut std::io::empty())?;
            }
            let mut rest = records.as_slice();
            while !rest.is_empty() {
                self.tls.read_tls(&mut rest)?;
                self.tls
                    .process_new_packets()
                    .map_err(std::io::Error::other)?;
            }
        }
    }

    async fn receive_bytes(&mut self, count: usize) -> Vec<u8> {
        let mut plain = Vec::new();
        while plain.len() < count && self.receive(&mut plain).await.unwrap() {}
        plain
    }
}

async fn echo(mut connection: Connection<SimulatedStream>) {
    let mut bytes = Vec::new();
    while connection.read_into(&mut bytes).await.unwrap() > 0 {
        connection.write_all(&bytes).await.unwrap();
        bytes.clear();
    }
    connection.finish().await;
}

/// A simulated TLS connection to an echo server.
fn echo_client(
    simulation: &Simulation,
    tls: &TlsServer,
    config: &Arc<ClientConfig>,
    name: &str,
) -> Client {
    let (client, server) = simulation.connect_pair(LOCAL);
    let tls = tls.clone();
    simulation.runtime().spawn(async move {
        echo(Connection::accept_tls(server, &tls).await.unwrap()).await;
    });
    Client::new(client, config, name)
}

#[test]
fn bytes_pass_both_ways_at_every_fragmentation() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    for version in BOTH {
        let config = client_config(&[&files], &[version]);
        for seed in 0..30 {
            let simulation = Simulation::new(seed);
            let mut client = echo_client(&simulation, &tls, &config, "localhost");
            let outcome = simulation.run_until(async move {
                for bytes in [1usize, 100, 16_384, 16_385, 40_000] {
                    let text: Vec<u8> = (0..bytes).map(|index| (index % 251) as u8).collect();
                    for piece in text.chunks(7_000) {
                        client.send(piece).await;
                        assert!(client.receive_bytes(piece.len()).await == piece);
                    }
                }
                client.tls.send_close_notify();
                client.flush().await;
                client.receive(&mut Vec::new()).await.unwrap()
            });
            assert_eq!(outcome, Ok(false), "seed {seed}");
        }
    }
}

#[test]
fn large_write_arrives_whole_before_a_clean_end() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    for version in BOTH {
        let config = client_config(&[&files], &[version]);
        let simulation = Simulation::new(7);
        let (client, server) = simulation.connect_pair(LOCAL);
        let server_tls = tls.clone();
        let body: Vec<u8> = (0..1_000_000u32).map(|index| (index / 3) as u8).collect();
        let sent = body.clone();
        simulation.runtime().spawn(async move {
            let mut connection = Connection::accept_tls(server, &server_tls).await.unwrap();
            connection.write_all(&sent).await.unwrap();
            connection.finish().await;
            assert!(connection.write_all(b"more").await.is_err());
        });
        let mut client = Client::new(client, &config, "localhost");
        let received = simulation.run_until(async move {
            let mut received = Vec::new();
            while client.receive(&mut received).await.unwrap() {}
            received
        });
        assert!(received.unwrap() == body);
    }
}

#[test]
fn starttls_upgrades_in_place_and_discards_what_stood_behind_it() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let config = client_config(&[&files], &BOTH);
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let (mut client, server) = simulation.connect_pair(LOCAL);
        let (server_tls, config) = (tls.clone(), config.clone());
        let runtime = simulation.runtime();
        runtime.spawn(async move {
            let mut connection = Connection::plain(server);
            let mut received = Vec::new();
            while received.len() < b"a STARTTLS\r\nb LOGOUT\r\n".len() {
                connection.read_into(&mut received).await.unwrap();
            }
            received.drain(..b"a STARTTLS\r\n".len());
            assert!(!connection.is_tls());
            connection.write_all(b"a OK\r\n").await.unwrap();
            let discarded = connection
                .start_tls(&server_tls, &mut received)
                .await
                .unwrap();
            assert_eq!((discarded, received.len()), (b"b LOGOUT\r\n".len(), 0));
            assert!(connection.is_tls());
            assert!(
                connection
                    .start_tls(&server_tls, &mut received)
                    .await
                    .is_err()
            );
            echo(connection).await;
        });
        let outcome = simulation.run_until(async move {
            client
                .write_all(b"a STARTTLS\r\nb LOGOUT\r\n")
                .await
                .unwrap();
            let mut answer = Vec::new();
            while answer.len() < 6 {
                client.read_into(&mut answer).await.unwrap();
            }
            assert_eq!(answer, b"a OK\r\n");
            let mut client = Client::new(client, &config, "localhost");
            client.send(b"c CAPABILITY\r\n").await;
            client.receive_bytes(14).await
        });
        assert_eq!(
            outcome.as_deref(),
            Ok(b"c CAPABILITY\r\n".as_slice()),
            "seed {seed}"
        );
    }
}

/// Name that the client asks for -> which of the certificates it gets.
#[test]
fn certificate_is_chosen_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let files = [
        certificate(directory.path(), &["mail.example.org", "imap.example.org"]),
        certificate(directory.path(), &["*.example.net"]),
        certificate(directory.path(), &["exact.example.net"]),
    ];
    let tls = TlsServer::load(&files).unwrap();
    let config = client_config(&[&files[0], &files[1], &files[2]], &BOTH);
    for (name, expected) in [
        ("mail.example.org", 0),
        ("imap.example.org", 0),
        ("IMAP.Example.ORG", 0),
        ("any.example.net", 1),
        ("exact.example.net", 2),
        // An address is not sent as a name, so this is the default.
        ("127.0.0.1", 0),
        // In every certificate: the first one counts.
        ("localhost", 0),
    ] {
        let simulation = Simulation::new(1);
        let mut client = echo_client(&simulation, &tls, &config, name);
        let served = simulation.run_until(async move {
            client.send(b"x").await;
            client.receive_bytes(1).await;
            client.tls.peer_certificates().unwrap()[0]
                .clone()
                .into_owned()
        });
        assert_eq!(served.unwrap(), certificate_of(&files[expected]), "{name}");
    }
}

#[test]
fn second_connection_resumes_the_first() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    for version in BOTH {
        let config = client_config(&[&files], &[version]);
        let kinds: Vec<_> = (0..3)
            .map(|seed| {
                let simulation = Simulation::new(seed);
                let mut client = echo_client(&simulation, &tls, &config, "localhost");
                let kind = simulation.run_until(async move {
                    client.send(b"x").await;
                    client.receive_bytes(1).await;
                    client.tls.handshake_kind()
                });
                kind.unwrap()
            })
            .collect();
        let expected = [
            HandshakeKind::Full,
            HandshakeKind::Resumed,
            HandshakeKind::Resumed,
        ];
        assert_eq!(kinds, expected.map(Some), "{version:?}");
    }
}

#[test]
fn the_host_that_a_client_asks_for_is_known_also_when_it_resumes() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &["mail.example.org"]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    for version in BOTH {
        let config = client_config(&[&files], &[version]);
        for (seed, name) in (0..).zip(["MAIL.example.org", "MAIL.example.org", "127.0.0.1"]) {
            let simulation = Simulation::new(seed);
            let (client, server) = simulation.connect_pair(LOCAL);
            let tls = tls.clone();
            let mut client = Client::new(client, &config, name);
            simulation.runtime().spawn(async move {
                client.send(b"x").await;
                client.receive_bytes(1).await;
            });
            let asked = simulation.run_until(async move {
                let connection = Connection::accept_tls(server, &tls).await.unwrap();
                let asked = connection.tls_name().map(str::to_owned);
                // The ticket for the next one comes with the first bytes.
                echo(connection).await;
                asked
            });
            let expected = Some("mail.example.org").filter(|_| seed < 2);
            assert_eq!(asked.unwrap().as_deref(), expected, "{version:?} {seed}");
        }
    }
}

#[test]
fn changed_certificate_is_used_and_a_broken_one_is_not() {
    let directory = tempfile::tempdir().unwrap();
    let (files, new) = (
        certificate(directory.path(), &[]),
        certificate(directory.path(), &["new"]),
    );
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let served = |config: &Arc<ClientConfig>| {
        let simulation = Simulation::new(1);
        let mut client = echo_client(&simulation, &tls, config, "localhost");
        let served = simulation.run_until(async move {
            client.send(b"x").await;
            client.receive_bytes(1).await;
            client.tls.peer_certificates().unwrap()[0]
                .clone()
                .into_owned()
        });
        served.unwrap()
    };
    let (old_certificate, new_certificate) = (certificate_of(&files), certificate_of(&new));
    assert_eq!(served(&client_config(&[&files], &BOTH)), old_certificate);
    assert!(!tls.reload_if_changed().unwrap());

    std::fs::rename(&new.key, &files.key).unwrap();
    let mismatch = tls.reload_if_changed().unwrap_err().to_string();
    assert!(mismatch.contains("do not fit"), "{mismatch}");
    std::fs::rename(&new.chain, &files.chain).unwrap();
    assert!(tls.reload_if_changed().unwrap());
    assert_eq!(served(&client_config(&[&files], &BOTH)), new_certificate);

    std::fs::write(&files.chain, "not a certificate").unwrap();
    let broken = tls.reload_if_changed().unwrap_err().to_string();
    assert!(broken.contains("no certificate in PEM"), "{broken}");
    std::fs::remove_file(&files.chain).unwrap();
    let missing = tls.reload_if_changed().unwrap_err().to_string();
    assert!(missing.contains("cannot read"), "{missing}");
}

#[test]
fn keys_may_be_updated_by_the_client() {
    let directory = tempfile::tempdir().unwrap();
    let files = certificate(directory.path(), &[]);
    let tls = TlsServer::load(std::slice::from_ref(&files)).unwrap();
    let config = client_config(&[&files], &[&version::TLS13]);
    for seed in 0..20 {
        let simulation = Simulation::new(seed);
        let mut client = echo_client(&simulation, &tls, &config, "localhost");
        let outcome = simulation.run_until(async move {
            for round in 0..5u8 {
                client.send(&[round; 2000]).await;
                assert_eq!(client.receive_bytes(2000).await, [round; 2000]);
                client.tls.refresh_traffic_keys().unwrap();
                client.flush().await;
            }
        });
        assert_eq!(outcome, Ok(()), "seed {seed}");
    }
}

#[test]
fn self_signed_certificate_is_private_and_reused() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let first = ensure_self_signed(directory.path(), &["mail.test".to_owned()]).unwrap();
    let before = std::fs::read(&first.key).unwrap();
    let second = ensure_self_signed(directory.path(), &["other.test".to_owned()]).unwrap();
    assert_eq!(first, second);
    assert_eq!(std::fs::read(&second.key).unwrap(), before);
    let mode = std::fs::metadata(&first.key).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}
