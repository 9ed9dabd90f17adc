//! CLOSE (RFC 3501 6.4.2).

use storage_engine::request::{Operation, Refusal};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Expunges without telling, unless the mailbox is selected read-only, and leaves it.
pub async fn execute<R: Runtime>(session: &mut Session<R>) -> Execution {
    let Some(selected) = session.selected() else {
        return Ok(Completion::ok());
    };
    let mailbox = selected.key().mailbox;
    let expunges = !selected.is_read_only();
    let expunged = if expunges {
        session
            .request_selected(Operation::Expunge {
                mailbox,
                uids: None,
            })
            .await
            .map(drop)
    } else {
        Ok(())
    };
    session.deselect();
    match expunged {
        // RFC 4314 4: without `e` the mailbox is closed all the same.
        Ok(()) | Err(Refusal::NoPermission) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
