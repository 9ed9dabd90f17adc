//! Alerts of domains and of the server: texts that every account they are for is shown once.
//!
//! All of them are in memory, where shards read them without a wait; the database thread replaces
//! the whole set when one is posted or removed. Each has a number that is never used again and
//! above all earlier ones, whatever it is for, so that one number says for an account up to where
//! it was shown them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::ChangeError;
use crate::limits::{ALERT_TEXT_BYTES_MAX, ALERTS_EACH_MAX};

/// Whom an alert is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Every account.
    Server,
    /// The accounts of this domain, in its canonical form.
    Domain(String),
}

/// One alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Its number.
    pub number: u64,
    /// When it was posted, in seconds since 1970.
    pub posted_s: i64,
    /// One line.
    pub text: String,
}

/// All of them at one moment.
#[derive(Clone, Debug, Default)]
pub struct AlertSet {
    /// Ascending by number.
    by_audience: BTreeMap<Audience, Vec<Alert>>,
}

impl AlertSet {
    /// Of alerts in ascending order of their numbers.
    pub(crate) fn new(alerts: impl IntoIterator<Item = (Audience, Alert)>) -> Self {
        let mut by_audience: BTreeMap<_, Vec<Alert>> = BTreeMap::new();
        for (audience, alert) in alerts {
            by_audience.entry(audience).or_default().push(alert);
        }
        Self { by_audience }
    }

    /// The highest number among those for the accounts of a domain; 0 without any.
    pub fn newest(&self, domain: &str) -> u64 {
        let newest = |alerts: &[Alert]| alerts.last().map_or(0, |alert| alert.number);
        newest(self.of(&Audience::Server)).max(newest(self.of(&Audience::Domain(domain.into()))))
    }

    /// Those for the accounts of a domain with a number above this one.
    pub fn after<'s>(&'s self, domain: &str, seen: u64) -> impl Iterator<Item = &'s Alert> {
        let server = self.of(&Audience::Server).iter();
        let domain = self.of(&Audience::Domain(domain.into())).iter();
        server
            .chain(domain)
            .filter(move |alert| alert.number > seen)
    }

    /// Those for exactly this audience.
    pub fn of(&self, audience: &Audience) -> &[Alert] {
        self.by_audience.get(audience).map_or(&[], Vec::as_slice)
    }

    /// Whether one more may be posted.
    pub(crate) fn check_room(&self, audience: &Audience) -> Result<(), ChangeError> {
        match self.of(audience).len() < ALERTS_EACH_MAX {
            true => Ok(()),
            false => Err(ChangeError::TooLarge("too many alerts; remove old ones")),
        }
    }
}

/// What an administrator wrote, as one line: line ends and other controls become spaces. What is
/// no ASCII stays here and goes out as `?`, since IMAP's status texts have no charset.
pub fn alert_text(written: &str) -> Result<String, ChangeError> {
    let mut text = String::with_capacity(written.len());
    for word in written.split(|c: char| c.is_whitespace() || c.is_control()) {
        if word.is_empty() {
            continue;
        }
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(word);
    }
    match text.len() {
        0 => Err(ChangeError::Text("an alert needs a text")),
        bytes if bytes > ALERT_TEXT_BYTES_MAX => Err(ChangeError::Text("the alert is too long")),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests;
