//! EnvelopedData (RFC 5652 6) with AES-256 in CBC mode (RFC 3565), as every client reads it.

use cms::builder::{
    ContentEncryptionAlgorithm, EnvelopedDataBuilder, KeyEncryptionInfo,
    KeyTransRecipientInfoBuilder,
};
use cms::content_info::ContentInfo;
use cms::enveloped_data::RecipientIdentifier;
use const_oid::db::rfc5911::ID_ENVELOPED_DATA;
use der::{Any, Encode};
use rand_core::CryptoRng;

use crate::agreement::Agreement;
use crate::certificate::{Certificate, Key};

/// Why a message was not encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncryptError {
    /// [`crate::limits::MESSAGE_BYTES_MAX`].
    #[error("Message is too large to be encrypted")]
    TooLarge,
    /// The library refused; no certificate that was taken leads here.
    #[error("Message cannot be encrypted to this certificate")]
    Failed,
}

impl From<cms::builder::Error> for EncryptError {
    fn from(_: cms::builder::Error) -> Self {
        Self::Failed
    }
}

impl From<der::Error> for EncryptError {
    fn from(_: der::Error) -> Self {
        Self::Failed
    }
}

/// The content as DER of a ContentInfo that only the certificate's holder can open.
pub(crate) fn seal<R: CryptoRng>(
    content: &[u8],
    certificate: &Certificate,
    rng: &mut R,
) -> Result<Vec<u8>, EncryptError> {
    let cipher = ContentEncryptionAlgorithm::Aes256Cbc;
    let mut envelope = EnvelopedDataBuilder::<R>::new(None, content, cipher, None)?;
    let holder = certificate.holder.clone();
    match &certificate.key {
        Key::Rsa(key) => {
            let holder = RecipientIdentifier::IssuerAndSerialNumber(holder);
            let key = KeyEncryptionInfo::Rsa(key.clone());
            envelope.add_recipient_info(KeyTransRecipientInfoBuilder::new(holder, key)?)?;
        }
        Key::P256(key) => {
            envelope.add_recipient_info(Agreement::new(holder, *key))?;
        }
        Key::P384(key) => {
            envelope.add_recipient_info(Agreement::new(holder, *key))?;
        }
    }
    let info = ContentInfo {
        content_type: ID_ENVELOPED_DATA,
        content: Any::encode_from(&envelope.build_with_rng(rng)?)?,
    };
    Ok(info.to_der()?)
}
