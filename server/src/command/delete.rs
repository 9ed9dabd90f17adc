//! DELETE (RFC 3501 6.3.4).

use imap_proto::grammar::MailboxName;
use storage_engine::request::Operation;

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Deletes the mailbox; sessions that have it selected end.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    // A client that deletes what it has selected keeps its connection.
    if session
        .selected()
        .is_some_and(|selected| selected.name == mailbox.as_str())
    {
        session.deselect();
    }
    let operation = Operation::DeleteMailbox {
        name: mailbox.into_string(),
    };
    match session.request(operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
