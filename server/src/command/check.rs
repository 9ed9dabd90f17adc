//! CHECK (RFC 3501 6.4.1): everything acknowledged is durable already.

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Sees to it that the updates have all that was acknowledged to anybody before.
pub async fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    session.catch_up().await;
    Ok(Completion::ok())
}
