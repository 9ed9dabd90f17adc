//! Compares what came out of a crash with what the clients were told.

use storage_engine::disk::sim::SimDisk;
use storage_engine::error::ReadError;
use storage_engine::ids::{AccountId, MailboxId};
use storage_engine::index::Entry;
use storage_engine::mail_store::MailStore;
use storage_engine::request::{Actor, AlertOperation, Operation, Refusal, Reply, Request};

use super::{Life, Stores, World};
use crate::plain::operation::{body_of, summary_of};
use crate::plain::{PlainAccount, dump};

/// Why a message could not be read.
#[derive(Debug)]
pub enum Unread {
    Read(ReadError),
    NotLocated,
    OtherOctets,
}

impl Unread {
    /// The machine is off, or the message went meanwhile: an error that misleads nobody.
    pub fn is_contained(&self) -> bool {
        match self {
            Unread::Read(ReadError::Io(_)) | Unread::NotLocated => true,
            Unread::Read(_) | Unread::OtherOctets => false,
        }
    }
}

/// Reads a message as a session does: by its place, and asking the owner after a miss.
pub async fn read_message(
    store: &MailStore<SimDisk>,
    account: AccountId,
    mailbox: MailboxId,
    entry: Entry,
) -> Result<(), Unread> {
    let reader = store.reader();
    let whole = 0..u64::from(entry.size);
    let mut places = (entry.body_place, entry.summary_place);
    let mut body = reader
        .read_body(account, entry.body, places.0, whole.clone())
        .await;
    let mut summary = reader.read_summary(account, entry.body, places.1).await;
    for _ in 0..3 {
        if !matches!(body, Err(ReadError::Missing)) && !matches!(summary, Err(ReadError::Missing)) {
            break;
        }
        let operation = Operation::Locate {
            mailbox,
            uid: entry.uid,
        };
        let located = store
            .execute(Request {
                account,
                actor: Actor::Owner,
                now_s: 0,
                operation,
            })
            .await;
        match located {
            Ok(Reply::Located {
                body_place,
                summary_place,
                ..
            }) => {
                places = (body_place, summary_place);
            }
            Ok(other) => panic!("{other:?}"),
            Err(_) => return Err(Unread::NotLocated),
        }
        body = reader
            .read_body(account, entry.body, places.0, whole.clone())
            .await;
        summary = reader.read_summary(account, entry.body, places.1).await;
    }
    let (body, summary) = (body.map_err(Unread::Read)?, summary.map_err(Unread::Read)?);
    let tag = entry.internal_date_s;
    match body == body_of(tag, entry.size) && summary == summary_of(tag) {
        true => Ok(()),
        false => Err(Unread::OtherOctets),
    }
}

impl World {
    /// Each account is in exactly one of the states that it may be in; from here on it is in that.
    pub(super) async fn compare(&mut self, stores: &Stores, life: u64) {
        for account in &mut self.accounts {
            let store = stores.of(account.id);
            let found = look(&store, account.id, self.seed).await;
            let mut candidates = std::mem::take(&mut account.maybe);
            candidates.insert(0, account.told.clone());
            let fits = |candidate: &Life| match (candidate, &found) {
                (Life::Unborn | Life::Deleted, None) => true,
                (Life::Alive(held), Some(found)) => {
                    let mut held = held.clone().without_recent();
                    held.last_uid_validity = 0;
                    held == *found
                }
                _ => false,
            };
            // The newest that fits: operations that change nothing leave equal states.
            let fitting = candidates.iter().rev().find(|candidate| fits(candidate));
            let Some(fitting) = fitting else {
                let told = candidates
                    .iter()
                    .map(|held| differences(held, found.as_ref()));
                let told: Vec<String> = told.collect();
                panic!(
                    "seed {} life {life} account {}: - told, + found\n{}",
                    self.seed,
                    account.id,
                    told.join("\nor\n")
                );
            };
            account.told = fitting.clone();
        }
    }
}

/// What differs between a state that clients were told of and the one that was found.
pub(super) fn differences(told: &Life, found: Option<&PlainAccount>) -> String {
    let lines = |account: Option<&PlainAccount>| {
        let Some(account) = account else {
            return vec!["no account".to_owned()];
        };
        let mut lines = vec![
            format!("{:?}", account.subscriptions),
            format!("{:?}", account.alerts),
        ];
        for (name, mailbox) in &account.mailboxes {
            let Some(mailbox) = mailbox else {
                lines.push(format!("{name}: a name"));
                continue;
            };
            let (next, mod_seq) = (mailbox.uid_next, mailbox.mod_seq);
            let (validity, keywords) = (mailbox.uid_validity, &mailbox.keywords);
            lines.push(format!("{name}: {validity} {next} {mod_seq} {keywords:?}"));
            for (uid, message) in &mailbox.messages {
                lines.push(format!("{name} {uid}: {message:?}"));
            }
        }
        lines
    };
    let told = lines(match told {
        Life::Alive(account) => Some(account),
        Life::Unborn | Life::Deleted => None,
    });
    let found = lines(found);
    let missing = told
        .iter()
        .filter(|line| !found.contains(line))
        .map(|line| format!("- {line}"));
    let extra = found
        .iter()
        .filter(|line| !told.contains(line))
        .map(|line| format!("+ {line}"));
    missing.chain(extra).collect::<Vec<_>>().join("\n")
}

/// All of an account, every message read.
async fn look(store: &MailStore<SimDisk>, account: AccountId, seed: u64) -> Option<PlainAccount> {
    let execute = |operation| {
        store.execute(Request {
            account,
            actor: Actor::Owner,
            now_s: 0,
            operation,
        })
    };
    let description = match execute(Operation::Describe).await {
        Ok(Reply::Account(description)) => description,
        Err(Refusal::NoSuchAccount) => return None,
        other => panic!("seed {seed}: {other:?}"),
    };
    let mut snapshots = Vec::new();
    for status in description
        .mailboxes
        .iter()
        .filter(|status| !status.noselect)
    {
        let mailbox = status.mailbox;
        let snapshot = match execute(Operation::Snapshot { mailbox }).await {
            Ok(Reply::Snapshot(snapshot)) => snapshot,
            other => panic!("seed {seed}: {other:?}"),
        };
        for entry in snapshot.index.iter() {
            let read = read_message(store, account, mailbox, entry).await;
            assert!(read.is_ok(), "seed {seed}: {read:?} of {entry:?}");
        }
        snapshots.push(snapshot);
    }
    let alerts = match execute(Operation::Alerts(AlertOperation::List)).await {
        Ok(Reply::Alerts(alerts)) => alerts,
        other => panic!("seed {seed}: {other:?}"),
    };
    Some(dump(&description, &alerts, &snapshots, 0).without_recent())
}
