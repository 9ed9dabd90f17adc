//! LIST (RFC 3501 6.3.8), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE (RFC 6154),
//! and which mailboxes that are not for mail it tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use imap_proto::command::List;
use imap_proto::command::list::ListVerb;
use imap_proto::grammar::{ListValue, SpecialUse as WireUse, StatusItem};
use imap_proto::response::code::Code;
use imap_proto::response::list::{ListResponse, MailboxAttribute};
use storage_engine::acl::Rights;
use storage_engine::request::{
    AccountDescription, MailboxStatus, Operation, Refusal, Reply, SpecialUse,
};

use crate::limits;
use crate::runtime::Runtime;
use crate::session::foreign::{ForeignName, MARK, canonical};
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Session};

use super::namespace::SEPARATOR;
use super::status;

pub mod pattern;
mod values;

use pattern::Pattern;

/// Lists names that match, each STATUS right after its LIST (RFC 5819 2).
pub async fn execute<R: Runtime>(command: List, session: &mut Session<R>) -> Execution {
    if command.patterns.iter().all(String::is_empty) {
        tell_delimiter(&command, &mut session.wire.out);
        return Ok(Completion::ok());
    }
    // As STATUS does (RFC 7162 3.1).
    if command.returns.status.contains(&StatusItem::HighestModSeq) {
        session.enable_condstore();
    }
    let wanted = Wanted::new(&command);
    if wanted.foreign.len() > limits::LIST_FOREIGN_ACCOUNTS_MAX {
        let text = "Too many other accounts in one LIST";
        return Ok(Completion::no_with(Code::Limit, text));
    }
    let own = match describe(session).await {
        Ok(own) => own,
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    if !wanted.own.is_empty() {
        let subscriptions = own.subscriptions.iter().map(String::as_str);
        let names = Names::new(&own.mailboxes, subscriptions, sees_all(&command, session));
        tell_names(session, &command, &names, &wanted.own, &str::to_owned).await?;
    }
    for (account, asked) in &wanted.foreign {
        tell_foreign(session, &command, account, asked, &own).await?;
    }
    Ok(Completion::ok())
}

/// What is asked of each account's names.
struct Wanted {
    own: Vec<Pattern>,
    /// By the account as it was written.
    foreign: BTreeMap<String, Asked>,
}

/// What is asked of another account's names.
#[derive(Default)]
struct Asked {
    patterns: Vec<Pattern>,
    /// The account's root itself, `~account`.
    root: bool,
}

impl Wanted {
    fn new(command: &List) -> Self {
        let mut wanted = Wanted {
            own: Vec::new(),
            foreign: BTreeMap::new(),
        };
        for pattern in &command.patterns {
            // RFC 3501 6.3.8: the reference is simply put before the pattern here.
            let joined = format!("{}{pattern}", command.reference);
            let Some(foreign) = ForeignName::parse(&joined) else {
                wanted.own.push(Pattern::new("", &joined));
                continue;
            };
            // Accounts are not counted off: a wildcard finds no more than what is subscribed.
            if foreign.account.contains(['*', '%']) {
                wanted.own.push(Pattern::new("", &joined));
                continue;
            }
            let asked = wanted.foreign.entry(foreign.account.to_owned());
            let asked = asked.or_default();
            if joined.contains(SEPARATOR) {
                asked.patterns.push(Pattern::new("", foreign.mailbox));
            } else {
                asked.root = true;
            }
        }
        wanted
    }
}

/// Tells another account's names; only those that this session may look up are described to it.
async fn tell_foreign<R: Runtime>(
    session: &mut Session<R>,
    command: &List,
    account: &str,
    asked: &Asked,
    own: &AccountDescription,
) -> Result<(), Gone> {
    let foreign = ForeignName {
        account,
        mailbox: "",
    };
    let Ok(location) = session.locate_account(&foreign).await else {
        return Err(Gone::Closed);
    };
    let described = match session.request_at(&location, Operation::Describe).await {
        Ok(Reply::Account(described)) if described.mailboxes.is_empty() => {
            session.keep_time(&location).await;
            described
        }
        Ok(Reply::Account(described)) => described,
        // Nothing is there, or nothing that may be known.
        Err(Refusal::NoSuchMailbox) => Arc::default(),
        Ok(_) | Err(_) => return Err(Gone::Bye("Outcome unknown; connect again and look")),
    };
    let login = session.login().map_or("", |login| login.name.as_str());
    let prefix = format!("{}{SEPARATOR}", canonical(&foreign.prefix(), login));
    let subscriptions = own.subscriptions.iter();
    let subscribed: Vec<&str> = if location.is_foreign() {
        subscriptions
            .filter_map(|name| name.strip_prefix(&prefix))
            .collect()
    } else {
        subscriptions.map(String::as_str).collect()
    };
    let is_there = !described.mailboxes.is_empty();
    if asked.root && is_there && !command.selection.subscribed && !command.selection.special_use {
        ListResponse {
            verb: command.verb.into(),
            attributes: &[MailboxAttribute::NoSelect, MailboxAttribute::HasChildren],
            delimiter: Some(SEPARATOR),
            mailbox: &foreign.prefix(),
            child_info_subscribed: false,
        }
        .encode(&mut session.wire.out);
    }
    let sees_all = sees_all(command, session);
    let names = Names::new(&described.mailboxes, subscribed, sees_all);
    let shown = |name: &str| location.shown(name).into_owned();
    tell_names(session, command, &names, &asked.patterns, &shown).await
}

/// Whether mailboxes are told that are not for mail. Clients that ask for classes know what to do
/// with them, as do those that enabled it; others are told where their user wants it.
fn sees_all<R: Runtime>(command: &List, session: &Session<R>) -> bool {
    session.extensions
        || command.returns.values.contains(&ListValue::Class)
        || session.login().is_some_and(|login| login.sees_non_mail)
}

/// Tells the names of one account that match and are selected.
async fn tell_names<R: Runtime>(
    session: &mut Session<R>,
    command: &List,
    names: &Names<'_>,
    patterns: &[Pattern],
    shown: &dyn Fn(&str) -> String,
) -> Result<(), Gone> {
    let append_limit = session.shard.config().limits.message_bytes_max;
    for (name, known) in &names.all {
        // Matching takes longest where nothing matches.
        session.pause().await?;
        let Some(row) = names.row(command, patterns, name, *known) else {
            continue;
        };
        let shown = shown(name);
        ListResponse {
            verb: command.verb.into(),
            attributes: &row.attributes,
            delimiter: Some(SEPARATOR),
            mailbox: &shown,
            child_info_subscribed: row.child_info,
        }
        .encode(&mut session.wire.out);
        if let Some(mailbox) = row.mailbox
            && mailbox.rights.contains(Rights::READ)
            && !command.returns.status.is_empty()
        {
            status::tell(
                &shown,
                mailbox,
                &command.returns.status,
                append_limit,
                &mut session.wire.out,
            );
        }
        session.wire.flush_if_full().await?;
    }
    Ok(())
}

/// The account's mailboxes and subscriptions.
pub async fn describe<R: Runtime>(
    session: &Session<R>,
) -> Result<Arc<AccountDescription>, Refusal> {
    match session.request(Operation::Describe).await? {
        Reply::Account(account) => Ok(account),
        _ => Err(Refusal::Unknown),
    }
}

/// RFC 3501 6.3.8: an empty pattern asks for the delimiter and the root of the reference.
fn tell_delimiter(command: &List, out: &mut Vec<u8>) {
    let root = if command.reference.starts_with(MARK) {
        "~"
    } else {
        ""
    };
    ListResponse {
        verb: command.verb.into(),
        attributes: &[MailboxAttribute::NoSelect],
        delimiter: Some(SEPARATOR),
        mailbox: root,
        child_info_subscribed: false,
    }
    .encode(out);
}

/// Every name of an account that LIST may tell: mailboxes and subscriptions, and what is below
/// what.
struct Names<'a> {
    all: BTreeMap<&'a str, Known<'a>>,
    subscribed: BTreeSet<&'a str>,
    /// Names above those that are shown.
    parents: BTreeSet<&'a str>,
    /// Whether mailboxes are shown that are not for mail.
    sees_all: bool,
}

