//! SETACL (RFC 4314 3.1), and what DELETEACL shares with it.

use imap_proto::command::{SetAcl, SetAclAction};
use imap_proto::grammar::{AclIdentifier, MailboxName};
use imap_proto::response::code::Code;
use storage_engine::acl::{AclAction, AclChange, Identifier, Rights};
use storage_engine::request::Operation;

use crate::identifiers;
use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

use super::getacl;

/// Changes the rights of one entry of the list.
pub async fn execute<R: Runtime>(command: SetAcl, session: &mut Session<R>) -> Execution {
    // RFC 4314 3.1: an unknown right is BAD, never passed over.
    let Ok(rights) = Rights::from_letters(&command.rights) else {
        return Ok(Completion::bad("There is no such right"));
    };
    let action = match command.action {
        SetAclAction::Replace => AclAction::Replace,
        SetAclAction::Add => AclAction::Add,
        SetAclAction::Remove => AclAction::Remove,
    };
    change(
        session,
        &command.mailbox,
        &command.identifier,
        action,
        rights,
    )
    .await
}

/// Changes one entry at the owner of the mailbox.
pub(super) async fn change<R: Runtime>(
    session: &mut Session<R>,
    mailbox: &MailboxName,
    who: &AclIdentifier,
    action: AclAction,
    rights: Rights,
) -> Execution {
    // Whether the session may is asked first: what is said of the identifier must tell nothing of
    // a mailbox that it does not see.
    let (location, _, names) = match getacl::ask(session, mailbox).await {
        Ok(found) => found,
        Err(completion) => return completion,
    };
    let domain = identifiers::domain_of(location.owner, &names);
    let read = identifiers::read(session.shard.directory(), &who.name, domain).await;
    let identifier = match read {
        Ok(Some(identifier)) => identifier,
        Ok(None) => {
            let text = "No account of this name";
            return Ok(Completion::no_with(Code::NonExistent, text));
        }
        Err(_) => return Ok(getacl::unavailable()),
    };
    let change = AclChange {
        identifier,
        negative: who.negative,
        action,
        rights,
    };
    if change.identifier == Identifier::Account(location.owner) {
        return Ok(of_the_owner(&change));
    }
    let operation = Operation::ChangeAcl {
        name: location.name.clone(),
        changes: vec![change],
    };
    match session.request_at(&location, operation).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}

/// The owner has all rights, so its entry can't be changed; clients that write a whole list say
/// again what is so already.
fn of_the_owner(change: &AclChange) -> Completion {
    let leaves_all = match change.action {
        AclAction::Add => true,
        AclAction::Replace => change.rights == Rights::ALL,
        AclAction::Remove => change.rights.is_none(),
    };
    match leaves_all && !change.negative {
        true => Completion::ok(),
        false => Completion::no_with(Code::Cannot, "The owner always has all rights"),
    }
}
