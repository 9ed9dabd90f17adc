//! SUBSCRIBE (RFC 3501 6.3.6). The name must exist now, which catches spelling mistakes as the RFC
//! allows; it stays subscribed when the mailbox goes.

use imap_proto::grammar::MailboxName;
use storage_engine::request::Operation;

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Adds the name to the account's subscriptions.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let name = mailbox.as_str().to_owned();
    if let Err(refusal) = session.request(Operation::Status { name }).await {
        return refused(&refusal, Missing::Subject);
    }
    let operation = Operation::Subscribe {
        name: mailbox.into_string(),
    };
    match session.request(operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
