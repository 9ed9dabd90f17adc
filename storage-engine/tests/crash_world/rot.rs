//! Bits that rot below the durable mark: never another message, never an invented state; what is
//! damaged says so, and all else is as it was.

use std::collections::BTreeSet;

use futures_lite::future::{block_on, or};
use storage_engine::disk::Disk;
use storage_engine::disk::sim::Faults;
use storage_engine::error::ReadError;
use storage_engine::ids::AccountId;
use storage_engine::mail_store::MailStore;
use storage_engine::recovery::recover;
use storage_engine::request::{Actor, AlertOperation, Operation, Refusal, Reply, Request};

use super::check::{Unread, differences, read_message};
use super::{Life, Plan, SimDisk, Stores, World, run_loops};
use crate::plain::{PlainAccount, dump};

impl World {
    /// After a clean end: flips a few bits of one segment and looks at everything.
    pub fn rot(&mut self) {
        if self
            .accounts
            .iter()
            .any(|account| !account.maybe.is_empty())
        {
            return;
        }
        let names = block_on(self.disk.list()).expect("names");
        let segments = names.iter().filter(|name| name.starts_with("seg-"));
        let segments: Vec<&String> = segments.collect();
        let name = segments[self.rng.below(segments.len() as u64) as usize].clone();
        let content = self.disk.content(&name).expect("a segment");
        let used = content.iter().rposition(|byte| *byte != 0).unwrap_or(0);
        for _ in 0..1 + self.rng.below(4) {
            let byte = self.rng.below(used as u64 + 1) as usize;
            self.disk.flip(&name, byte, self.rng.below(8) as u32);
        }
        let (options, shards) = (self.options(), 1 + self.rng.below(2) as usize);
        let plan = Plan {
            shards,
            options,
            faults: Faults::default(),
            operations: 0,
        };
        block_on(async {
            let recovered = recover(&self.disk, shards, &plan.options).await;
            let recovered = recovered.unwrap_or_else(|e| panic!("seed {}: {e}", self.seed));
            let read_only = recovered.report.read_only.clone();
            let stores = self.open(recovered.shards, &plan).await;
            or(self.compare_rotten(&stores, &read_only), run_loops(&stores)).await;
            stores.stores.borrow_mut().clear();
        });
    }

    async fn compare_rotten(&self, stores: &Stores, read_only: &BTreeSet<AccountId>) {
        for account in &self.accounts {
            let store = stores.of(account.id);
            let Ok(found) = look_at_rot(&store, account.id, self.seed).await else {
                // Refused as a whole: loud, and nothing wrong was served.
                continue;
            };
            if read_only.contains(&account.id) || is_read_only(&store) {
                continue;
            }
            let same = match (&account.told, &found) {
                (Life::Unborn | Life::Deleted, None) => true,
                (Life::Alive(told), Some(found)) => {
                    let mut told = told.clone().without_recent();
                    told.last_uid_validity = 0;
                    told == *found
                }
                _ => false,
            };
            assert!(
                same,
                "seed {}: rot changed an account silently\n{}",
                self.seed,
                differences(&account.told, found.as_ref())
            );
        }
    }
}

fn is_read_only(store: &MailStore<SimDisk>) -> bool {
    store.health() != storage_engine::mail_store::Health::Good
}

/// All that can be read of an account. Messages may be damaged, but never others.
async fn look_at_rot(
    store: &MailStore<SimDisk>,
    account: AccountId,
    seed: u64,
) -> Result<Option<PlainAccount>, Refusal> {
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
        Ok(other) => panic!("seed {seed}: {other:?}"),
        Err(Refusal::NoSuchAccount) => return Ok(None),
        Err(refusal) => return Err(refusal),
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
            Ok(other) => panic!("seed {seed}: {other:?}"),
            Err(refusal) => return Err(refusal),
        };
        for entry in snapshot.index.iter() {
            match read_message(store, account, mailbox, entry).await {
                Ok(()) | Err(Unread::Read(ReadError::Missing | ReadError::Damaged)) => {}
                Err(error) => panic!("seed {seed}: {error:?} of {entry:?}"),
            }
        }
        snapshots.push(snapshot);
    }
    let alerts = match execute(Operation::Alerts(AlertOperation::List)).await {
        Ok(Reply::Alerts(alerts)) => alerts,
        Ok(other) => panic!("seed {seed}: {other:?}"),
        Err(refusal) => return Err(refusal),
    };
    Ok(Some(
        dump(&description, &alerts, &snapshots, 0).without_recent(),
    ))
}
