//! UNSELECT (RFC 3691).

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Leaves the mailbox and expunges nothing.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    session.deselect();
    Ok(Completion::ok())
}
