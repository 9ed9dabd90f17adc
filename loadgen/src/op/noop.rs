//! NOOP (RFC 3501 6.1.2): the least that a server can be asked.

/// Writes the command.
pub fn write(out: &mut Vec<u8>) {
    out.extend_from_slice(b"NOOP\r\n");
}
