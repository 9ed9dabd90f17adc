//! Every bound, with its reason.

/// Bytes of a certificate as DER: real ones have 1 to 4 KiB, and one is kept with its account.
pub const CERTIFICATE_BYTES_MAX: usize = 16 * 1024;

/// Bits of an RSA key that can still be called one.
pub const RSA_BITS_MIN: usize = 2048;

/// Bytes of a message. The original, its ciphertext, the envelope around that and the base64 of it
/// are in memory together, up to five times this.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bytes of memory per byte of a message while it is encrypted, rounded up.
pub const MEMORY_FACTOR: usize = 5;

/// Characters of a line of base64 (RFC 2045 6.8).
pub const BASE64_LINE_CHARS: usize = 76;
