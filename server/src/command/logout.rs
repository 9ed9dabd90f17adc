//! LOGOUT (RFC 3501 6.1.3).

use imap_proto::response::status::{self, Condition};

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Says BYE; the tagged OK follows, then the connection closes.
pub fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    // RFC 3501 6.1.3: nothing of the mailbox is told any more.
    session.deselect();
    status::untagged(&mut session.wire.out, Condition::Bye, None, "Logging out");
    Ok(Completion::logout())
}
