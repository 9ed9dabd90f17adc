//! A password in memory: wiped when dropped, never printed.

use std::fmt;

use zeroize::Zeroizing;

use crate::limits::PASSWORD_BYTES_MAX;

/// A password as the client sent it. Its bytes are wiped when it is dropped and no formatting shows
/// them.
#[derive(Clone)]
pub struct Password(Zeroizing<Vec<u8>>);

impl Password {
    /// Takes the bytes of a password. The caller wipes its own copy, if it made one.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(Zeroizing::new(bytes.into()))
    }

    /// The bytes, for whoever checks them: a hash, or a back end that the password is shown to.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether the password may be used for a new secret or be tried at all.
    pub(crate) fn is_admissible(&self) -> bool {
        !self.0.is_empty() && self.0.len() <= PASSWORD_BYTES_MAX
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl From<&str> for Password {
    fn from(text: &str) -> Self {
        Self::new(text.as_bytes())
    }
}

impl serde::Serialize for Password {
    /// Passwords travel from the command line to the server over the admin socket, as text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = std::str::from_utf8(&self.0)
            .map_err(|_| serde::ser::Error::custom("a password must be UTF-8 text"))?;
        serializer.serialize_str(text)
    }
}

impl<'de> serde::Deserialize<'de> for Password {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self::new(text.into_bytes()))
    }
}
