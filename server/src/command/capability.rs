//! CAPABILITY (RFC 3501 6.1.1).

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Tells what this session may use now.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    session.tell_capabilities();
    Ok(Completion::ok())
}
