//! EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1).

use imap_proto::command::{Expunge, Numbering};
use imap_proto::response::code::Code;
use storage_engine::request::{Operation, Reply};

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Gone, Session};

use super::fetch;

/// Expunges at the owner; what went is told with the other updates.
pub async fn execute<R: Runtime>(command: Expunge, session: &mut Session<R>) -> Execution {
    let uids = match &command.uids {
        None => None,
        Some(set) => match session.resolve(set, Numbering::Uid).await {
            Some(ranges) if ranges.is_empty() => return Ok(Completion::ok()),
            Some(ranges) => Some(ranges),
            None => return Ok(Completion::bad("No such messages")),
        },
    };
    let Some(selected) = session.selected() else {
        return Err(Gone::Closed);
    };
    if selected.is_read_only() {
        return Ok(Completion::no_with(
            Code::Cannot,
            "Mailbox is selected read-only",
        ));
    }
    let mailbox = selected.key().mailbox;
    match session
        .request_selected(Operation::Expunge { mailbox, uids })
        .await
    {
        Ok(Reply::Expunged { change, mod_seq }) => {
            let condstore = session.condstore;
            let Some(selected) = session.selected() else {
                return Err(Gone::Closed);
            };
            selected.reached(change).await?;
            // RFC 7162 3.2.7 asks for HIGHESTMODSEQ where something went.
            Ok(if condstore && selected.has_untold_expunges() {
                Completion::ok_with(Code::HighestModSeq(mod_seq.0))
            } else {
                Completion::ok()
            })
        }
        Ok(_) => Err(Gone::Bye("Internal error")),
        Err(refusal) => fetch::refusal(&refusal),
    }
}
