//! The way of an alert to the sessions that it is for, on whatever shard they are.

use storage_engine::ids::AccountId;

use crate::limits::{RING_PAUSE, RUNG_AT_ONCE};
use crate::runtime::Runtime;

use super::Shard;
use super::message::Message;

impl<R: Runtime> Shard<R> {
    /// An alert of an account that we own has become durable: its sessions are told wherever they
    /// are. Runs inside the store's publish step.
    pub(super) fn alerted(&self, account: AccountId) {
        self.sessions().ring_account(account);
        for (peer, outbox) in self.0.outboxes.iter().enumerate() {
            if peer != self.index() {
                outbox.push(Message::Alerted(account));
            }
        }
    }
}

/// Rings at every session here, a few at a time: each asks the owner of its account then.
pub(super) async fn ring_all<R: Runtime>(shard: Shard<R>) {
    let mut after = 0;
    loop {
        let entries = shard.sessions().after(after, RUNG_AT_ONCE);
        let Some(last) = entries.last() else {
            return;
        };
        after = last.session;
        let logged_in = entries.iter().filter(|entry| entry.account().is_some());
        logged_in.for_each(|entry| entry.bell.ring());
        shard.runtime().sleep(RING_PAUSE).await;
    }
}
