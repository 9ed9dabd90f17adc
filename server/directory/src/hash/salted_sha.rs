//! `{SSHA}` and its relatives: base64 of a digest and, after it, the salt.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use super::constant_time;
use crate::error::HashError;

/// Padding is optional: not all who write such hashes keep it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A digest of password and salt; the salt may be empty.
#[derive(Clone)]
pub(super) struct SaltedSha {
    function: Function,
    digest: Vec<u8>,
    salt: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl SaltedSha {
    /// Reads what follows `{name}`.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, HashError> {
        let (function, digest_bytes, is_salted) = match name {
            "SHA" | "SHA1" => (Function::Sha1, 20, false),
            "SSHA" => (Function::Sha1, 20, true),
            "SHA256" => (Function::Sha256, 32, false),
            "SSHA256" => (Function::Sha256, 32, true),
            "SHA512" => (Function::Sha512, 64, false),
            "SSHA512" => (Function::Sha512, 64, true),
            _ => return Err(HashError::Scheme),
        };
        let bytes = BASE64.decode(text).map_err(|_| HashError::Malformed)?;
        let (digest, salt) = bytes
            .split_at_checked(digest_bytes)
            .ok_or(HashError::Malformed)?;
        if salt.is_empty() == is_salted {
            return Err(HashError::Malformed);
        }
        Ok(Self {
            function,
            digest: digest.to_vec(),
            salt: salt.to_vec(),
        })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let digest = match self.function {
            Function::Sha1 => digest::<Sha1>(password, &self.salt),
            Function::Sha256 => digest::<Sha256>(password, &self.salt),
            Function::Sha512 => digest::<Sha512>(password, &self.salt),
        };
        constant_time::equal(&digest, &self.digest)
    }
}

fn digest<D: Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
    D::new()
        .chain_update(password)
        .chain_update(salt)
        .finalize()
        .to_vec()
}
