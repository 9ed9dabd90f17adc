//! UNSUBSCRIBE (RFC 3501 6.3.7).

use imap_proto::grammar::MailboxName;
use storage_engine::request::Operation;

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

use super::subscribe::subscribed_name;

/// Takes the name out of the account's subscriptions.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let operation = Operation::Unsubscribe {
        name: subscribed_name(session, &mailbox),
    };
    match session.request(operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
