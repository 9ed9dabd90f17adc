//! APPEND (RFC 3501 6.3.11, RFC 4315): the message is streamed, never gathered.

use imap_proto::command::{Append, Command};
use imap_proto::grammar::NumberSet;
use imap_proto::request::{LiteralHeader, LiteralKind, Request};
use imap_proto::response::code::Code;
use imap_proto::response::status::{Condition, continuation};
use storage_engine::acl::Rights;
use storage_engine::ids::{MailboxKey, Uid};
use storage_engine::request::{
    GoneMessages, NewMessage, Operation, Refusal, Replaces, Reply, Target,
};

use crate::flags;
use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Incoming, Location, Running, Session, State};
use crate::upload::{self, Upload};

/// The command up to its message literal has come: takes the message or refuses it.
pub async fn receive<R: Runtime>(
    session: &mut Session<R>,
    prefix: &Request,
    literal: LiteralHeader,
) -> Execution {
    let append = match Command::parse(prefix) {
        Ok((_, Command::Append(append))) => append,
        Ok(_) => {
            return refuse(
                session,
                Completion::bad("A message literal belongs to APPEND"),
            );
        }
        Err(_) => return refuse(session, Completion::bad("Bad arguments to APPEND")),
    };
    if matches!(session.state, State::NotAuthenticated) {
        return refuse(
            session,
            Completion::bad("Command not allowed in this state"),
        );
    }
    if flags::has_unknown(&append.flags) {
        return refuse(session, Completion::bad("No such system flag"));
    }
    // RFC 7889 4: refused before it is read.
    if literal.bytes > session.shard.config().limits.message_bytes_max {
        let completion = Completion::no_with(Code::TooBig, "Message is too large");
        return refuse(session, completion);
    }
    let location = match locate(session, append.mailbox.as_str()).await {
        Ok(location) => location,
        Err(refusal) => {
            session.wire.fragmenter().refuse_literal();
            return refused(&refusal, Missing::Destination);
        }
    };
    if session.wire.fragmenter().accept_literal() == LiteralKind::Synchronizing {
        continuation(&mut session.wire.out, "Send the message text");
    }
    take(session, append, location).await
}

/// APPEND without a message literal: the grammar lets none through, but the match wants an arm.
pub fn without_message(_: &Append) -> Execution {
    Ok(Completion::bad("APPEND needs a message"))
}

fn refuse<R: Runtime>(session: &mut Session<R>, completion: Completion) -> Execution {
    session.wire.fragmenter().refuse_literal();
    Ok(completion)
}

/// Where the message is to go. Another account's log takes no octet of a message that its
/// mailbox would refuse.
pub(super) async fn locate<R: Runtime>(
    session: &Session<R>,
    mailbox: &str,
) -> Result<Location, Refusal> {
    let location = session.locate(mailbox).await?;
    if location.is_foreign() {
        let name = location.name.clone();
        let asked = session.request_at(&location, Operation::MyRights { name });
        match asked.await? {
            Reply::Rights(rights) if rights.contains(Rights::INSERT) => {}
            _ => return Err(Refusal::NoPermission),
        }
    }
    Ok(location)
}

async fn take<R: Runtime>(
    session: &mut Session<R>,
    append: Append,
    location: Location,
) -> Execution {
    let mut upload = Upload::new(session.shard.clone(), [location.owner]);
    let rest = loop {
        // A slow but steady upload is no idle client.
        session.set_idle_deadline();
        match session
            .wire
            .next_piece(&mut |octets| upload.push(octets))
            .await?
        {
            None => upload.drain().await,
            Some(rest) => break rest,
        }
    };
    match rest {
        Incoming::AppendEnd(rest) if rest.bytes().is_empty() => {}
        Incoming::AppendEnd(_) => return Ok(Completion::bad("Unexpected text after the message")),
        Incoming::AppendLiteral(..) => {
            session.wire.fragmenter().refuse_literal();
            return Ok(Completion::bad("One message at a time"));
        }
        Incoming::Rejected(_) => return Ok(Completion::bad("Line after the message is too long")),
        Incoming::Request(_) | Incoming::Line(_) | Incoming::Fatal(_) => {
            return Err(Gone::Bye("Out of step"));
        }
    }
    // Until here the client was sending; from here on it waits.
    let mut running = Running::begin(session);
    let uploaded = match running.wait(session, upload.finish()).await {
        Ok(uploaded) => uploaded,
        Err(refusal) => return refused(&refusal, Missing::Destination),
    };
    let body = match uploaded.bodies.into_iter().next() {
        Some(Ok(body)) => body,
        Some(Err(refusal)) => return refused(&refusal, Missing::Destination),
        None => return Err(Gone::Closed),
    };
    let now_s = session.shard.runtime().wall_s();
    let (internal_date_s, internal_date_zone_min) = match &append.internal_date {
        Some(date) => (date.to_unix_seconds(), date.zone_minutes),
        None => (now_s, 0),
    };
    let message = NewMessage {
        flags: flags::names(&append.flags),
        internal_date_s,
        internal_date_zone_min,
        size: uploaded.size,
        body,
        summary: uploaded.summary,
    };
    let replaces = append.replaces.map(|old| Replaces {
        uid: Uid(old.uid),
        gone: if old.must_exist {
            GoneMessages::Refuse
        } else {
            GoneMessages::PassOver
        },
    });
    store(session, &location, message, replaces, &mut running).await
}

async fn store<R: Runtime>(
    session: &mut Session<R>,
    location: &Location,
    message: NewMessage,
    replaces: Option<Replaces>,
    running: &mut Running,
) -> Execution {
    let limit = session.limit_at(location).await;
    let body = message.body.clone();
    let operation = Operation::Append {
        mailbox: Target::Name(location.name.clone()),
        messages: vec![message],
        replaces,
        limit,
    };
    let asked = session.asking_at(location, operation);
    match running.wait(session, asked).await {
        Ok(Reply::Appended {
            mailbox,
            uid_validity,
            uids,
            change,
        }) => {
            session.shard.counters().appends.add(1);
            let key = MailboxKey {
                account: location.owner,
                mailbox,
            };
            if let Some(selected) = session.selected()
                && selected.key() == key
            {
                selected.reached(change).await?;
            }
            let uids: NumberSet = uids.iter().map(|uid| uid.0).collect();
            let code = Code::AppendUid {
                uid_validity: uid_validity.0,
                uids,
            };
            Ok(Completion::new(Condition::Ok, Some(code), "completed"))
        }
        Ok(_) => Err(Gone::Bye("Internal error")),
        Err(refusal) => {
            upload::abandon(&session.shard, location.owner, body, &refusal).await;
            refused(&refusal, Missing::Destination)
        }
    }
}
