//! STARTTLS (RFC 3501 6.2.1).

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Agrees; the session upgrades the connection once the tagged OK has been sent.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    if session.wire.connection().is_tls() {
        return Ok(Completion::bad("Connection is encrypted already"));
    }
    if session.shard.tls().is_none() {
        return Ok(Completion::bad("No certificate is configured"));
    }
    Ok(Completion::starttls())
}
