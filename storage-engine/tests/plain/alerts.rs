//! Alerts and the quota of the plain model.

use std::collections::BTreeMap;

use storage_engine::request::{Alerts, Refusal};
use storage_engine::state_limits::ALERTS_MAX;

use super::PlainAccount;
use super::operation::LIMIT;

/// What stands for the text of an alert that the quota raised.
const QUOTA: &str = "quota";

/// Alerts that wait. `last` is only what the model needs to go on, and is not compared.
#[derive(Debug, Clone, Default)]
pub struct PlainAlerts {
    posted: BTreeMap<u64, String>,
    seen: u64,
    above: bool,
    last: u64,
}

impl PartialEq for PlainAlerts {
    fn eq(&self, other: &PlainAlerts) -> bool {
        (&self.posted, self.seen, self.above) == (&other.posted, other.seen, other.above)
    }
}

impl Eq for PlainAlerts {}

impl PlainAlerts {
    pub fn post(&mut self, text: &str) -> Result<(), Refusal> {
        if self.posted.len() == ALERTS_MAX {
            return Err(Refusal::Limit("too many alerts wait for the account"));
        }
        self.last += 1;
        self.posted.insert(self.last, text.to_owned());
        Ok(())
    }

    pub fn take(&mut self, seen: u64) {
        self.posted.clear();
        self.seen = self.seen.max(seen);
    }

    pub fn remove(&mut self, number: u64) -> Result<(), Refusal> {
        let removed = self.posted.remove(&number);
        removed
            .map(drop)
            .ok_or(Refusal::NotAllowed("no such alert"))
    }

    pub fn dump(alerts: &Alerts) -> PlainAlerts {
        let text = |text: &str| match text.starts_with("Your mail") {
            true => QUOTA.to_owned(),
            false => text.to_owned(),
        };
        let posted = alerts.posted.iter();
        PlainAlerts {
            posted: posted
                .map(|alert| (alert.number, text(&alert.text)))
                .collect(),
            seen: alerts.seen,
            above: alerts.above_quota_mark,
            last: 0,
        }
    }
}

impl PlainAccount {
    fn used(&self) -> (u64, u64) {
        let messages = self.mailboxes.values().flatten();
        let messages = messages.flat_map(|mailbox| mailbox.messages.values());
        let sizes: Vec<u64> = messages.map(|message| u64::from(message.size)).collect();
        (sizes.iter().sum(), sizes.len() as u64)
    }

    /// Refuses what does not fit, and tells of what nearly does not.
    pub fn grow(&mut self, bytes: u64, messages: u64) -> Result<(), Refusal> {
        let (used_bytes, used_messages) = self.used();
        let over =
            |used: u64, more: u64, most: Option<u64>| more > 0 && used + more > most.unwrap();
        if over(used_bytes, bytes, LIMIT.bytes_max)
            || over(used_messages, messages, LIMIT.messages_max)
        {
            return Err(Refusal::OverQuota);
        }
        self.look_at_quota(bytes, messages);
        Ok(())
    }

    /// Raised once when the threshold is passed, and again after the account was found below it.
    pub fn look_at_quota(&mut self, bytes: u64, messages: u64) {
        let (used_bytes, used_messages) = self.used();
        let percent = u64::from(LIMIT.alert_percent.unwrap());
        let passed = |bytes: u64, messages: u64| {
            bytes * 100 >= LIMIT.bytes_max.unwrap() * percent
                || messages * 100 >= LIMIT.messages_max.unwrap() * percent
        };
        let alerts = &mut self.alerts;
        if !passed(used_bytes, used_messages) && alerts.above {
            alerts.above = false;
        }
        if passed(used_bytes + bytes, used_messages + messages) && !alerts.above {
            alerts.above = alerts.post(QUOTA).is_ok();
        }
    }
}
