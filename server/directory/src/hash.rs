//! Password hashes as they are stored: ours (argon2id) and those that were imported.
//!
//! The text is what the database keeps. It is read by [`StoredHash::parse`], which refuses what
//! could not be verified or would cost too much, so that a stored hash can be checked at login.

use std::fmt;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use base64::Engine;
use sha_crypt::{PasswordHashRef, ShaCrypt};
use zeroize::Zeroizing;

use crate::error::HashError;
use crate::limits::{
    ARGON2_LANES, ARGON2_LANES_MAX, ARGON2_MEMORY_KIB, ARGON2_MEMORY_KIB_MAX, ARGON2_PASSES,
    ARGON2_PASSES_MAX, BCRYPT_COST_MAX, HASH_BYTES_MAX, SHA_CRYPT_ROUNDS_MAX,
};
use crate::password::Password;

/// The password itself, by its names elsewhere.
const PLAIN_SCHEMES: [&str; 3] = ["PLAIN", "CLEARTEXT", "CLEAR"];

mod constant_time;
mod pbkdf2;
mod salted_sha;

use pbkdf2::Pbkdf2;
use salted_sha::SaltedSha;

/// A password hash that can be verified. Formatting never shows it.
#[derive(Clone)]
pub struct StoredHash {
    text: Zeroizing<String>,
    scheme: Scheme,
}

#[derive(Clone)]
enum Scheme {
    /// The PHC text after the optional prefix.
    Argon2,
    Bcrypt,
    ShaCrypt,
    SaltedSha(SaltedSha),
    Pbkdf2(Pbkdf2),
    /// The password itself; replaced by argon2id at the first login.
    Plain,
}

impl StoredHash {
    /// Reads a hash as it is stored here or written by other software: crypt's `$id$...` forms, and
    /// `{SCHEME}...` as Dovecot and LDAP servers spell it (in any case).
    pub fn parse(text: &str) -> Result<Self, HashError> {
        if text.len() > HASH_BYTES_MAX || text.chars().any(char::is_control) {
            return Err(HashError::Malformed);
        }
        let (prefix, rest) = match text.strip_prefix('{') {
            Some(after) => after.split_once('}').ok_or(HashError::Malformed)?,
            None => ("CRYPT", text),
        };
        // Dovecot lets an encoding follow the name: {SSHA256.b64}. That is what is read anyway,
        // but for the plain schemes, where it is not the password.
        let prefix = prefix.to_ascii_uppercase();
        let (prefix, is_base64) = match prefix.strip_suffix(".B64") {
            Some(prefix) => (prefix, true),
            None => (prefix.as_str(), false),
        };
        let crypt = |scheme| (rest.to_owned(), scheme);
        let whole = |scheme| (text.to_owned(), scheme);
        let (text, scheme) = match prefix {
            "CRYPT" | "ARGON2ID" | "ARGON2I" | "ARGON2" | "BLF-CRYPT" | "BCRYPT"
            | "SHA512-CRYPT" | "SHA256-CRYPT" => crypt(crypt_scheme(rest)?),
            "PBKDF2" | "PBKDF2-SHA1" | "PBKDF2-SHA256" | "PBKDF2-SHA512" => {
                match Pbkdf2::parse_dovecot(rest) {
                    Some(pbkdf2) => whole(Scheme::Pbkdf2(pbkdf2?)),
                    None => crypt(crypt_scheme(rest)?),
                }
            }
            name if PLAIN_SCHEMES.contains(&name) => {
                let password = plain(rest, is_base64).ok_or(HashError::Malformed)?;
                (format!("{{PLAIN}}{}", &*password), Scheme::Plain)
            }
            name => whole(Scheme::SaltedSha(SaltedSha::parse(name, rest)?)),
        };
        Ok(Self {
            text: Zeroizing::new(text),
            scheme,
        })
    }

    /// Whether the text begins as a password that is written as it is, which may have any character
    /// in it.
    pub(crate) fn is_plain(text: &str) -> bool {
        let name = text.strip_prefix('{').and_then(|text| text.split_once('}'));
        name.is_some_and(|(name, _)| {
            PLAIN_SCHEMES
                .iter()
                .any(|plain| name.eq_ignore_ascii_case(plain))
        })
    }

    /// Hashes a password with argon2id and a fresh salt: tens of milliseconds.
    pub(crate) fn of(password: &Password) -> Option<Self> {
        let params = argon2::Params::new(ARGON2_MEMORY_KIB, ARGON2_PASSES, ARGON2_LANES, None);
        let argon2 = Argon2::new(
            argon2::Algorithm::Argon2id,
            argon2::Version::V0x13,
            params.ok()?,
        );
        let hash: PasswordHash = argon2.hash_password(password.as_bytes()).ok()?;
        Some(Self {
            text: Zeroizing::new(hash.to_string()),
            scheme: Scheme::Argon2,
        })
    }

