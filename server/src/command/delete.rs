//! DELETE (RFC 3501 6.3.4).

use imap_proto::grammar::MailboxName;
use storage_engine::request::{Operation, Reply};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Location, Session};

/// Deletes the mailbox; sessions that have it selected end.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let location = match session.locate(mailbox.as_str()).await {
        Ok(location) => location,
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    let deletes_selected = names_selected(session, &location).await;
    let name = location.name.clone();
    let delete = Operation::DeleteMailbox { name };
    match session.request_at(&location, delete).await {
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
async fn names_selected<R: Runtime>(session: &mut Session<R>, location: &Location) -> bool {
    let selected = match session.selected().map(|selected| selected.key()) {
        Some(selected) if selected.account == location.owner => selected.mailbox,
        Some(_) | None => return false,
    };
    let name = location.name.clone();
    match session
        .request_at(location, Operation::Status { name })
        .await
    {
        Ok(Reply::Status(status)) => status.mailbox == selected,
        Ok(_) | Err(_) => false,
    }
}
