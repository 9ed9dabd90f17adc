//! LOGOUT (RFC 3501 6.1.3).

/// Writes the command.
pub fn write(out: &mut Vec<u8>) {
    out.extend_from_slice(b"LOGOUT\r\n");
}
