//! SUBSCRIBE and UNSUBSCRIBE: names, whether a mailbox has them or not (RFC 3501 6.3.6).

use super::{AccountState, Planned, ReplyDraft, normalize_name, validate_name};
use crate::record::Record;
use crate::request::Refusal;
use crate::state_limits::SUBSCRIPTIONS_MAX;

impl AccountState {
    pub(super) fn plan_subscribe(&self, name: &str) -> Result<Planned, Refusal> {
        let name = normalize_name(name);
        validate_name(&name)?;
        if self.subscriptions.contains(&name) {
            return Ok(Planned::nothing(ReplyDraft::Done));
        }
        if self.subscriptions.len() >= SUBSCRIPTIONS_MAX {
            return Err(Refusal::Limit("too many subscriptions"));
        }
        let records = vec![Record::Subscribed { name }];
        Ok(Planned::new(records, ReplyDraft::Done))
    }

    pub(super) fn plan_unsubscribe(&self, name: &str) -> Planned {
        let name = normalize_name(name);
        match self.subscriptions.contains(&name) {
            true => Planned::new(vec![Record::Unsubscribed { name }], ReplyDraft::Done),
            false => Planned::nothing(ReplyDraft::Done),
        }
    }
}
