//! GETQUOTA (RFC 9208 4.1.1), and what the other quota commands share with it.

use imap_proto::grammar::QuotaResource;
use imap_proto::response::code::Code;
use imap_proto::response::quota::quota;
use mail_directory::{Account, AccountName, LookupError};
use storage_engine::ids::AccountId;
use storage_engine::request::{Actor, Operation, Reply};

use crate::quota::mailboxes_max;
use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Gone, Session};

/// STORAGE counts in units of 1,024 octets (RFC 9208 5.1).
pub(super) const STORAGE_UNIT_BYTES: u64 = 1024;

/// Tells one root: the account of this name.
pub async fn execute<R: Runtime>(root: Vec<u8>, session: &mut Session<R>) -> Execution {
    let name = named(&root, session);
    let found = match name {
        Some(name) => find(&name, session).await,
        None => Found::Nothing,
    };
    match found {
        Found::Account(account) => tell(&account, session).await,
        Found::Nothing => Ok(Completion::no_with(Code::NonExistent, "No such quota root")),
        Found::Unavailable => Ok(unavailable()),
    }
}

/// What came of the search for a root.
pub(super) enum Found {
    /// The session may see this account's quota.
    Account(Account),
    /// There is no such account, or nothing of it is to be seen: nobody is told which.
    Nothing,
    /// The directory cannot say.
    Unavailable,
}

/// The name of a root, in its canonical form.
pub(super) fn named<R: Runtime>(root: &[u8], session: &Session<R>) -> Option<AccountName> {
    let root = std::str::from_utf8(root).ok()?;
    session.shard.directory().resolve(root).ok()
}

/// The account, if the session may see its quota. Who may not is answered without a look at the
/// directory, so that the time tells nothing either.
pub(super) async fn find<R: Runtime>(name: &AccountName, session: &Session<R>) -> Found {
    let own = session
        .login()
        .is_some_and(|login| login.name == name.as_str());
    if !own && !session.administers().await.has(name.domain()) {
        return Found::Nothing;
    }
    match session.shard.directory().lookup(name.as_str()).await {
        Ok(Some(account)) => Found::Account(account),
        Ok(None) => Found::Nothing,
        Err(LookupError::Busy | LookupError::Unavailable) => Found::Unavailable,
    }
}

/// Writes the untagged QUOTA of an account.
pub(super) async fn tell<R: Runtime>(account: &Account, session: &mut Session<R>) -> Execution {
    let id = AccountId(account.id.to_bytes());
    let asked = session.shard.request(id, Actor::System, Operation::Usage);
    let used = match asked.await {
        Ok(Reply::Usage(used)) => used,
        Ok(_) => return Err(Gone::Bye("Internal error")),
        Err(refusal) => return refused(&refusal, Missing::Subject),
    };
    let used_kib = used.bytes.div_ceil(STORAGE_UNIT_BYTES);
    let most_kib = account.quota.bytes.map(|bytes| bytes / STORAGE_UNIT_BYTES);
    let resources: Vec<_> = [
        (QuotaResource::Storage, used_kib, most_kib),
        (
            QuotaResource::Message,
            used.messages,
            account.quota.messages,
        ),
        (
            QuotaResource::Mailbox,
            used.mailboxes,
            mailboxes_max(account).map(u64::from),
        ),
    ]
    .into_iter()
    .filter_map(|(resource, used, most)| Some((resource, used, most?)))
    .collect();
    quota(&mut session.wire.out, account.name.as_str(), &resources);
    Ok(Completion::ok())
}

pub(super) fn unavailable() -> Completion {
    Completion::no_with(
        Code::Unavailable,
        "Quotas cannot be looked up at the moment",
    )
}