/// What is known of a name.
#[derive(Clone, Copy)]
enum Known<'a> {
    /// A mailbox, or a name only.
    Mailbox(&'a MailboxStatus),
    /// Something below it may be told, itself not: without it, who walks the levels with `%` would
    /// not get there.
    Parent,
    /// Subscribed, or above what is, and not there.
    Missing,
    /// The same in another account, where it was not looked up.
    Elsewhere,
}

struct Row<'a> {
    attributes: Vec<MailboxAttribute>,
    child_info: bool,
    /// What can be selected under the name, as far as it is shown.
    mailbox: Option<&'a MailboxStatus>,
}

impl<'a> Names<'a> {
    fn new(
        mailboxes: &'a [MailboxStatus],
        subscriptions: impl IntoIterator<Item = &'a str>,
        sees_all: bool,
    ) -> Self {
        let subscribed: BTreeSet<&str> = subscriptions.into_iter().collect();
        let mut all = BTreeMap::new();
        let mut parents = BTreeSet::new();
        // RFC 5258 3.5: a name above a subscribed one can be told, whether it exists or not.
        for name in subscribed.iter().flat_map(|name| above(name)) {
            all.insert(name, Known::missing(name));
        }
        all.extend(subscribed.iter().map(|name| (*name, Known::missing(name))));
        let seen = mailboxes
            .iter()
            .filter(|mailbox| sees_all || mailbox.class.is_empty());
        for name in seen.flat_map(|mailbox| above(&mailbox.name)) {
            all.insert(name, Known::Parent);
            parents.insert(name);
        }
        for mailbox in mailboxes {
            all.insert(&mailbox.name, Known::Mailbox(mailbox));
        }
        Names {
            all,
            subscribed,
            parents,
            sees_all,
        }
    }

