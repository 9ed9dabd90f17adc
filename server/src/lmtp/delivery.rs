//! Recipients are found and asked for room; the message is put into their mailboxes.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use mail_directory::{Destination, LookupError, UnknownNames};
use mail_message::delivery::{Trace, received, return_path};
use storage_engine::ids::AccountId;
use storage_engine::request::{
    Actor, FlagNames, Limit, NewBody, NewMessage, Operation, Refusal, Reply as Answer, Target,
};

use crate::config::OverQuota;
use crate::quota::limit_of;
use crate::runtime::{Peer, Runtime};
use crate::shard::Shard;
use crate::upload::{self, Uploaded};

use super::command::{Address, Mail};
use super::reply::Reply;

/// A recipient that was taken.
#[derive(Debug, Clone)]
pub struct Recipient {
    /// As the client has written it.
    pub address: String,
    /// Who it is.
    pub account: AccountId,
    target: Target,
    limit: Limit,
}

/// What the trace fields tell beside the transaction.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The name that the client gave in LHLO.
    pub helo: &'a str,
    /// The client.
    pub peer: Peer,
    /// This host's name.
    pub host: &'a str,
    /// This delivery's id, in the header and in the server's trace.
    pub id: &'a str,
    /// Seconds since the Unix epoch.
    pub now_s: i64,
}

/// Finds the recipient, and refuses at once if a message of the announced size has no room. The
/// last word on that has the append.
pub async fn resolve<R: Runtime>(
    shard: &Shard<R>,
    address: &Address,
    mail: &Mail,
) -> Result<Recipient, Reply> {
    let (destination, folder) = find(shard, address).await?;
    let account = match destination {
        Destination::Account(account) if !account.settings.services.lmtp => {
            return Err(Reply::NO_SERVICE);
        }
        Destination::Account(account) => account,
        Destination::Moved(address) => return Err(Reply::moved(&address, mail.smtputf8)),
        Destination::Rejected(text) => return Err(Reply::rejected(&text)),
        Destination::Nobody => return Err(Reply::UNKNOWN_USER),
    };
    let recipient = Recipient {
        address: address.text.clone(),
        account: AccountId(account.id.to_bytes()),
        target: match folder {
            Some(folder) => Target::NameOrInbox(folder),
            None => Target::Name("INBOX".to_owned()),
        },
        limit: limit_of(&account),
    };
    check_room(shard, &recipient, mail.size).await?;
    Ok(recipient)
}

/// The header fields that go before the message. All copies have the same, as it is received
/// once; so a recipient is named only if it is the only one.
pub fn trace_fields(mail: &Mail, recipients: &[Recipient], origin: &Origin<'_>) -> Vec<u8> {
    let mut fields = return_path(&mail.sender);
    fields.extend_from_slice(&received(&Trace {
        helo: origin.helo,
        client: origin.peer.ip(),
        host: origin.host,
        // RFC 6531 4.3 registers the second.
        protocol: if mail.smtputf8 { "UTF8LMTP" } else { "LMTP" },
        id: origin.id,
        recipient: match recipients {
            [only] => Some(&only.address),
            _ => None,
        },
        date: &header_date(origin.now_s),
    }));
    fields
}

/// Puts a message into the mailboxes of these recipients, whose bodies are in the same order.
/// Each gets a reply of its own, positive once its copy is durable. They wait side by side, so
/// that recipients of one shard share a sync; the caller bounds how many there are.
pub async fn deliver<R: Runtime>(
    shard: &Shard<R>,
    id: &str,
    recipients: &[Recipient],
    message: &Uploaded,
    bodies: &[Result<NewBody, Refusal>],
) -> Vec<Reply> {
    let now_s = shard.runtime().wall_s();
    let over_quota = shard.config().lmtp.over_quota;
    side_by_side(
        recipients
            .iter()
            .zip(bodies)
            .map(|(recipient, body)| async move {
                let outcome = match body {
                    Ok(body) => {
                        let message = NewMessage {
                            flags: FlagNames::default(),
                            internal_date_s: now_s,
                            internal_date_zone_min: 0,
                            size: message.size,
                            body: body.clone(),
                            summary: message.summary.clone(),
                        };
                        append(shard, recipient, message).await
                    }
                    Err(refusal) => Err(refusal.clone()),
                };
                conclude(shard, id, recipient, outcome, over_quota)
            }),
    )
    .await
}

