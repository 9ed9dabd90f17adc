//! SUBSCRIBE (RFC 3501 6.3.6). A name of the account itself must exist now, which catches spelling
//! mistakes as the RFC allows; it stays subscribed when the mailbox goes. Another account's name
//! need not exist: it is not looked up, so that this tells nothing of it.

use imap_proto::grammar::MailboxName;
use storage_engine::request::Operation;

use crate::runtime::Runtime;
use crate::session::foreign::{ForeignName, canonical};
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Adds the name to the account's subscriptions.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let name = subscribed_name(session, &mailbox);
    if ForeignName::parse(&name).is_none() {
        let status = Operation::Status { name: name.clone() };
        if let Err(refusal) = session.request(status).await {
            return refused(&refusal, Missing::Subject);
        }
    }
    let operation = Operation::Subscribe { name };
    match session.request(operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}

/// The name as the account's list of subscriptions has it.
pub fn subscribed_name<R: Runtime>(session: &Session<R>, mailbox: &MailboxName) -> String {
    let own = session.login().map_or("", |login| login.name.as_str());
    canonical(mailbox.as_str(), own)
}
