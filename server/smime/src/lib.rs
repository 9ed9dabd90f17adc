//! S/MIME encryption of whole messages to one certificate (RFC 8551, RFC 5652).
//!
//! Pure: no sockets, files or clock; randomness is an argument. A message goes in as it is stored
//! and comes out as a message of its own, whose only part is the encrypted original. Everything is
//! in memory, and it is slow compared with what a shard does: for side threads.
#![forbid(unsafe_code)]

mod agreement;
mod certificate;
mod envelope;
pub mod limits;
mod message;

pub use certificate::{Certificate, CertificateError};
pub use envelope::EncryptError;
pub use rand_core::CryptoRng;

/// Encrypts a message to the holder of a certificate. What comes out begins with the header fields
/// of the original that do not describe its content.
pub fn encrypt(
    original: &[u8],
    certificate: &Certificate,
    rng: &mut impl CryptoRng,
) -> Result<Vec<u8>, EncryptError> {
    if original.len() > limits::MESSAGE_BYTES_MAX {
        return Err(EncryptError::TooLarge);
    }
    let envelope = envelope::seal(original, certificate, rng)?;
    Ok(message::around(original, &envelope))
}
