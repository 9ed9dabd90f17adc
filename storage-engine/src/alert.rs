//! Alerts of one account, and what it uses of its quota: what is asked of the owner, and what it
//! answers.

use crate::request::Limit;

/// A text that the account's owner is shown once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alert {
    /// Names it within the account; never used again.
    pub number: u64,
    /// When it was posted, in seconds since the Unix epoch.
    pub posted_s: i64,
    /// One line of it, without control characters.
    pub text: String,
}

/// What can be asked about alerts.
#[derive(Debug, Clone)]
pub enum AlertOperation {
    /// Adds one.
    Post {
        /// Checked: one line, of bounded length.
        text: String,
    },
    /// The account's own alerts, which are gone then: whoever asks is going to show them. What
    /// others are shown too (alerts of the domain and of the server) is numbered, and `seen` says
    /// up to which number whoever asks is going to show those.
    Take {
        /// Highest number of what is shown to others too.
        seen: u64,
        /// To see whether the quota is worth an alert; without it nobody looks.
        limit: Option<Limit>,
    },
    /// Those that nobody has taken, for administrators.
    List,
    /// Takes one away. Refused: `NotAllowed` where there is none of this number.
    Remove {
        /// Its number.
        number: u64,
    },
    /// The quota has changed: posts an alert if it is passed.
    CheckQuota {
        /// What the account may hold from now on.
        limit: Limit,
    },
}

/// The answer to `Take` and `List`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alerts {
    /// In the order in which they were posted.
    pub posted: Vec<Alert>,
    /// Up to this number the account has been shown, before this, what others are shown too.
    pub seen: u64,
    /// Whether it holds more of its quota than is worth an alert, and was told so.
    pub above_quota_mark: bool,
}

/// What an account uses of its quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of all messages (RFC822.SIZE, each copy counted).
    pub bytes: u64,
    /// Messages in all mailboxes.
    pub messages: u64,
    /// Mailboxes, INBOX included; mere names do not count.
    pub mailboxes: u64,
}
