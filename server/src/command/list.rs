//! LIST (RFC 3501 6.3.8), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE (RFC 6154).

use std::collections::{BTreeMap, BTreeSet};

use imap_proto::command::List;
use imap_proto::command::list::ListVerb;
use imap_proto::grammar::{SpecialUse as WireUse, StatusItem};
use imap_proto::response::list::{ListResponse, MailboxAttribute};
use storage_engine::request::{
    AccountDescription, MailboxStatus, Operation, Refusal, Reply, SpecialUse,
};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

use super::namespace::SEPARATOR;
use super::status;

pub mod pattern;

use pattern::Pattern;

/// Lists names that match, each STATUS right after its LIST (RFC 5819 2).
pub async fn execute<R: Runtime>(command: List, session: &mut Session<R>) -> Execution {
    if command.patterns.iter().all(String::is_empty) {
        tell_delimiter(&command, &mut session.wire.out);
        return Ok(Completion::ok());
    }
    let account = match describe(session).await {
        Ok(account) => account,
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    // As STATUS does (RFC 7162 3.1).
    if command.returns.status.contains(&StatusItem::HighestModSeq) {
        session.enable_condstore();
    }
    let append_limit = session.shard.config().limits.message_bytes_max;
    let names = Names::new(&account);
    let patterns: Vec<Pattern> = command
        .patterns
        .iter()
        .map(|pattern| Pattern::new(&command.reference, pattern))
        .collect();
    for (name, mailbox) in &names.all {
        // Matching takes longest where nothing matches.
        session.pause().await?;
        let Some(row) = names.row(&command, &patterns, name, *mailbox) else {
            continue;
        };
        ListResponse {
            verb: command.verb.into(),
            attributes: &row.attributes,
            delimiter: Some(SEPARATOR),
            mailbox: name,
            child_info_subscribed: row.child_info,
        }
        .encode(&mut session.wire.out);
        if let Some(mailbox) = mailbox.filter(|mailbox| !mailbox.noselect)
            && !command.returns.status.is_empty()
        {
            status::tell(
                mailbox,
                &command.returns.status,
                append_limit,
                &mut session.wire.out,
            );
        }
        session.wire.flush_if_full().await?;
    }
    Ok(Completion::ok())
}

/// The account's mailboxes and subscriptions.
pub async fn describe<R: Runtime>(
    session: &Session<R>,
) -> Result<std::sync::Arc<AccountDescription>, Refusal> {
    match session.request(Operation::Describe).await? {
        Reply::Account(account) => Ok(account),
        _ => Err(Refusal::Unknown),
    }
}

/// RFC 3501 6.3.8: an empty pattern asks for the delimiter and the root of the reference.
fn tell_delimiter(command: &List, out: &mut Vec<u8>) {
    ListResponse {
        verb: command.verb.into(),
        attributes: &[MailboxAttribute::NoSelect],
        delimiter: Some(SEPARATOR),
        mailbox: "",
        child_info_subscribed: false,
    }
    .encode(out);
}

/// Every name that LIST may tell: mailboxes and subscriptions, and what is below what.
struct Names<'a> {
    all: BTreeMap<&'a str, Option<&'a MailboxStatus>>,
    subscribed: BTreeSet<&'a str>,
    parents: BTreeSet<&'a str>,
}

struct Row {
    attributes: Vec<MailboxAttribute>,
    child_info: bool,
}

impl<'a> Names<'a> {
    fn new(account: &'a AccountDescription) -> Self {
        let subscribed: BTreeSet<&str> = account.subscriptions.iter().map(String::as_str).collect();
        let mut all: BTreeMap<&str, Option<&MailboxStatus>> =
            subscribed.iter().map(|name| (*name, None)).collect();
        let mut parents = BTreeSet::new();
        for mailbox in &account.mailboxes {
            all.insert(&mailbox.name, Some(mailbox));
            parents.extend(above(&mailbox.name));
        }
        // RFC 5258 3.5: a name above a subscribed one can be told, whether it exists or not.
        for name in subscribed.iter().flat_map(|name| above(name)) {
            all.entry(name).or_insert(None);
        }
        Names {
            all,
            subscribed,
            parents,
        }
    }

    /// What is told of a name, if the command selects it.
    fn row(
        &self,
        command: &List,
        patterns: &[Pattern],
        name: &str,
        mailbox: Option<&MailboxStatus>,
    ) -> Option<Row> {
        if !patterns.iter().any(|pattern| pattern.matches(name)) {
            return None;
        }
        let selection = &command.selection;
        let subscribed = self.subscribed.contains(name);
        let child_info =
            selection.recursive_match && selection.subscribed && self.subscribed_below(name);
        let chosen = if selection.subscribed {
            subscribed || child_info
        } else {
            mailbox.is_some()
        };
        let uses: &[SpecialUse] = mailbox.map_or(&[], |mailbox| &mailbox.special_use);
        if !chosen || (selection.special_use && uses.is_empty()) {
            return None;
        }
        let mut attributes = Vec::new();
        match mailbox {
            None => attributes.push(MailboxAttribute::NonExistent),
            Some(mailbox) if mailbox.noselect => attributes.push(MailboxAttribute::NoSelect),
            Some(_) => {}
        }
        if subscribed && (selection.subscribed || command.returns.subscribed) {
            attributes.push(MailboxAttribute::Subscribed);
        }
        attributes.push(if self.parents.contains(name) {
            MailboxAttribute::HasChildren
        } else {
            MailboxAttribute::HasNoChildren
        });
        if command.verb == ListVerb::Xlist && name == "INBOX" {
            attributes.push(MailboxAttribute::Inbox);
        }
        attributes.extend(
            uses.iter()
                .map(|use_| MailboxAttribute::SpecialUse(wire_use(*use_))),
        );
        Some(Row {
            attributes,
            child_info,
        })
    }

    fn subscribed_below(&self, name: &str) -> bool {
        let first = format!("{name}{SEPARATOR}");
        self.subscribed
            .range(first.as_str()..)
            .next()
            .is_some_and(|next| next.starts_with(&first))
    }
}

/// The names above a name: `a/b/c` gives `a` and `a/b`.
pub fn above(name: &str) -> impl Iterator<Item = &str> {
    name.match_indices(SEPARATOR)
        .filter_map(|(at, _)| name.get(..at))
}

fn wire_use(special_use: SpecialUse) -> WireUse {
    match special_use {
        SpecialUse::All => WireUse::All,
        SpecialUse::Archive => WireUse::Archive,
        SpecialUse::Drafts => WireUse::Drafts,
        SpecialUse::Flagged => WireUse::Flagged,
        SpecialUse::Junk => WireUse::Junk,
        SpecialUse::Sent => WireUse::Sent,
        SpecialUse::Trash => WireUse::Trash,
    }
}
