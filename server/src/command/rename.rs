//! RENAME (RFC 3501 6.3.5).

use imap_proto::command::Rename;
use imap_proto::response::code::Code;
use storage_engine::request::Operation;

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Renames the mailbox and all below it; sessions that have it selected keep it.
pub async fn execute<R: Runtime>(command: Rename, session: &mut Session<R>) -> Execution {
    let from = session.locate(command.from.as_str()).await;
    let to = session.locate(command.to.as_str()).await;
    let (from, to) = match (from, to) {
        (Ok(from), Ok(to)) => (from, to),
        (Err(refusal), _) | (_, Err(refusal)) => return refused(&refusal, Missing::Subject),
    };
    // Said before anybody is asked, so that it tells nothing of either name.
    if !from.is_beside(&to) {
        let text = "A mailbox stays in its account";
        return Ok(Completion::no_with(Code::Cannot, text));
    }
    let limit = session.limit_at(&from).await;
    let operation = Operation::RenameMailbox {
        from: from.name.clone(),
        to: to.name,
        limit,
    };
    match session.request_at(&from, operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