async fn append<R: Runtime>(
    shard: &Shard<R>,
    recipient: &Recipient,
    message: NewMessage,
) -> Result<(), Refusal> {
    let body = message.body.clone();
    let operation = Operation::Append {
        mailbox: recipient.target.clone(),
        messages: vec![message],
        replaces: None,
        limit: recipient.limit,
    };
    let refusal = match shard
        .request(recipient.account, Actor::System, operation)
        .await
    {
        Ok(Answer::Appended { .. }) => return Ok(()),
        Ok(_) => Refusal::Unknown,
        Err(refusal) => refusal,
    };
    upload::abandon(shard, recipient.account, body, &refusal).await;
    Err(refusal)
}

fn conclude<R: Runtime>(
    shard: &Shard<R>,
    id: &str,
    recipient: &Recipient,
    outcome: Result<(), Refusal>,
    over_quota: OverQuota,
) -> Reply {
    let address = recipient.address.as_str();
    match outcome {
        Ok(()) => {
            shard.counters().deliveries.add(1);
            tracing::info!(id, address, "delivered");
            Reply::DELIVERED.about(address)
        }
        Err(refusal) => {
            tracing::info!(id, address, %refusal, "not delivered");
            Reply::refused(&refusal, over_quota).about(address)
        }
    }
}

/// Where the address leads, and the folder if it names one. A user whose own name has the delimiter
/// in it comes before a folder of a shorter one, and both before names that nobody has.
async fn find<R: Runtime>(
    shard: &Shard<R>,
    address: &Address,
) -> Result<(Destination, Option<String>), LookupError> {
    let name = |local: &str| match address.domain.as_str() {
        "" => local.to_owned(),
        domain => format!("{local}@{domain}"),
    };
    let directory = shard.directory();
    let whole = name(&address.local);
    let found = directory.destination(&whole, UnknownNames::Refuse).await?;
    if found != Destination::Nobody {
        return Ok((found, None));
    }
    let delimiter = shard.config().lmtp.recipient_delimiter;
    if let Some((user, folder)) = split(&address.local, delimiter) {
        let found = directory
            .destination(&name(user), UnknownNames::Refuse)
            .await?;
        if found != Destination::Nobody {
            let folder = Some(folder.to_owned()).filter(|folder| !folder.is_empty());
            return Ok((found, folder));
        }
    }
    let anybody = directory.destination(&whole, UnknownNames::Reroute).await?;
    Ok((anybody, None))
}

/// User and folder at the first delimiter; a folder's name may have more of them.
fn split(local: &str, delimiter: Option<char>) -> Option<(&str, &str)> {
    local
        .split_once(delimiter?)
        .filter(|(user, _)| !user.is_empty())
}

async fn check_room<R: Runtime>(
    shard: &Shard<R>,
    recipient: &Recipient,
    announced: Option<u64>,
) -> Result<(), Reply> {
    let over_quota = shard.config().lmtp.over_quota;
    if recipient.limit.bytes_max.is_none() && recipient.limit.messages_max.is_none() {
        return Ok(());
    }
    let asked = shard.request(recipient.account, Actor::System, Operation::Describe);
    let refusal = match asked.await {
        Ok(Answer::Account(account)) => {
            match has_room(&recipient.limit, account.bytes, account.messages, announced) {
                true => return Ok(()),
                false => Refusal::OverQuota,
            }
        }
        Ok(_) => Refusal::Unknown,
        Err(refusal) => refusal,
    };
    Err(Reply::refused(&refusal, over_quota))
}

fn has_room(limit: &Limit, bytes: u64, messages: u64, announced: Option<u64>) -> bool {
    // No message is empty: it has its trace fields at least.
    let more = announced.unwrap_or(0).max(1);
    limit
        .bytes_max
        .is_none_or(|most| bytes.saturating_add(more) <= most)
        && limit
            .messages_max
            .is_none_or(|most| messages.saturating_add(1) <= most)
}

/// RFC 5322 3.3, in UTC.
fn header_date(unix_s: i64) -> String {
    // A clock beyond the year 9999 is the only error.
    jiff::Timestamp::from_second(unix_s)
        .map(|moment| moment.to_zoned_datetime(jiff::tz::TimeZone::UTC))
        .and_then(|moment| jiff::fmt::rfc2822::to_string(&moment))
        .unwrap_or_default()
}

/// Runs a bounded number of futures in one task; their results are in their order.
async fn side_by_side<T>(futures: impl Iterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut waiting: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    let mut all = pin!(poll_fn(|context| {
        let mut left = false;
        for (future, result) in &mut waiting {
            if result.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(value) => *result = Some(value),
                    Poll::Pending => left = true,
                }
            }
        }
        if left { Poll::Pending } else { Poll::Ready(()) }
    }));
    all.as_mut().await;
    waiting
        .into_iter()
        .filter_map(|(_, result)| result)
        .collect()
}

#[cfg(test)]
mod tests;
