//! RENAME (RFC 3501 6.3.5).

use imap_proto::command::Rename;
use storage_engine::request::Operation;

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Renames the mailbox and all below it; sessions that have it selected keep it.
pub async fn execute<R: Runtime>(command: Rename, session: &mut Session<R>) -> Execution {
    let operation = Operation::RenameMailbox {
        from: command.from.into_string(),
        to: command.to.into_string(),
    };
    match session.request(operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
