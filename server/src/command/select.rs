//! SELECT and EXAMINE (RFC 3501 6.3.1, 6.3.2), with CONDSTORE (RFC 7162 3.1.8).

use imap_proto::command::{Select, select};
use imap_proto::response::code::Code;
use imap_proto::response::message_count::{exists, recent};
use imap_proto::response::status::{self, Condition};
use storage_engine::ids::MailboxKey;
use storage_engine::request::{Access, Operation, Reply};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::selected::{Selected, tell_keywords};
use crate::session::{Completion, Execution, Gone, Session, State};

/// Selects the mailbox. RFC 3501 6.3.1: whatever comes of it, the old one is left first.
pub async fn execute<R: Runtime>(command: Select, session: &mut Session<R>) -> Execution {
    session.deselect();
    if command.condstore {
        session.enable_condstore();
    }
    let access = match command.access {
        select::Access::ReadWrite => Access::ReadWrite,
        select::Access::ReadOnly => Access::ReadOnly,
    };
    let selection = session.shard.next_selection();
    let select = |name| Operation::Select {
        name,
        access,
        session: selection,
    };
    let asked = session.request_named(command.mailbox.as_str(), select);
    let (location, selected) = match asked.await {
        Ok((location, Reply::Selected(selected))) => (location, selected),
        Ok(_) => return Err(Gone::Bye("Internal error")),
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    let key = MailboxKey {
        account: location.owner,
        mailbox: selected.status.mailbox,
    };
    let view = session.shard.watch(key);
    let entered =
        Selected::enter(session, view, (access, location.actor), selection, selected).await;
    let entered = match entered {
        Ok(entered) => entered,
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    tell(session, &entered)?;
    let code = if entered.is_read_only() {
        Code::ReadOnly
    } else {
        Code::ReadWrite
    };
    if let State::Authenticated(login) = &session.state {
        session.state = State::Selected(login.clone(), Box::new(entered));
    }
    Ok(Completion::ok_with(code))
}

/// Every untagged answer that RFC 3501 6.3.1 requires, and HIGHESTMODSEQ.
fn tell<R: Runtime>(session: &mut Session<R>, selected: &Selected<R>) -> Result<(), Gone> {
    let out = &mut session.wire.out;
    tell_keywords(&selected.keywords(), selected.permanent_rights(), out);
    exists(out, selected.exists()?);
    recent(out, selected.recent());
    if let Some(seq) = selected.first_unseen()? {
        status::untagged(out, Condition::Ok, Some(&Code::Unseen(seq)), "first unseen");
    }
    let uid_validity = Code::UidValidity(selected.uid_validity.0);
    status::untagged(out, Condition::Ok, Some(&uid_validity), "UIDs valid");
    let uid_next = Code::UidNext(selected.uid_next()?);
    status::untagged(out, Condition::Ok, Some(&uid_next), "predicted next UID");
    let highest = Code::HighestModSeq(selected.highest_mod_seq()?.0);
    status::untagged(out, Condition::Ok, Some(&highest), "highest");
    Ok(())
}
