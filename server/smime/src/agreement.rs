//! Keys for the holder of an elliptic curve key: ephemeral-static ECDH (RFC 5753 3.1) with the KDF
//! of ANSI X9.63 on SHA-256 and AES-256 key wrap, which every implementation must know or may.
//!
//! cms 0.3.0-rc.0 has a builder for this, but it wraps under a key of zeros and throws the derived
//! one away: whoever has the message could open it.

use std::marker::PhantomData;

use aes_kw::{KeyInit, KwAes256};
use cms::builder::{Error, RecipientInfoBuilder, RecipientInfoType};
use cms::cert::IssuerAndSerialNumber;
use cms::content_info::CmsVersion;
use cms::enveloped_data::{
    EncryptedKey, KeyAgreeRecipientIdentifier, KeyAgreeRecipientInfo, OriginatorIdentifierOrKey,
    OriginatorPublicKey, RecipientEncryptedKey, RecipientInfo,
};
use const_oid::AssociatedOid;
use const_oid::db::rfc5753::DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME;
use const_oid::db::rfc5911::ID_AES_256_WRAP;
use der::Any;
use der::asn1::BitString;
use p256::elliptic_curve::ecdh::EphemeralSecret;
use p256::elliptic_curve::sec1::{FromSec1Point, ModulusSize, ToSec1Point};
use p256::elliptic_curve::{
    ALGORITHM_OID, AffinePoint, CurveArithmetic, FieldBytesSize, Generate, PublicKey,
};
use rand_core::CryptoRng;
use sha2::{Digest, Sha256};
use x509_cert::spki::AlgorithmIdentifierOwned;

/// DER of ECC-CMS-SharedInfo (RFC 5753 7.2): keyInfo is AES-256 key wrap without parameters, and
/// suppPubInfo the 256 bits of its key. There is no entityUInfo.
const SHARED_INFO: [u8; 23] = [
    0x30, 0x15, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2d, 0xa2,
    0x06, 0x04, 0x04, 0x00, 0x00, 0x01, 0x00,
];
/// A content key of AES-256.
const KEY_BYTES: usize = 32;
/// What key wrap (RFC 3394) adds.
const WRAP_BYTES: usize = 8;

/// Builds the part of an envelope that its recipient opens.
pub(crate) struct Agreement<C: CurveArithmetic, R> {
    holder: IssuerAndSerialNumber,
    key: PublicKey<C>,
    _random: PhantomData<R>,
}

impl<C: CurveArithmetic, R> Agreement<C, R> {
    pub(crate) fn new(holder: IssuerAndSerialNumber, key: PublicKey<C>) -> Self {
        Self {
            holder,
            key,
            _random: PhantomData,
        }
    }
}

impl<C, R> RecipientInfoBuilder for Agreement<C, R>
where
    C: CurveArithmetic + AssociatedOid,
    AffinePoint<C>: FromSec1Point<C> + ToSec1Point<C>,
    FieldBytesSize<C>: ModulusSize,
    R: CryptoRng,
{
    type Rng = R;

    fn recipient_info_type(&self) -> RecipientInfoType {
        RecipientInfoType::Kari
    }

    fn recipient_info_version(&self) -> CmsVersion {
        CmsVersion::V3
    }

    fn build_with_rng(&mut self, content_key: &[u8], rng: &mut R) -> Result<RecipientInfo, Error> {
        let ephemeral = EphemeralSecret::<C>::generate_from_rng(rng);
        let point = ephemeral.public_key().to_sec1_point(false);
        let shared = ephemeral.diffie_hellman(&self.key);
        // One block of the KDF is as long as the key.
        let wrapping_key = Sha256::new()
            .chain_update(shared.raw_secret_bytes())
            .chain_update(1_u32.to_be_bytes())
            .chain_update(SHARED_INFO)
            .finalize();
        let mut wrapped = [0; KEY_BYTES + WRAP_BYTES];
        let wrapped = KwAes256::new(&wrapping_key)
            .wrap_key(content_key, &mut wrapped)
            .map_err(|_| Error::Builder("the content's key is not one of AES-256".to_owned()))?;
        let wrap = AlgorithmIdentifierOwned {
            oid: ID_AES_256_WRAP,
            parameters: None,
        };
        Ok(RecipientInfo::Kari(KeyAgreeRecipientInfo {
            version: CmsVersion::V3,
            originator: OriginatorIdentifierOrKey::OriginatorKey(OriginatorPublicKey {
                algorithm: AlgorithmIdentifierOwned {
                    oid: ALGORITHM_OID,
                    parameters: Some(Any::from(&C::OID)),
                },
                public_key: BitString::from_bytes(point.as_bytes())?,
            }),
            ukm: None,
            key_enc_alg: AlgorithmIdentifierOwned {
                oid: DH_SINGLE_PASS_STD_DH_SHA_256_KDF_SCHEME,
                parameters: Some(Any::encode_from(&wrap)?),
            },
            recipient_enc_keys: vec![RecipientEncryptedKey {
                rid: KeyAgreeRecipientIdentifier::IssuerAndSerialNumber(self.holder.clone()),
                enc_key: EncryptedKey::new(wrapped)?,
            }],
        }))
    }
}
