//! The envelope of the small files beside the segments.
//!
//! ```text
//!  0  magic, 8 bytes
//!  8  crc32 over everything from 12 to the end of the body
//! 12  format version u32
//! 16  body length u32
//! 20  body, then zeroes up to a multiple of 4096
//! ```

use crate::log::{FORMAT_VERSION, Fields};

/// Why a file is not what its name says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnvelopeError {
    /// Torn, damaged or something else.
    Unreadable,
    /// Of a newer format.
    Newer(u32),
}

const CHECKED_FROM: usize = 12;

/// The bytes of a file.
pub fn seal(magic: [u8; 8], body: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
    let mut checked = Vec::with_capacity(body.len() + 8);
    checked.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    checked.extend_from_slice(&len.to_le_bytes());
    checked.extend_from_slice(body);
    let mut out = magic.to_vec();
    out.extend_from_slice(&crc32fast::hash(&checked).to_le_bytes());
    out.extend_from_slice(&checked);
    out
}

/// The body in the bytes of a file.
pub fn unseal(magic: [u8; 8], bytes: &[u8]) -> Result<&[u8], EnvelopeError> {
    let parse = || {
        let mut fields = Fields::new(bytes);
        let found: [u8; 8] = fields.array()?;
        let crc = fields.u32()?;
        let version = fields.u32()?;
        let len = usize::try_from(fields.u32()?).ok()?;
        let body = fields.take(len)?;
        let checked = bytes.get(CHECKED_FROM..CHECKED_FROM + 8 + len)?;
        (found == magic && crc32fast::hash(checked) == crc).then_some((version, body))
    };
    match parse() {
        Some((version, _)) if version > FORMAT_VERSION => Err(EnvelopeError::Newer(version)),
        Some((_, body)) => Ok(body),
        None => Err(EnvelopeError::Unreadable),
    }
}