    /// What is told of a name, if the command selects it.
    fn row(
        &self,
        command: &List,
        patterns: &[Pattern],
        name: &str,
        known: Known<'a>,
    ) -> Option<Row<'a>> {
        if !patterns.iter().any(|pattern| pattern.matches(name)) {
            return None;
        }
        let selection = &command.selection;
        let subscribed = self.subscribed.contains(name);
        let child_info =
            selection.recursive_match && selection.subscribed && self.subscribed_below(name);
        // What was subscribed is told whatever it is for.
        let sees_all = self.sees_all || (selection.subscribed && subscribed);
        let shown = known.mailbox(sees_all);
        let chosen = match known {
            _ if selection.subscribed => subscribed || child_info,
            // A mailbox that is not shown itself is a mere name where something below it is.
            Known::Mailbox(mailbox) => {
                shown.is_some() || mailbox.noselect || self.parents.contains(name)
            }
            Known::Parent => true,
            Known::Missing | Known::Elsewhere => false,
        };
        let uses: &[SpecialUse] = shown.map_or(&[], |mailbox| &mailbox.special_use);
        if !chosen || (selection.special_use && uses.is_empty()) {
            return None;
        }
        let mut attributes = Vec::new();
        match known {
            Known::Missing => attributes.push(MailboxAttribute::NonExistent),
            Known::Mailbox(_) if shown.is_none() => attributes.push(MailboxAttribute::NoSelect),
            Known::Elsewhere if !subscribed => attributes.push(MailboxAttribute::NoSelect),
            Known::Parent => attributes.push(MailboxAttribute::NoSelect),
            Known::Mailbox(_) | Known::Elsewhere => {}
        }
        if subscribed && (selection.subscribed || command.returns.subscribed) {
            attributes.push(MailboxAttribute::Subscribed);
        }
        if self.parents.contains(name) {
            attributes.push(MailboxAttribute::HasChildren);
        } else if !matches!(known, Known::Elsewhere) {
            attributes.push(MailboxAttribute::HasNoChildren);
        }
        if command.verb == ListVerb::Xlist && name == "INBOX" {
            attributes.push(MailboxAttribute::Inbox);
        }
        attributes.extend(
            uses.iter()
                .map(|use_| MailboxAttribute::SpecialUse(wire_use(*use_))),
        );
        if let Some(mailbox) = shown.filter(|mailbox| mailbox.rights.contains(Rights::READ)) {
            attributes.extend(values::attributes(&command.returns.values, mailbox));
            if command.returns.in_front {
                attributes.push(values::mark(mailbox));
            }
        }
        Some(Row {
            attributes,
            child_info,
            mailbox: shown,
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

impl<'a> Known<'a> {
    /// What can be selected under the name, if it is shown.
    fn mailbox(self, sees_all: bool) -> Option<&'a MailboxStatus> {
        match self {
            Known::Mailbox(mailbox) if mailbox.noselect => None,
            Known::Mailbox(mailbox) => (sees_all || mailbox.class.is_empty()).then_some(mailbox),
            Known::Parent | Known::Missing | Known::Elsewhere => None,
        }
    }

    fn missing(name: &str) -> Self {
        if name.starts_with(MARK) {
            Known::Elsewhere
        } else {
            Known::Missing
        }
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
