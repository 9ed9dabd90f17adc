//! CREATE (RFC 3501 6.3.3) with special use (RFC 6154 3) and class.

use imap_proto::command::Create;
use imap_proto::grammar;
use imap_proto::response::code::Code;
use storage_engine::request::{Holds, NewMailbox, Operation, SpecialUse};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

/// Creates the mailbox and the names above it.
pub async fn execute<R: Runtime>(command: Create, session: &mut Session<R>) -> Execution {
    let Some(special_use): Option<Vec<SpecialUse>> =
        command.special_use.iter().map(known_use).collect()
    else {
        return Ok(Completion::no_with(
            Code::UseAttr,
            "This special use is not known here",
        ));
    };
    let mut name = command.mailbox.into_string();
    // RFC 3501 6.3.3: the delimiter at the end says that names below will be created. Here it makes
    // the name for them and nothing else; CREATE without it adds what holds messages, also later.
    let mut holds = Holds::Messages;
    if name.ends_with('/') {
        name.pop();
        holds = Holds::Names;
    }
    let location = match session.locate(&name).await {
        Ok(location) => location,
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    let limit = session.limit_at(&location).await;
    let create = Operation::CreateMailbox {
        mailbox: NewMailbox {
            name: location.name.clone(),
            holds,
            class: command.class.unwrap_or_default(),
            special_use,
            subscribe: false,
        },
        limit,
    };
    match session.request_at(&location, create).await {
        Ok(_) => Ok(Completion::ok()),
        Err(refusal) => refused(&refusal, Missing::Subject),
    }
}

fn known_use(wire: &grammar::SpecialUse) -> Option<SpecialUse> {
    match wire {
        grammar::SpecialUse::Archive => Some(SpecialUse::Archive),
        grammar::SpecialUse::Drafts => Some(SpecialUse::Drafts),
        grammar::SpecialUse::Junk => Some(SpecialUse::Junk),
        grammar::SpecialUse::Sent => Some(SpecialUse::Sent),
        grammar::SpecialUse::Trash => Some(SpecialUse::Trash),
        // RFC 6154 2: these two name virtual mailboxes, of which there are none.
        grammar::SpecialUse::All | grammar::SpecialUse::Flagged => None,
        grammar::SpecialUse::Important | grammar::SpecialUse::Other(_) => None,
    }
}