    /// The text to store.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the password is the one of this hash. Slow by design.
    pub(crate) fn verify(&self, password: &Password) -> bool {
        let bytes = password.as_bytes();
        match &self.scheme {
            Scheme::Argon2 => PasswordHash::new(&self.text)
                .is_ok_and(|hash| Argon2::default().verify_password(bytes, &hash).is_ok()),
            // Bytes beyond 72 are not looked at, as in every bcrypt that may have made this hash.
            Scheme::Bcrypt => bcrypt::verify(bytes, &self.text).unwrap_or(false),
            Scheme::ShaCrypt => ShaCrypt::default()
                .verify_password(bytes, self.text.as_str())
                .is_ok(),
            Scheme::SaltedSha(hash) => hash.verify(bytes),
            Scheme::Pbkdf2(hash) => hash.verify(bytes),
            Scheme::Plain => {
                let stored = self.text.strip_prefix("{PLAIN}").unwrap_or_default();
                constant_time::equal(stored.as_bytes(), bytes)
            }
        }
    }

    /// Whether a check costs about what an unknown account costs. Where not, the caller adds that
    /// cost to a failure, so that the time does not tell which accounts exist.
    pub(crate) fn is_argon2(&self) -> bool {
        matches!(self.scheme, Scheme::Argon2)
    }

    /// Whether the hash should be replaced by one of our own once the password is known.
    pub(crate) fn wants_upgrade(&self) -> bool {
        match self.scheme {
            Scheme::Argon2 | Scheme::Bcrypt => false,
            Scheme::ShaCrypt | Scheme::SaltedSha(_) | Scheme::Pbkdf2(_) | Scheme::Plain => true,
        }
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(..)")
    }
}

impl serde::Serialize for StoredHash {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for StoredHash {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The password of a plain scheme, if it is one that a client can send.
fn plain(text: &str, is_base64: bool) -> Option<Zeroizing<String>> {
    let password = if is_base64 {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(text)
            .ok()?;
        String::from_utf8(bytes).ok()?
    } else {
        text.to_owned()
    };
    let password = Zeroizing::new(password);
    let is_admissible = Password::from(password.as_str()).is_admissible();
    (is_admissible && !password.chars().any(char::is_control)).then_some(password)
}

/// Which of crypt's `$id$...` forms this is, if its cost is bearable.
fn crypt_scheme(text: &str) -> Result<Scheme, HashError> {
    let mut fields = text.split('$');
    if fields.next() != Some("") {
        return Err(HashError::Scheme);
    }
    match fields.next().unwrap_or_default() {
        "argon2id" | "argon2i" | "argon2d" => argon2_scheme(text),
        "2a" | "2b" | "2x" | "2y" => {
            let parts: bcrypt::HashParts = text.parse().map_err(|_| HashError::Malformed)?;
            if parts.get_cost() > BCRYPT_COST_MAX {
                return Err(HashError::TooCostly);
            }
            Ok(Scheme::Bcrypt)
        }
        id @ ("5" | "6") => sha_crypt_scheme(text, id, fields.next().unwrap_or_default()),
        id => Ok(Scheme::Pbkdf2(Pbkdf2::parse_crypt(id, text)?)),
    }
}

fn argon2_scheme(text: &str) -> Result<Scheme, HashError> {
    let hash = PasswordHash::new(text).map_err(|_| HashError::Malformed)?;
    let params = argon2::Params::try_from(&hash).map_err(|_| HashError::Malformed)?;
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(HashError::Malformed);
    }
    let is_bearable = params.m_cost() <= ARGON2_MEMORY_KIB_MAX
        && params.t_cost() <= ARGON2_PASSES_MAX
        && params.p_cost() <= ARGON2_LANES_MAX;
    if is_bearable {
        Ok(Scheme::Argon2)
    } else {
        Err(HashError::TooCostly)
    }
}

fn sha_crypt_scheme(text: &str, id: &str, first_field: &str) -> Result<Scheme, HashError> {
    if let Some(rounds) = first_field.strip_prefix("rounds=") {
        let rounds: u32 = rounds.parse().map_err(|_| HashError::Malformed)?;
        if rounds > SHA_CRYPT_ROUNDS_MAX {
            return Err(HashError::TooCostly);
        }
        sha_crypt::Params::new(rounds).map_err(|_| HashError::Malformed)?;
    }
    let hash = text.rsplit('$').next().unwrap_or_default();
    let hash_chars = if id == "5" { 43 } else { 86 };
    let is_well_formed = hash.len() == hash_chars && PasswordHashRef::new(text).is_ok();
    if is_well_formed {
        Ok(Scheme::ShaCrypt)
    } else {
        Err(HashError::Malformed)
    }
}

#[cfg(test)]
mod tests;
