//! Alerts of an account: posted, delivered once, then gone; and the alert that a quota raises.
//!
//! A quota that is nearly used up is told once: the mark stays until the account holds less than
//! the threshold again. What makes an account smaller does not know its quota, so the mark goes
//! when the account is looked at next: before it grows, at a login, or when the quota changes.

use super::{AccountState, PlanContext, Planned, ReplyDraft};
use crate::alert::{Alert, AlertOperation, Alerts, Usage};
use crate::record::{AlertRecord, Record};
use crate::request::{Limit, Refusal};
use crate::state_limits::{ALERT_TEXT_BYTES_MAX, ALERTS_MAX};

/// Alerts as they are now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct AlertState {
    /// Ascending by number.
    pub posted: Vec<Alert>,
    /// The highest number that was ever given.
    pub last: u64,
    /// What others are shown too was shown up to here.
    pub seen: u64,
    /// Whether the account holds more of its quota than is worth an alert, and was told so.
    pub above_quota_mark: bool,
}

/// What messages add to an account.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Growth {
    /// RFC822.SIZE of them.
    pub bytes: u64,
    /// How many.
    pub messages: u64,
}

impl Growth {
    pub(super) fn of(bytes: u64, messages: usize) -> Growth {
        let messages = u64::try_from(messages).unwrap_or(u64::MAX);
        Growth { bytes, messages }
    }
}

impl AlertState {
    pub(super) fn apply(&mut self, record: &AlertRecord) {
        match record {
            AlertRecord::Posted(alert) => {
                self.last = self.last.max(alert.number);
                self.posted.push(alert.clone());
            }
            AlertRecord::Removed { first, last } => {
                self.posted
                    .retain(|alert| !(*first..=*last).contains(&alert.number));
            }
            AlertRecord::Seen { through } => self.seen = self.seen.max(*through),
            AlertRecord::QuotaMark { above } => self.above_quota_mark = *above,
        }
    }
}

impl AccountState {
    pub(super) fn plan_alerts(
        &self,
        operation: &AlertOperation,
        context: &PlanContext<'_>,
    ) -> Result<Planned, Refusal> {
        match operation {
            AlertOperation::Post { text } => self.plan_post(text, context),
            AlertOperation::Take { seen, limit } => {
                Ok(self.plan_take(*seen, limit.as_ref(), context))
            }
            AlertOperation::List => Ok(Planned::nothing(ReplyDraft::Alerts(self.alerts()))),
            AlertOperation::Remove { number } => self.plan_remove(*number),
            AlertOperation::CheckQuota { limit } => {
                let records = self.quota_alert(limit, Growth::default(), context.now_s);
                Ok(Planned::new(records, ReplyDraft::Done))
            }
        }
    }

    fn plan_post(&self, text: &str, context: &PlanContext<'_>) -> Result<Planned, Refusal> {
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(Refusal::NotAllowed("an alert is one line of text"));
        }
        if text.len() > ALERT_TEXT_BYTES_MAX {
            return Err(Refusal::Limit("an alert is too long"));
        }
        if self.alerts.posted.len() >= ALERTS_MAX {
            return Err(Refusal::Limit("too many alerts wait for the account"));
        }
        let records = vec![self.posted(text.to_owned(), context.now_s)];
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    /// What the quota raises now is posted and taken in the same frame, so that it is neither
    /// told twice nor lost.
    fn plan_take(&self, seen: u64, limit: Option<&Limit>, context: &PlanContext<'_>) -> Planned {
        let look = |limit| self.quota_alert(limit, Growth::default(), context.now_s);
        let mut records = limit.map(look).unwrap_or_default();
        let mut taken = self.alerts.posted.clone();
        taken.extend(records.iter().filter_map(|record| match record {
            Record::Alert(AlertRecord::Posted(alert)) => Some(alert.clone()),
            _ => None,
        }));
        if let (Some(first), Some(last)) = (taken.first(), taken.last()) {
            let (first, last) = (first.number, last.number);
            records.push(Record::Alert(AlertRecord::Removed { first, last }));
        }
        if seen > self.alerts.seen {
            records.push(Record::Alert(AlertRecord::Seen { through: seen }));
        }
        let draft = ReplyDraft::Alerts(Alerts {
            posted: taken,
            ..self.alerts()
        });
        Planned::new(records, draft)
    }

    fn plan_remove(&self, number: u64) -> Result<Planned, Refusal> {
        if !self
            .alerts
            .posted
            .iter()
            .any(|alert| alert.number == number)
        {
            return Err(Refusal::NotAllowed("no such alert"));
        }
        let (first, last) = (number, number);
        let records = vec![Record::Alert(AlertRecord::Removed { first, last })];
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    /// The records of a growth that passes the threshold, or of an account that was found below it
    /// again. `more` is what the growth adds.
    pub(super) fn quota_alert(&self, limit: &Limit, more: Growth, now_s: i64) -> Vec<Record> {
        let marked = self.alerts.above_quota_mark;
        let passed_by = |more: &Growth| {
            let bytes = self.bytes.saturating_add(more.bytes);
            passed(limit, bytes, self.messages.saturating_add(more.messages))
        };
        let told = marked && passed_by(&Growth::default()).is_some();
        let mark = |above| Record::Alert(AlertRecord::QuotaMark { above });
        match passed_by(&more) {
            Some(_) if told => Vec::new(),
            Some(text) if self.alerts.posted.len() < ALERTS_MAX => {
                vec![mark(true), self.posted(text, now_s)]
            }
            // What administrators posted is not thrown away for it; it comes with a later look.
            Some(_) | None if marked => vec![mark(false)],
            Some(_) | None => Vec::new(),
        }
    }

    /// Alerts that nobody has taken, as of this state.
    pub fn alerts(&self) -> Alerts {
        Alerts {
            posted: self.alerts.posted.clone(),
            seen: self.alerts.seen,
            above_quota_mark: self.alerts.above_quota_mark,
        }
    }

    /// What is used, as of this state.
    pub fn usage(&self) -> Usage {
        let mailboxes = self
            .mailboxes
            .values()
            .filter(|held| !held.noselect)
            .count();
        Usage {
            bytes: self.bytes,
            messages: self.messages,
            mailboxes: u64::try_from(mailboxes).unwrap_or(u64::MAX),
        }
    }

    fn posted(&self, text: String, posted_s: i64) -> Record {
        Record::Alert(AlertRecord::Posted(Alert {
            number: self.alerts.last.saturating_add(1),
            posted_s,
            text,
        }))
    }
}

/// What the owner is told of a usage at or above the threshold; `None` below it.
fn passed(limit: &Limit, bytes: u64, messages: u64) -> Option<String> {
    let percent = u128::from(limit.alert_percent?);
    let full = |used: u64, most: Option<u64>| {
        let most = most?;
        let is_full = u128::from(used) * 100 >= u128::from(most) * percent;
        // An account that may hold nothing is full, whatever it holds.
        let shown = match most {
            0 => 100,
            most => u128::from(used) * 100 / u128::from(most),
        };
        is_full.then_some((shown, used, most))
    };
    if let Some((shown, used, most)) = full(bytes, limit.bytes_max) {
        let (used, most) = (used.div_ceil(1024), most.div_ceil(1024));
        return Some(format!(
            "Your mail takes {shown}% of its space: {used} of {most} KiB"
        ));
    }
    let (shown, used, most) = full(messages, limit.messages_max)?;
    Some(format!(
        "Your mail has {shown}% of its messages: {used} of {most}"
    ))
}
