//! NAMESPACE (RFC 2342): one personal namespace, levels parted by a slash.

use imap_proto::response::namespace::namespace;

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Answers with the personal namespace.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    namespace(&mut session.wire.out, &[("", Some(SEPARATOR))], &[], &[]);
    Ok(Completion::ok())
}

/// Between the levels of a mailbox name.
pub const SEPARATOR: char = '/';
