//! A blocking connection, plain or TLS, that reads whole responses: lines with their literals.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// How long an answer may take before a test fails.
pub const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// Why there is no response.
#[derive(Debug, PartialEq, Eq)]
pub enum ReadError {
    /// Nothing came in time.
    Silence,
    /// The server closed or reset the connection.
    Closed,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    Gone,
}

/// One connection to the server.
pub struct Wire {
    stream: Stream,
    received: Vec<u8>,
    consumed: usize,
}

impl Wire {
    /// Connects in plaintext.
    pub fn connect(address: &str) -> Self {
        Self::try_connect(address).unwrap_or_else(|e| panic!("{address}: {e:?}"))
    }

    /// The same where the server may be gone.
    pub fn try_connect(address: &str) -> Result<Self, ReadError> {
        let stream = TcpStream::connect(address).map_err(|_| ReadError::Closed)?;
        stream.set_nodelay(true).map_err(|_| ReadError::Closed)?;
        Ok(Self {
            stream: Stream::Plain(stream),
            received: Vec::new(),
            consumed: 0,
        })
    }

    /// Connects with implicit TLS.
    pub fn connect_tls(address: &str) -> Self {
        let mut wire = Self::connect(address);
        wire.start_tls();
        wire
    }

    /// Turns a plaintext connection into a TLS one, handshake included.
    pub fn start_tls(&mut self) {
        let Stream::Plain(tcp) = std::mem::replace(&mut self.stream, Stream::Gone) else {
            panic!("TLS inside TLS");
        };
        tcp.set_read_timeout(Some(ANSWER_TIMEOUT))
            .expect("a timeout can be set");
        let name = ServerName::try_from("localhost").expect("a valid name");
        let session = ClientConnection::new(client_config(), name).expect("a client session");
        let mut stream = StreamOwned::new(session, tcp);
        while stream.conn.is_handshaking() {
            stream
                .conn
                .complete_io(&mut stream.sock)
                .expect("the TLS handshake succeeds");
        }
        self.stream = Stream::Tls(Box::new(stream));
    }

    /// Sends all the bytes in one write.
    pub fn send(&mut self, bytes: &[u8]) -> Result<(), ReadError> {
        let sent = match &mut self.stream {
            Stream::Plain(tcp) => tcp.write_all(bytes),
            Stream::Tls(tls) => tls.write_all(bytes).and_then(|()| tls.flush()),
            Stream::Gone => return Err(ReadError::Closed),
        };
        sent.map_err(|_| ReadError::Closed)
    }

    /// The next response with its literals, without its last CRLF.
    pub fn response(&mut self) -> Result<Vec<u8>, ReadError> {
        self.response_within(ANSWER_TIMEOUT)
    }

    /// The same with another patience.
    pub fn response_within(&mut self, patience: Duration) -> Result<Vec<u8>, ReadError> {
        let deadline = Instant::now() + patience;
        let mut end = 0;
        loop {
            let line_end = self.find_line_end(end, deadline)?;
            let literal = literal_bytes(&self.unread()[end..line_end]);
            end = line_end + 2;
            match literal {
                Some(length) => {
                    end += length;
                    while self.unread().len() < end {
                        self.fill(deadline)?;
                    }
                }
                None => break,
            }
        }
        Ok(self.take(end))
    }

    /// The next line, whatever it holds (LMTP has no literals).
    pub fn line(&mut self) -> Result<Vec<u8>, ReadError> {
        let end = self.find_line_end(0, Instant::now() + ANSWER_TIMEOUT)? + 2;
        Ok(self.take(end))
    }

    /// Whether whole lines already wait, without blocking: what came while no command ran.
    pub fn has_waiting_line(&mut self) -> Result<bool, ReadError> {
        match self.fill(Instant::now() + Duration::from_millis(1)) {
            Ok(()) | Err(ReadError::Silence) => {}
            Err(ReadError::Closed) => return Err(ReadError::Closed),
        }
        Ok(self.unread().windows(2).any(|pair| pair == b"\r\n"))
    }

    /// Waits for the server to close; anything else that comes is an error.
    pub fn expect_close(&mut self) -> Result<(), String> {
        if !self.unread().is_empty() {
            return Err(format!("data before the end: {}", show(self.unread())));
        }
        match self.fill(Instant::now() + ANSWER_TIMEOUT) {
            Err(ReadError::Closed) => Ok(()),
            Err(ReadError::Silence) => Err("the server keeps the connection open".into()),
            Ok(()) => Err(format!("data before the end: {}", show(self.unread()))),
        }
    }

    fn take(&mut self, bytes: usize) -> Vec<u8> {
        let taken = self.unread()[..bytes - 2].to_vec();
        self.consumed += bytes;
        if self.consumed == self.received.len() {
            self.received.clear();
            self.consumed = 0;
        }
        taken
    }

    fn unread(&self) -> &[u8] {
        &self.received[self.consumed..]
    }

    fn find_line_end(&mut self, from: usize, deadline: Instant) -> Result<usize, ReadError> {
        let mut searched = from;
        loop {
            if let Some(at) = self.unread()[searched..]
                .windows(2)
                .position(|p| p == b"\r\n")
            {
                return Ok(searched + at);
            }
            searched = self.unread().len().saturating_sub(1).max(from);
            self.fill(deadline)?;
        }
    }

    fn fill(&mut self, deadline: Instant) -> Result<(), ReadError> {
        let left = deadline.saturating_duration_since(Instant::now());
        let patience = Some(left.max(Duration::from_millis(1)));
        let mut buffer = [0_u8; 16 * 1024];
        let count = match &mut self.stream {
            Stream::Plain(tcp) => {
                tcp.set_read_timeout(patience)
                    .map_err(|_| ReadError::Closed)?;
                tcp.read(&mut buffer)
            }
            Stream::Tls(tls) => {
                tls.sock
                    .set_read_timeout(patience)
                    .map_err(|_| ReadError::Closed)?;
                tls.read(&mut buffer)
            }
            Stream::Gone => return Err(ReadError::Closed),
        };
        match count {
            Ok(0) => Err(ReadError::Closed),
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(ReadError::Silence)
            }
            Err(_) => Err(ReadError::Closed),
        }
    }
}

/// `{42}` at the end of a line announces 42 octets.
fn literal_bytes(line: &[u8]) -> Option<usize> {
    let inner = line.strip_suffix(b"}")?;
    let open = inner.iter().rposition(|&b| b == b'{')?;
    std::str::from_utf8(&inner[open + 1..]).ok()?.parse().ok()
}

/// Bytes as readable text for a failure message.
pub fn show(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    match text.char_indices().nth(2_000) {
        Some((cut, _)) => format!("{} ... ({} bytes)", &text[..cut], bytes.len()),
        None => text.into_owned(),
    }
}

fn client_config() -> Arc<ClientConfig> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    let make = || {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider has the default versions")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyCertificate))
            .with_no_client_auth();
        Arc::new(config)
    };
    Arc::clone(CONFIG.get_or_init(make))
}

/// The demo's certificate is self-signed; what is tested here is what flows inside TLS.
#[derive(Debug)]
struct AnyCertificate;

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        rustls::crypto::aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}
