//! The certificate of a server that was given none: made once, then reused.
//!
//! Clients have to trust it by hand, so it stays the same as long as the data directory does.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};

use super::tls::CertificateFiles;

const CHAIN_FILE: &str = "self-signed.pem";
const KEY_FILE: &str = "self-signed.key";

/// Only the server's user may read a private key.
const KEY_MODE: u32 = 0o600;

/// The self-signed certificate in `directory`, made for `names` (DNS names and IP addresses) if
/// there is none. `localhost`, `127.0.0.1` and `::1` are always among the names.
pub fn ensure_self_signed(directory: &Path, names: &[String]) -> io::Result<CertificateFiles> {
    let files = CertificateFiles {
        chain: directory.join(CHAIN_FILE),
        key: directory.join(KEY_FILE),
    };
    if files.chain.exists() && files.key.exists() {
        return Ok(files);
    }
    let (chain, key) = make(names).map_err(io::Error::other)?;
    // The chain is written last: when it is there, so is its key.
    write_whole(&files.key, &key, KEY_MODE)?;
    write_whole(&files.chain, &chain, 0o644)?;
    Ok(files)
}

fn make(names: &[String]) -> Result<(String, String), rcgen::Error> {
    let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"]
        .map(str::to_owned)
        .to_vec();
    all.extend(
        names
            .iter()
            .filter(|name| !all.contains(name))
            .cloned()
            .collect::<Vec<_>>(),
    );
    let mut params = CertificateParams::new(all)?;
    let mut subject = DistinguishedName::new();
    subject.push(DnType::CommonName, "Corepost self-signed");
    params.distinguished_name = subject;
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate.pem(), key.serialize_pem()))
}

/// Writes beside and renames, so that a crash leaves the old file or the new one.
fn write_whole(path: &Path, text: &str, mode: u32) -> io::Result<()> {
    let beside = path.with_extension("new");
    let _ = std::fs::remove_file(&beside);
    let mut file: File = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
