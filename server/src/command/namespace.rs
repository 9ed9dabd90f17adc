//! NAMESPACE (RFC 2342): the account's own names, other accounts' behind `~`, and those of the
//! domain's account `public`, whether there is one or not. Levels are parted by a slash.

use imap_proto::response::namespace::namespace;

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Answers with the three namespaces, the same for everybody.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    namespace(
        &mut session.wire.out,
        &[("", Some(SEPARATOR))],
        &[("~", Some(SEPARATOR))],
        &[("~public/", Some(SEPARATOR))],
    );
    Ok(Completion::ok())
}

/// Between the levels of a mailbox name.
pub const SEPARATOR: char = '/';
