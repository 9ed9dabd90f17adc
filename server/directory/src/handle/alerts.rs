//! Alerts of domains and of the server.

use std::sync::Arc;

use super::DirectoryHandle;
use crate::alerts::{AlertSet, Audience, alert_text};
use crate::error::ChangeError;
use crate::name::canonical_domain;

impl DirectoryHandle {
    /// All of them. Never blocks, so a shard may call it.
    pub fn alerts(&self) -> Arc<AlertSet> {
        self.shared.alerts.load_full()
    }

    /// The audience of a domain, as an administrator wrote it, or of the server.
    pub fn audience(&self, domain: Option<&str>) -> Result<Audience, ChangeError> {
        match domain {
            None => Ok(Audience::Server),
            Some(domain) => Ok(Audience::Domain(canonical_domain(domain)?)),
        }
    }

    /// Posts one; sessions are told by whoever calls.
    pub async fn alert_post(&self, audience: Audience, text: &str) -> Result<(), ChangeError> {
        let text = alert_text(text)?;
        self.write(move |database, shared| {
            shared.alerts.load().check_room(&audience)?;
            let posted = database.alert_post(&audience, &text);
            shared.reload_alerts(database);
            posted
        })
        .await
    }

    /// Removes one: nobody is shown it any more.
    pub async fn alert_remove(&self, audience: Audience, number: u64) -> Result<(), ChangeError> {
        self.write(move |database, shared| {
            let removed = database.alert_remove(&audience, number);
            shared.reload_alerts(database);
            removed
        })
        .await
    }
}
