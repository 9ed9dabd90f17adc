//! LSUB (RFC 3501 6.3.9).

use std::collections::BTreeMap;

use imap_proto::command::Lsub;
use imap_proto::response::list::{ListResponse, ListResponseVerb, MailboxAttribute};

use crate::runtime::Runtime;
use crate::session::foreign::{ForeignName, canonical};
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
    let own = session.login().map_or("", |login| login.name.as_str());
    let joined = format!("{}{}", command.reference, command.pattern);
    let pattern = Pattern::new("", &canonical_pattern(&joined, own));
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

/// Other accounts' names are subscribed in one spelling; a pattern for them may have any.
fn canonical_pattern(pattern: &str, own: &str) -> String {
    match ForeignName::parse(pattern) {
        Some(foreign) if !foreign.account.contains(['*', '%']) => {
            let prefix = foreign.prefix();
            let rest = pattern.get(prefix.len()..).unwrap_or_default();
            format!("{}{rest}", canonical(&prefix, own))
        }
        Some(_) | None => pattern.to_owned(),
    }
}
