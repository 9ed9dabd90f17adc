//! LSUB (RFC 3501 6.3.9).

use std::collections::BTreeMap;

use imap_proto::command::Lsub;
use imap_proto::response::list::{ListResponse, ListResponseVerb, MailboxAttribute};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

use super::list::pattern::Pattern;
use super::list::{above, describe};
use super::namespace::SEPARATOR;

/// Lists subscribed names that match, existing or not.
pub async fn execute<R: Runtime>(command: Lsub, session: &mut Session<R>) -> Execution {
    let account = match describe(session).await {
        Ok(account) => account,
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    let pattern = Pattern::new(&command.reference, &command.pattern);
    // RFC 3501 6.3.9: `%` tells foo as \Noselect where only foo/bar is subscribed.
    let mut told: BTreeMap<&str, bool> = BTreeMap::new();
    for name in &account.subscriptions {
        if pattern.matches(name) {
            told.insert(name, true);
        } else {
            for name in above(name).filter(|name| pattern.matches(name)) {
                told.entry(name).or_insert(false);
            }
        }
    }
    for (name, subscribed) in told {
        ListResponse {
            verb: ListResponseVerb::Lsub,
            attributes: if subscribed {
                &[]
            } else {
                &[MailboxAttribute::NoSelect]
            },
            delimiter: Some(SEPARATOR),
            mailbox: name,
            child_info_subscribed: false,
        }
        .encode(&mut session.wire.out);
        session.wire.flush_if_full().await?;
    }
    Ok(Completion::ok())
}
