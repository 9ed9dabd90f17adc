//! A handshake and data against a server in memory, in pieces of any size.

use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection};

use super::{Standing, Tls, TlsSettings, Trust};

struct Server {
    connection: ServerConnection,
    certificate: String,
    /// The data that came.
    plain: Vec<u8>,
}

fn config() -> (Arc<ServerConfig>, String) {
    let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signed.signing_key.serialize_der()));
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), signed.cert.pem())
}

impl Server {
    fn new() -> Self {
        let (config, certificate) = config();
        Self {
            connection: ServerConnection::new(config).unwrap(),
            certificate,
            plain: Vec::new(),
        }
    }

    /// Takes in what the client sent; gives what it must get.
    fn exchange(&mut self, mut records: &[u8]) -> Vec<u8> {
        while !records.is_empty() {
            self.connection.read_tls(&mut records).unwrap();
            let state = self.connection.process_new_packets().unwrap();
            let mut data = vec![0; state.plaintext_bytes_to_read()];
            self.connection.reader().read_exact(&mut data).unwrap();
            self.plain.extend(data);
        }
        let mut out = Vec::new();
        while self.connection.wants_write() {
            self.connection.write_tls(&mut out).unwrap();
        }
        out
    }
}

/// Hands `records` to the client in pieces; returns the data in them.
fn feed(tls: &mut Tls, records: &[u8], piece_bytes: usize, out: &mut Vec<u8>) -> Vec<u8> {
    let mut plain = Vec::new();
    for piece in records.chunks(piece_bytes) {
        let mut piece = piece.to_vec();
        tls.receive(&mut piece, out, |data| {
            plain.extend_from_slice(data);
            Ok(())
        })
        .unwrap();
    }
    plain
}

fn check(piece_bytes: usize) {
    let mut server = Server::new();
    let settings = TlsSettings::new("localhost", Trust::Anybody).unwrap();
    let mut out = Vec::new();
    let mut tls = Tls::start(&settings, &mut out).unwrap();
    let mut plain = Vec::new();
    while !out.is_empty() {
        let records = server.exchange(&out);
        out.clear();
        plain.extend(feed(&mut tls, &records, piece_bytes, &mut out));
    }
    assert_eq!(tls.standing, Standing::Ready, "pieces of {piece_bytes}");
    let body = vec![b'x'; 40_000];
    server.connection.writer().write_all(&body).unwrap();
    let records = server.exchange(&[]);
    plain.extend(feed(&mut tls, &records, piece_bytes, &mut out));
    assert_eq!(plain, body, "pieces of {piece_bytes}");
    assert_eq!(
        tls.incoming.capacity(),
        0,
        "a silent connection keeps no buffer"
    );
    tls.send(&body, &mut out).unwrap();
    server.exchange(&out);
    assert_eq!(server.plain, body, "pieces of {piece_bytes}");
}

#[test]
fn data_comes_whole_whatever_pieces_records_come_in() {
    for piece_bytes in [1, 7, 100, 4_096, 1 << 20] {
        check(piece_bytes);
    }
}

#[test]
fn an_authority_vouches_for_its_server_alone() {
    for is_own in [true, false] {
        let mut server = Server::new();
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let certificate = if is_own {
            server.certificate.clone()
        } else {
            config().1
        };
        file.write_all(certificate.as_bytes()).unwrap();
        let settings = TlsSettings::new("localhost", Trust::Authorities(file.path())).unwrap();
        let mut out = Vec::new();
        let mut tls = Tls::start(&settings, &mut out).unwrap();
        let mut records = server.exchange(&out);
        let result = tls.receive(&mut records, &mut out, |_| Ok(()));
        assert_eq!(result.is_ok(), is_own, "{result:?}");
    }
}
