//! TLS settings, shared by all shards: certificates by name, resumption, reload.

use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use rustls::crypto::CryptoProvider;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};

use super::certificate_names::dns_names;

/// Tickets that a client gets after a TLS 1.3 handshake: mail clients resume one at a time, and
/// each ticket costs a signature-sized write.
const TICKETS_PER_HANDSHAKE: usize = 1;

/// Where a certificate lies, both in PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate and the intermediate ones behind it.
    pub chain: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why certificates could not be taken into use. The text names the file.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// No certificate is configured.
    #[error("no certificate is configured")]
    NoCertificate,
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A file is not PEM of the right kind.
    #[error("{path} holds no {expected} in PEM: {detail}", path = path.display())]
    Pem {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// What was wrong.
        detail: String,
    },
    /// Certificate and key do not work together.
    #[error("{chain} and {key} do not fit: {source}", chain = chain.display(), key = key.display())]
    Mismatch {
        /// The certificate's file.
        chain: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// The reason.
        source: rustls::Error,
    },
    /// The library refuses its own settings.
    #[error("TLS cannot be set up: {0}")]
    Setup(#[from] rustls::Error),
}

/// TLS of the server: one for all listeners and shards, cheap to clone, crosses threads.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    certificates: Arc<Certificates>,
}

impl TlsServer {
    /// Reads the certificates. The first is used for clients that ask for an unknown name or
    /// none; the others are chosen by the names in them. Blocks; not for a shard's thread.
    pub fn load(files: &[CertificateFiles]) -> Result<Self, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let certificates = Arc::new(Certificates {
            current: ArcSwap::from_pointee(CertificateSet::load(files, &provider)?),
            provider: provider.clone(),
        });
        // The provider is named: the shorter builder panics when a second one is linked.
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(certificates.clone());
        // Tickets are sealed with a key that every shard shares, so resumption works wherever
        // the kernel puts the next connection, and the server stores nothing per client.
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        config.send_tls13_tickets = TICKETS_PER_HANDSHAKE;
        Ok(Self {
            config: Arc::new(config),
            certificates,
        })
    }

    /// Reads certificates again, perhaps from other files. New handshakes use them, running
    /// connections go on. After an error everything stays as it was. Blocks; not for a shard's
    /// thread.
    pub fn reload(&self, files: &[CertificateFiles]) -> Result<(), TlsError> {
        let set = CertificateSet::load(files, &self.certificates.provider)?;
        self.certificates.current.store(Arc::new(set));
        Ok(())
    }

    /// As [`TlsServer::reload`] with the same files, but only if one of them has changed on disk;
    /// says whether it has. For a timer on a side thread.
    pub fn reload_if_changed(&self) -> Result<bool, TlsError> {
        let current = self.certificates.current.load_full();
        if current.stamps == stamps(&current.files) {
            return Ok(false);
        }
        self.reload(&current.files).map(|()| true)
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TlsServer").finish_non_exhaustive()
    }
}

/// The certificates in use; swapped as a whole under running handshakes.
struct Certificates {
    current: ArcSwap<CertificateSet>,
    provider: Arc<CryptoProvider>,
}

struct CertificateSet {
    files: Vec<CertificateFiles>,
    stamps: Vec<Option<Stamp>>,
    default: Arc<CertifiedKey>,
    by_name: HashMap<String, Arc<CertifiedKey>>,
}

/// What changes when a file is replaced or written.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

thread_local! {
    /// The unbuffered interface does not tell which name the client asked for, the resolver is
    /// told: what it saw last, for the session that called it.
    static SERVER_NAME: Cell<Option<Box<str>>> = const { Cell::new(None) };
}

/// The name that a client has asked for in the records that were just processed on this thread.
pub(super) fn take_server_name() -> Option<Box<str>> {
    SERVER_NAME.take()
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        SERVER_NAME.set(name.map(String::into_boxed_str));
        let set = self.current.load();
        let chosen = hello.server_name().and_then(|name| set.by_name(name));
        Some(chosen.unwrap_or(&set.default).clone())
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Certificates")
    }
}

impl CertificateSet {
    fn load(files: &[CertificateFiles], provider: &CryptoProvider) -> Result<Self, TlsError> {
        // Stamps are taken first: a file that changes while it is read is read again.
        let stamps = stamps(files);
        let mut default = None;
        let mut by_name = HashMap::new();
        for pair in files {
            let certified = Arc::new(load_pair(pair, provider)?);
            for name in certified.cert.first().map(dns_names).unwrap_or_default() {
                by_name.entry(name).or_insert_with(|| certified.clone());
            }
            default.get_or_insert(certified);
        }
        let default = default.ok_or(TlsError::NoCertificate)?;
        Ok(Self {
            files: files.to_vec(),
            stamps,
            default,
            by_name,
        })
    }

    /// An exact name goes before a wildcard, which stands for one label (RFC 9525 6.3).
    fn by_name(&self, name: &str) -> Option<&Arc<CertifiedKey>> {
        let name = name.to_ascii_lowercase();
        self.by_name.get(&name).or_else(|| {
            let (_, parent) = name.split_once('.')?;
            self.by_name.get(&format!("*.{parent}"))
        })
    }
}

fn load_pair(
    files: &CertificateFiles,
    provider: &CryptoProvider,
) -> Result<CertifiedKey, TlsError> {
    let chain_pem = read(&files.chain)?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&chain_pem)
        .collect::<Result<_, _>>()
        .map_err(|error| pem_error(&files.chain, "certificate", &error))?;
    if chain.is_empty() {
        return Err(pem_error(&files.chain, "certificate", &"nothing found"));
    }
    let key = PrivateKeyDer::from_pem_slice(&read(&files.key)?)
        .map_err(|error| pem_error(&files.key, "private key", &error))?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Mismatch {
        chain: files.chain.clone(),
        key: files.key.clone(),
        source,
    })
}

fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        path: path.to_owned(),
        source,
    })
}

fn pem_error(path: &Path, expected: &'static str, detail: &dyn fmt::Display) -> TlsError {
    TlsError::Pem {
        path: path.to_owned(),
        expected,
        detail: detail.to_string(),
    }
}

fn stamps(files: &[CertificateFiles]) -> Vec<Option<Stamp>> {
    use std::os::unix::fs::MetadataExt;
    files
        .iter()
        .flat_map(|pair| [&pair.chain, &pair.key])
        .map(|path| {
            let metadata = std::fs::metadata(path).ok()?;
            Some(Stamp {
                modified: metadata.modified().ok(),
                bytes: metadata.len(),
                inode: metadata.ino(),
            })
        })
        .collect()
}
