//! GETACL (RFC 4314 3.3), and what SETACL and LISTRIGHTS share with it.

use std::collections::HashMap;

use imap_proto::grammar::MailboxName;
use imap_proto::response;
use imap_proto::response::code::Code;
use mail_directory::AccountName;
use storage_engine::acl::Acl;
use storage_engine::ids::AccountId;
use storage_engine::request::{Operation, Reply};

use crate::identifiers;
use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Location, Session};

/// Tells the list, the owner first. Entries of accounts that are no more are not shown.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let (location, acl, names) = match ask(session, &mailbox).await {
        Ok(found) => found,
        Err(completion) => return completion,
    };
    let domain = identifiers::domain_of(location.owner, &names);
    let entries = identifiers::entries(&acl, location.owner, &names, domain);
    response::acl(&mut session.wire.out, mailbox.as_str(), &entries);
    Ok(Completion::ok())
}

/// The list of a mailbox, with the names of the accounts in it and of the owner; or how the
/// command ends.
pub(super) async fn ask<R: Runtime>(
    session: &mut Session<R>,
    mailbox: &MailboxName,
) -> Result<(Location, Acl, HashMap<AccountId, AccountName>), Execution> {
    let asked = session.request_named(mailbox.as_str(), |name| Operation::Acl { name });
    let (location, acl) = match asked.await {
        Ok((location, Reply::Acl(acl))) => (location, acl),
        Ok(_) => return Err(Err(Gone::Bye("Internal error"))),
        Err(refusal) => return Err(refused(&refusal, Missing::Subject)),
    };
    let directory = session.shard.directory();
    match identifiers::names(directory, &acl, location.owner).await {
        Ok(names) => Ok((location, acl, names)),
        Err(_) => Err(Ok(unavailable())),
    }
}

/// The directory does not answer.
pub(super) fn unavailable() -> Completion {
    Completion::no_with(Code::Unavailable, "The directory does not answer")
}
