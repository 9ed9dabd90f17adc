//! The NAMESPACE response (RFC 2342).

use super::list::delimiter;
use super::string::string;
use crate::grammar::mailbox_name;

/// One namespace: its prefix in UTF-8, and its hierarchy delimiter.
pub type Namespace<'a> = (&'a str, Option<char>);

/// Writes `* NAMESPACE personal other shared`; an empty class is NIL.
pub fn namespace(
    out: &mut Vec<u8>,
    personal: &[Namespace<'_>],
    other_users: &[Namespace<'_>],
    shared: &[Namespace<'_>],
) {
    out.extend_from_slice(b"* NAMESPACE");
    for class in [personal, other_users, shared] {
        out.push(b' ');
        if class.is_empty() {
            out.extend_from_slice(b"NIL");
            continue;
        }
        out.push(b'(');
        for (prefix, separator) in class {
            out.push(b'(');
            string(out, mailbox_name::encode(prefix).as_bytes());
            out.push(b' ');
            delimiter(out, *separator);
            out.push(b')');
        }
        out.push(b')');
    }
    out.extend_from_slice(b"\r\n");
}
