//! LOGIN (RFC 3501 6.2.3).

use imap_proto::response::string::astring;

/// Writes the command. Both words are printable ASCII, so neither becomes a literal, which would
/// have to wait for the server's continuation.
pub fn write(user: &str, password: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"LOGIN ");
    astring(out, user.as_bytes());
    out.push(b' ');
    astring(out, password.as_bytes());
    out.extend_from_slice(b"\r\n");
}
