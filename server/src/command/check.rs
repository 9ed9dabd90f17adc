//! CHECK (RFC 3501 6.4.1): everything acknowledged is durable already.

use crate::session::{Completion, Execution};

/// Does nothing itself.
pub fn execute() -> Execution {
    Ok(Completion::ok())
}
