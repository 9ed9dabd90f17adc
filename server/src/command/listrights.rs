//! LISTRIGHTS (RFC 4314 3.4).

use imap_proto::command::ListRights;
use imap_proto::response;
use imap_proto::response::code::Code;
use storage_engine::acl::{Identifier, Rights};

use crate::identifiers;
use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

use super::getacl;

/// Every right can be given by itself, `c` and `d` being names of several (RFC 4314 2.1.1). The
/// owner has them all whatever the list says.
pub async fn execute<R: Runtime>(command: ListRights, session: &mut Session<R>) -> Execution {
    let (location, _, names) = match getacl::ask(session, &command.mailbox).await {
        Ok(found) => found,
        Err(completion) => return completion,
    };
    let domain = identifiers::domain_of(location.owner, &names);
    let name = &command.identifier.name;
    let is_owner = match identifiers::read(session.shard.directory(), name, domain).await {
        Ok(Some(identifier)) => identifier == Identifier::Account(location.owner),
        Ok(None) => {
            let text = "No account of this name";
            return Ok(Completion::no_with(Code::NonExistent, text));
        }
        Err(_) => return Ok(getacl::unavailable()),
    };
    let out = &mut session.wire.out;
    let mailbox = command.mailbox.as_str();
    // RFC 4314 3.4: as the client has written it.
    let identifier = command.identifier.to_wire();
    if is_owner {
        let all = Rights::ALL.letters();
        response::list_rights(out, mailbox, &identifier, &all, std::iter::empty());
    } else {
        response::list_rights(out, mailbox, &identifier, "", Rights::every_letter());
    }
    Ok(Completion::ok())
}
