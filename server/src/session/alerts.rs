//! Alerts: told right after login, with the next answer, or at once in IDLE.

use imap_proto::response::code::Code;
use imap_proto::response::status::{self, Condition};
use storage_engine::request::{Actor, AlertOperation, Limit, Operation, Reply};

use super::Session;
use crate::runtime::Runtime;

impl<R: Runtime> Session<R> {
    /// Tells the alerts that wait, if the bell was rung. Where they cannot be taken now, they wait
    /// for another time: nobody is refused a command for them.
    pub async fn tell_alerts(&mut self) {
        if !self.entry().bell.hear() {
            return;
        }
        Box::pin(self.take_alerts(None)).await;
    }

    /// Takes the alerts and tells them. `limit` also looks whether the quota is worth one.
    pub(super) async fn take_alerts(&mut self, limit: Option<Limit>) {
        let Some(login) = self.login() else {
            return;
        };
        let (account, domain) = (login.account, login.domain().to_owned());
        let shared = self.shard.directory().alerts();
        let seen = shared.newest(&domain);
        let take = Operation::Alerts(AlertOperation::Take { seen, limit });
        let Ok(Reply::Alerts(own)) = self.shard.request(account, Actor::Owner, take).await else {
            return;
        };
        let shared = shared.after(&domain, own.seen);
        let shared = shared.map(|alert| (alert.posted_s, alert.text.as_str()));
        let own = own
            .posted
            .iter()
            .map(|alert| (alert.posted_s, alert.text.as_str()));
        let mut all: Vec<(i64, &str)> = shared.chain(own).collect();
        all.sort_by_key(|(posted_s, _)| *posted_s);
        for (_, text) in all {
            status::untagged(&mut self.wire.out, Condition::Ok, Some(&Code::Alert), text);
        }
    }
}
