//! The STATUS response (RFC 3501 7.2.4).

use super::list::mailbox;
use super::string::number64;
use crate::grammar::StatusItem;

/// Writes `* STATUS mailbox (...)`. A `None` value goes out as NIL, which APPENDLIMIT may be.
pub fn status(out: &mut Vec<u8>, name: &str, values: &[(StatusItem, Option<u64>)]) {
    out.extend_from_slice(b"* STATUS ");
    mailbox(out, name);
    out.extend_from_slice(b" (");
    for (index, (item, value)) in values.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name().as_bytes());
        out.push(b' ');
        match value {
            Some(value) => number64(out, *value),
            None => out.extend_from_slice(b"NIL"),
        }
    }
    out.extend_from_slice(b")\r\n");
}
