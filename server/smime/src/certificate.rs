//! A certificate to encrypt to.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use cms::cert::IssuerAndSerialNumber;
use der::{Decode, Encode};
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use x509_cert::ext::pkix::KeyUsage;

use crate::limits::{CERTIFICATE_BYTES_MAX, RSA_BITS_MIN};

/// Where PEM has its base64; what is before and behind the two is not looked at.
const PEM_BEGIN: &[u8] = b"-----BEGIN CERTIFICATE-----";
const PEM_END: &[u8] = b"-----END CERTIFICATE-----";

/// A certificate whose key can be encrypted to. A value that exists is usable. Who issued it and
/// until when it is valid is not looked at: whoever encrypts to it has chosen it.
#[derive(Clone)]
pub struct Certificate {
    der: Vec<u8>,
    pub(crate) holder: IssuerAndSerialNumber,
    pub(crate) key: Key,
}

/// A public key of a kind that can be encrypted to.
#[derive(Clone)]
pub(crate) enum Key {
    Rsa(rsa::PublicKey),
    P256(p256::PublicKey),
    P384(p384::PublicKey),
}

/// Why there is no certificate to encrypt to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Not base64.
    #[error("{}", self.text())]
    Base64,
    /// More bytes than any certificate has.
    #[error("{}", self.text())]
    TooLarge,
    /// Not a certificate.
    #[error("{}", self.text())]
    Malformed,
    /// The key is of another kind, or weak.
    #[error("{}", self.text())]
    Key,
    /// The issuer says that the key is for something else.
    #[error("{}", self.text())]
    Usage,
}

impl CertificateError {
    /// What is wrong, for whoever sent it.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Base64 => "Certificate is not base64",
            Self::TooLarge => "Certificate is too large",
            Self::Malformed => "Not a certificate",
            Self::Key => "Certificate has no key to encrypt to (RSA of 2048 bits, P-256, P-384)",
            Self::Usage => "Certificate's key is not for encryption",
        }
    }
}

impl Certificate {
    /// Reads base64 of DER, with or without line ends, or PEM.
    pub fn from_text(text: &[u8]) -> Result<Self, CertificateError> {
        // Base64 has four characters for three bytes; PEM adds its lines and perhaps a comment.
        if text.len() > CERTIFICATE_BYTES_MAX.saturating_mul(2) {
            return Err(CertificateError::TooLarge);
        }
        let text = between_pem_lines(text).unwrap_or(text);
        let digits: Vec<u8> = text
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect();
        let der = STANDARD
            .decode(digits)
            .map_err(|_| CertificateError::Base64)?;
        Self::from_der(der)
    }

    /// Reads DER.
    pub fn from_der(der: Vec<u8>) -> Result<Self, CertificateError> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(CertificateError::TooLarge);
        }
        let read = x509_cert::Certificate::from_der(&der);
        let tbs = read.map_err(|_| CertificateError::Malformed)?;
        let tbs = tbs.tbs_certificate();
        let spki = tbs.subject_public_key_info().to_der();
        let key = Key::read(&spki.map_err(|_| CertificateError::Malformed)?)?;
        let usage = tbs.get_extension::<KeyUsage>();
        if let Some((_, usage)) = usage.map_err(|_| CertificateError::Malformed)?
            && !key.fits(usage)
        {
            return Err(CertificateError::Usage);
        }
        let holder = IssuerAndSerialNumber {
            issuer: tbs.issuer().clone(),
            serial_number: tbs.serial_number().clone(),
        };
        Ok(Self { der, holder, key })
    }

    /// As it is to be kept: DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("holder", &self.holder.serial_number)
            .finish_non_exhaustive()
    }
}

impl Key {
    fn read(spki: &[u8]) -> Result<Self, CertificateError> {
        if let Ok(key) = rsa::PublicKey::from_public_key_der(spki) {
            let bits = key.size().saturating_mul(8);
            return match bits >= RSA_BITS_MIN {
                true => Ok(Self::Rsa(key)),
                false => Err(CertificateError::Key),
            };
        }
        let p256 = p256::PublicKey::from_public_key_der(spki).map(Self::P256);
        let key = p256.or_else(|_| p384::PublicKey::from_public_key_der(spki).map(Self::P384));
        key.map_err(|_| CertificateError::Key)
    }

    /// RFC 5280 4.2.1.3: what the issuer lets the key be used for, if it says so.
    fn fits(&self, usage: KeyUsage) -> bool {
        match self {
            Self::Rsa(_) => usage.key_encipherment(),
            Self::P256(_) | Self::P384(_) => usage.key_agreement(),
        }
    }
}

fn between_pem_lines(text: &[u8]) -> Option<&[u8]> {
    let find = |text: &[u8], what: &[u8]| text.windows(what.len()).position(|part| part == what);
    let begin = find(text, PEM_BEGIN)?.checked_add(PEM_BEGIN.len())?;
    let rest = text.get(begin..)?;
    rest.get(..find(rest, PEM_END)?)
}
