//! MYRIGHTS (RFC 4314 3.5).

use imap_proto::grammar::MailboxName;
use imap_proto::response;
use storage_engine::request::{Operation, Reply};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Session};

/// Tells what this session may do with the mailbox.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let asked = session.request_named(mailbox.as_str(), |name| Operation::MyRights { name });
    match asked.await {
        Ok((_, Reply::Rights(rights))) => {
            let letters = rights.letters();
            response::my_rights(&mut session.wire.out, mailbox.as_str(), &letters);
            Ok(Completion::ok())
        }
        Ok(_) => Err(Gone::Bye("Internal error")),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}
