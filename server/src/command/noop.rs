//! NOOP (RFC 3501 6.1.2): what has changed is told at the end of every command.

use crate::session::{Completion, Execution};

/// Does nothing itself.
pub fn execute() -> Execution {
    Ok(Completion::ok())
}
