//! DELETE (RFC 3501 6.3.4).

use imap_proto::grammar::MailboxName;
use storage_engine::request::{Operation, Reply};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Deletes the mailbox; sessions that have it selected end.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let name = mailbox.into_string();
    let deletes_selected = names_selected(session, &name).await;
    match session.request(Operation::DeleteMailbox { name }).await {
        Ok(_) => {
            // A client that deletes what it has selected keeps its connection.
            if deletes_selected {
                session.deselect();
            }
            Ok(Completion::ok())
        }
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}

/// Whether the selected mailbox is called so now: it may have been renamed since SELECT.
async fn names_selected<R: Runtime>(session: &mut Session<R>, name: &str) -> bool {
    let Some(selected) = session.selected().map(|selected| selected.key().mailbox) else {
        return false;
    };
    let name = name.to_owned();
    match session.request(Operation::Status { name }).await {
        Ok(Reply::Status(status)) => status.mailbox == selected,
        Ok(_) | Err(_) => false,
    }
}
