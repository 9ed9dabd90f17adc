//! The QUOTA and QUOTAROOT responses (RFC 9208 4.2).

use super::list::mailbox;
use super::string::{astring, number64};
use crate::grammar::QuotaResource;

/// A resource, how much of it is used, and how much may be.
pub type QuotaUsage = (QuotaResource, u64, u64);

/// Writes `* QUOTA root (...)`; only limited resources are named, so an empty list is no limit.
pub fn quota(out: &mut Vec<u8>, root: &str, resources: &[QuotaUsage]) {
    out.extend_from_slice(b"* QUOTA ");
    astring(out, root.as_bytes());
    out.extend_from_slice(b" (");
    for (index, (resource, used, limit)) in resources.iter().enumerate() {
        if index > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(resource.name().as_bytes());
        out.push(b' ');
        number64(out, *used);
        out.push(b' ');
        number64(out, *limit);
    }
    out.extend_from_slice(b")\r\n");
}

/// Writes `* QUOTAROOT mailbox root`, or without a root where none is to be seen.
pub fn quota_root(out: &mut Vec<u8>, name: &str, root: Option<&str>) {
    out.extend_from_slice(b"* QUOTAROOT ");
    mailbox(out, name);
    if let Some(root) = root {
        out.push(b' ');
        astring(out, root.as_bytes());
    }
    out.extend_from_slice(b"\r\n");
}
