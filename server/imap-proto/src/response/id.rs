//! The ID response (RFC 2971).

use super::string::string;

/// Writes `* ID (...)`, or `* ID NIL` without fields.
pub fn id(out: &mut Vec<u8>, fields: &[(&str, &str)]) {
    out.extend_from_slice(b"* ID ");
    if fields.is_empty() {
        out.extend_from_slice(b"NIL\r\n");
        return;
    }
    out.push(b'(');
    for (index, (field, value)) in fields.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        string(out, field.as_bytes());
        out.push(b' ');
        string(out, value.as_bytes());
    }
    out.extend_from_slice(b")\r\n");
}
