//! The STATUS response (RFC 3501 7.2.4).

use super::string::{astring, number64};
use crate::grammar::{DateTime, StatusItem, mailbox_name};

/// What stands behind an item's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusValue {
    /// A number.
    Number(u64),
    /// NIL, which APPENDLIMIT may be.
    Nil,
    /// A date-time, quoted.
    Moment(DateTime),
}

/// Writes `* STATUS mailbox (...)`.
pub fn status(out: &mut Vec<u8>, name: &str, values: &[(StatusItem, StatusValue)]) {
    out.extend_from_slice(b"* STATUS ");
    astring(out, mailbox_name::encode(name).as_bytes());
    out.extend_from_slice(b" (");
    for (index, (item, value)) in values.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(item.name().as_bytes());
        out.push(b' ');
        match value {
            StatusValue::Number(value) => number64(out, *value),
            StatusValue::Nil => out.extend_from_slice(b"NIL"),
            StatusValue::Moment(moment) => moment.encode(out),
        }
    }
    out.extend_from_slice(b")\r\n");
}
