//! PBKDF2 in the spellings that mail servers have in their databases.

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::constant_time;
use crate::error::HashError;
use crate::limits::PBKDF2_ROUNDS_MAX;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Shorter derived keys would match by chance.
const KEY_BYTES_MIN: usize = 16;
/// A SHA-512 key; longer ones only cost time.
const KEY_BYTES_MAX: usize = 64;

/// A derived key with all that it takes to derive it again.
#[derive(Clone)]
pub(super) struct Pbkdf2 {
    function: Function,
    rounds: u32,
    salt: Vec<u8>,
    key: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Function {
    Sha1,
    Sha256,
    Sha512,
}

impl Pbkdf2 {
    /// `$1$salt$rounds$hex`, which Dovecot writes after `{PBKDF2}`: SHA-1, and the salt is the text
    /// itself. `None` if the text is of another form.
    pub(super) fn parse_dovecot(text: &str) -> Option<Result<Self, HashError>> {
        let fields: Vec<&str> = text.split('$').collect();
        let ["", "1", salt, rounds, key] = fields[..] else {
            return None;
        };
        let parsed = rounds_of(rounds).and_then(|rounds| {
            let salt = salt.as_bytes().to_vec();
            Self::new(
                Function::Sha1,
                rounds,
                salt,
                hex(key).ok_or(HashError::Malformed)?,
            )
        });
        Some(parsed)
    }

    /// `$pbkdf2-sha256$29000$salt$key` (passlib) or `$pbkdf2-sha256$i=29000,l=32$salt$key` (PHC).
    pub(super) fn parse_crypt(id: &str, text: &str) -> Result<Self, HashError> {
        let function = match id {
            "pbkdf2" | "pbkdf2-sha1" => Function::Sha1,
            "pbkdf2-sha256" => Function::Sha256,
            "pbkdf2-sha512" => Function::Sha512,
            _ => return Err(HashError::Scheme),
        };
        let fields: Vec<&str> = text.split('$').collect();
        let ["", _, params, salt, key] = fields[..] else {
            return Err(HashError::Malformed);
        };
        let rounds = params.split(',').next().unwrap_or_default();
        let rounds = rounds_of(rounds.strip_prefix("i=").unwrap_or(rounds))?;
        // passlib writes a dot where base64 has a plus.
        let decode = |text: &str| {
            BASE64
                .decode(text.replace('.', "+"))
                .map_err(|_| HashError::Malformed)
        };
        Self::new(function, rounds, decode(salt)?, decode(key)?)
    }

    fn new(
        function: Function,
        rounds: u32,
        salt: Vec<u8>,
        key: Vec<u8>,
    ) -> Result<Self, HashError> {
        if !(KEY_BYTES_MIN..=KEY_BYTES_MAX).contains(&key.len()) {
            return Err(HashError::Malformed);
        }
        Ok(Self {
            function,
            rounds,
            salt,
            key,
        })
    }

    pub(super) fn verify(&self, password: &[u8]) -> bool {
        let mut key = vec![0; self.key.len()];
        match self.function {
            Function::Sha1 => pbkdf2_hmac::<Sha1>(password, &self.salt, self.rounds, &mut key),
            Function::Sha256 => pbkdf2_hmac::<Sha256>(password, &self.salt, self.rounds, &mut key),
            Function::Sha512 => pbkdf2_hmac::<Sha512>(password, &self.salt, self.rounds, &mut key),
        }
        constant_time::equal(&key, &self.key)
    }
}

fn rounds_of(text: &str) -> Result<u32, HashError> {
    match text.parse() {
        Ok(0) | Err(_) => Err(HashError::Malformed),
        Ok(rounds) if rounds > PBKDF2_ROUNDS_MAX => Err(HashError::TooCostly),
        Ok(rounds) => Ok(rounds),
    }
}

fn hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    let digits = digits?;
    if digits.len() % 2 == 1 {
        return None;
    }
    Some(
        digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}
