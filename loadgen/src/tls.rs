//! TLS of one connection, without buffers of its own while nothing is under way.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, UnbufferedClientConnection};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject};
use rustls::unbuffered::{
    ConnectionState, EncodeError, EncodeTlsData, EncryptError, UnbufferedStatus, WriteTraffic,
};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::fault::{Fault, FaultKind};
use crate::limits::{TLS_INCOMING_BYTES_MAX, TLS_RECORD_BYTES_MAX, TLS_SESSIONS_KEPT};

/// How the server's certificate is judged.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'p> {
    /// Any certificate will do: the server is the one under test.
    Anybody,
    /// The certificate must lead to one of this PEM file.
    Authorities(&'p Path),
}

/// What all TLS connections of a run have in common.
#[derive(Clone, Debug)]
pub struct TlsSettings {
    config: Arc<ClientConfig>,
    server: ServerName<'static>,
}

impl TlsSettings {
    /// Settings for a server of that name.
    pub fn new(server: &str, trust: Trust<'_>) -> io::Result<Self> {
        let provider: CryptoProvider = aws_lc_rs::default_provider();
        let algorithms = provider.signature_verification_algorithms;
        let builder = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?;
        let mut config = match trust {
            Trust::Anybody => builder
                .dangerous()
                .with_custom_certificate_verifier(Arc::new(AnyCertificate { algorithms }))
                .with_no_client_auth(),
            Trust::Authorities(path) => {
                let mut roots = RootCertStore::empty();
                let certificates = CertificateDer::pem_file_iter(path).map_err(io::Error::other)?;
                for certificate in certificates {
                    roots
                        .add(certificate.map_err(io::Error::other)?)
                        .map_err(io::Error::other)?;
                }
                builder.with_root_certificates(roots).with_no_client_auth()
            }
        };
        config.resumption = Resumption::in_memory_sessions(TLS_SESSIONS_KEPT);
        let server = ServerName::try_from(server.to_owned()).map_err(io::Error::other)?;
        Ok(Self {
            config: Arc::new(config),
            server,
        })
    }
}

/// Where a connection's TLS stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The handshake needs more from the server.
    Handshaking,
    /// Data may be sent.
    Ready,
    /// The server has said that it sends no more.
    Closed,
}

/// TLS of one connection.
pub struct Tls {
    connection: UnbufferedClientConnection,
    /// The part of a record that has come; empty, and without memory, between records.
    incoming: Vec<u8>,
    standing: Standing,
}

impl Tls {
    /// Begins: `out` is what the server must get first.
    pub fn start(settings: &TlsSettings, out: &mut Vec<u8>) -> Result<Self, Fault> {
        let connection =
            UnbufferedClientConnection::new(Arc::clone(&settings.config), settings.server.clone())
                .map_err(fault)?;
        let mut tls = Self {
            connection,
            incoming: Vec::new(),
            standing: Standing::Handshaking,
        };
        tls.receive(&mut [], out, |_| Ok(()))?;
        Ok(tls)
    }

    /// Takes in what came: `plain` gets the data in it, `out` what the server must get.
    pub fn receive(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
        mut plain: impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<Standing, Fault> {
        if self.incoming.is_empty() {
            let used = self.records(input, out, &mut plain)?;
            self.incoming
                .extend_from_slice(input.get(used..).unwrap_or_default());
        } else {
            let mut incoming = std::mem::take(&mut self.incoming);
            incoming.extend_from_slice(input);
            let used = self.records(&mut incoming, out, &mut plain)?;
            if used < incoming.len() {
                incoming.drain(..used);
                self.incoming = incoming;
            }
        }
        if self.incoming.len() > TLS_INCOMING_BYTES_MAX {
            return Err(Fault::because(FaultKind::Tls, "a record without end"));
        }
        Ok(self.standing)
    }

    /// Encrypts `plain`; the handshake must be over.
    pub fn send(&mut self, plain: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        for chunk in plain.chunks(TLS_RECORD_BYTES_MAX) {
            loop {
                let UnbufferedStatus { state, .. } = self.connection.process_tls_records(&mut []);
                match state.map_err(fault)? {
                    ConnectionState::WriteTraffic(traffic) => {
                        encrypt(traffic, chunk, out)?;
                        break;
                    }
                    ConnectionState::EncodeTlsData(data) => encode(data, out)?,
                    ConnectionState::TransmitTlsData(data) => data.done(),
                    _ => return Err(Fault::because(FaultKind::Tls, "not ready to send")),
                }
            }
        }
        Ok(())
    }

    /// Works off whole records; returns how many bytes are done with.
    fn records(
        &mut self,
        input: &mut [u8],
        out: &mut Vec<u8>,
        plain: &mut impl FnMut(&[u8]) -> Result<(), Fault>,
    ) -> Result<usize, Fault> {
        let mut used = 0;
        loop {
            let rest = input.get_mut(used..).unwrap_or_default();
            let UnbufferedStatus { mut discard, state } = self.connection.process_tls_records(rest);
            let goes_on = match state.map_err(fault)? {
                ConnectionState::ReadTraffic(mut traffic) => {
                    while let Some(record) = traffic.next_record() {
                        let record = record.map_err(fault)?;
                        discard += record.discard;
                        plain(record.payload)?;
                    }
                    true
                }
                ConnectionState::EncodeTlsData(data) => {
                    encode(data, out)?;
                    true
                }
                ConnectionState::TransmitTlsData(data) => {
                    data.done();
                    true
                }
                ConnectionState::WriteTraffic(_) => {
                    self.standing = Standing::Ready;
                    false
                }
                ConnectionState::PeerClosed | ConnectionState::Closed => {
                    self.standing = Standing::Closed;
                    return Ok(input.len());
                }
                _ => false,
            };
            used += discard;
            if !goes_on {
                return Ok(used.min(input.len()));
            }
        }
    }
}

fn encode<D>(mut data: EncodeTlsData<'_, D>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut room = 1_024;
    loop {
        let start = out.len();
        out.resize(start + room, 0);
        match data.encode(out.get_mut(start..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncodeError::InsufficientSize(size)) => {
                out.truncate(start);
                room = size.required_size;
            }
            Err(error @ EncodeError::AlreadyEncoded) => return Err(fault(error)),
        }
    }
}

fn encrypt<D>(
    mut traffic: WriteTraffic<'_, D>,
    plain: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut room = plain.len() + 64;
    loop {
        let start = out.len();
        out.resize(start + room, 0);
        match traffic.encrypt(plain, out.get_mut(start..).unwrap_or_default()) {
            Ok(written) => {
                out.truncate(start + written);
                return Ok(());
            }
            Err(EncryptError::InsufficientSize(size)) => {
                out.truncate(start);
                room = size.required_size;
            }
            Err(error @ EncryptError::EncryptExhausted) => return Err(fault(error)),
        }
    }
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::because(FaultKind::Tls, error)
}

/// Believes every certificate, but not every signature: the handshake itself must be sound.
#[derive(Debug)]
struct AnyCertificate {
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
