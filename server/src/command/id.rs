//! ID (RFC 2971): name and version, nothing about the machine.

use imap_proto::response::id::id;

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Answers with who we are.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    let fields = [("name", "Corepost"), ("version", env!("CARGO_PKG_VERSION"))];
    id(&mut session.wire.out, &fields);
    Ok(Completion::ok())
}
