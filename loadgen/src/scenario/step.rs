//! One step of a role, as a file names it.

use serde::Deserialize;

use super::Protocol;
use crate::limits::{MESSAGE_BYTES_MAX, RECIPIENTS_MAX, STEP_DEPTH_MAX};
use crate::random::Random;

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// LOGIN
    Login,
    /// LOGOUT; the server closes.
    Logout,
    /// NOOP
    Noop,
    /// LIST of all mailboxes.
    List,
    /// SELECT
    Select,
    /// STATUS of the scenario's mailbox.
    Status,
    /// FETCH of header fields of so many consecutive messages.
    #[serde(rename_all = "kebab-case")]
    FetchHeaders {
        /// How many.
        count: Span,
    },
    /// UID FETCH of a whole message.
    FetchBody,
    /// FETCH of the flags of all messages.
    FetchFlags,
    /// UID STORE that turns `\Flagged` of a message.
    StoreFlags,
    /// APPEND of a message.
    Append,
    /// UID SEARCH
    Search {
        /// What for.
        key: SearchKey,
    },
    /// What has changed since the last time: QRESYNC, CONDSTORE or all flags, whichever is the
    /// best that the server offers.
    Sync,
    /// IDLE for so long.
    #[serde(rename_all = "kebab-case")]
    Idle {
        /// Milliseconds from the server's go-ahead to DONE.
        ms: Span,
    },
    /// A change of flags that every session in IDLE must hear of before the next step.
    Notify,
    /// A delivery by LMTP.
    Deliver {
        /// To how many users at once.
        recipients: Span,
    },
    /// Nothing, for so long.
    Think {
        /// Milliseconds.
        ms: Span,
    },
    /// One of these.
    Pick {
        /// The choices.
        of: Vec<Pick>,
    },
    /// These steps, so many times.
    Repeat {
        /// How many times.
        times: Span,
        /// The steps.
        steps: Vec<Step>,
    },
    /// APPEND of what is missing of the population; the preparation does this.
    #[serde(skip)]
    Fill,
}

/// A choice.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pick {
    /// How often it is drawn, beside the other weights.
    pub weight: u32,
    /// What is done then.
    pub steps: Vec<Step>,
}

/// What a SEARCH looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SearchKey {
    /// A word of the subject.
    Subject,
    /// A word anywhere in the message.
    Text,
}

/// A number, or any between two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "SpanText")]
pub struct Span {
    /// The least.
    pub min: u64,
    /// The most.
    pub max: u64,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SpanText {
    Exactly(u64),
    Between([u64; 2]),
}

impl From<SpanText> for Span {
    fn from(text: SpanText) -> Self {
        match text {
            SpanText::Exactly(value) => Self::exactly(value),
            SpanText::Between([min, max]) => Self {
                min: min.min(max),
                max: max.max(min),
            },
        }
    }
}

impl Span {
    /// No other number.
    pub fn exactly(value: u64) -> Self {
        Self {
            min: value,
            max: value,
        }
    }

    /// One of its numbers.
    pub fn draw(self, random: &mut Random) -> u64 {
        random.between(self.min, self.max)
    }
}

impl Step {
    /// The operation's name in a report; steps that send nothing have none.
    pub fn operation(&self) -> Option<&'static str> {
        Some(match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Noop => "noop",
            Self::List => "list",
            Self::Select => "select",
            Self::Status => "status",
            Self::FetchHeaders { .. } => "fetch-headers",
            Self::FetchBody => "fetch-body",
            Self::FetchFlags => "fetch-flags",
            Self::StoreFlags => "store-flags",
            Self::Append => "append",
            Self::Search { .. } => "search",
            Self::Sync => "sync",
            Self::Idle { .. } => "idle",
            Self::Notify => "notify",
            Self::Deliver { .. } => "deliver",
            Self::Fill => "fill",
            Self::Think { .. } | Self::Pick { .. } | Self::Repeat { .. } => return None,
        })
    }

    /// Whether this step, or one within it, is such.
    pub fn any(&self, wanted: &dyn Fn(&Self) -> bool) -> bool {
        wanted(self)
            || match self {
                Self::Pick { of } => of
                    .iter()
                    .flat_map(|pick| &pick.steps)
                    .any(|s| s.any(wanted)),
                Self::Repeat { steps, .. } => steps.iter().any(|step| step.any(wanted)),
                _ => false,
            }
    }

    /// Whether it looks at messages that must be known beforehand.
    pub fn needs_messages(&self) -> bool {
        matches!(
            self,
            Self::FetchHeaders { .. }
                | Self::FetchBody
                | Self::FetchFlags
                | Self::StoreFlags
                | Self::Search { .. }
                | Self::Notify
                | Self::Fill
        )
    }

    /// Whether it depends on what the server can.
    pub fn needs_capabilities(&self) -> bool {
        matches!(
            self,
            Self::Append | Self::Sync | Self::Idle { .. } | Self::Fill
        )
    }

    /// What is wrong with it, if anything.
    pub(super) fn check(&self, protocol: Protocol, depth: usize) -> Result<(), String> {
        if depth > STEP_DEPTH_MAX {
            return Err(format!("steps are nested deeper than {STEP_DEPTH_MAX}"));
        }
        match self {
            Self::Pick { of } => {
                if of.iter().all(|pick| pick.weight == 0) {
                    return Err("pick: no choice has a weight".to_owned());
                }
                of.iter()
                    .flat_map(|pick| &pick.steps)
                    .try_for_each(|step| step.check(protocol, depth + 1))
            }
            Self::Repeat { steps, .. } => {
                let is_nested = |step: &Self| matches!(step, Self::Repeat { .. });
                if steps.iter().any(|step| step.any(&is_nested)) {
                    return Err("repeat: there is another repeat within".to_owned());
                }
                steps
                    .iter()
                    .try_for_each(|step| step.check(protocol, depth + 1))
            }
            Self::Think { .. } => Ok(()),
            Self::Deliver { recipients } => {
                if protocol == Protocol::Imap {
                    return Err("deliver is a step of LMTP".to_owned());
                }
                if recipients.min == 0 || recipients.max > RECIPIENTS_MAX {
                    return Err(format!("deliver: 1 to {RECIPIENTS_MAX} recipients"));
                }
                Ok(())
            }
            Self::FetchHeaders { count } if count.min == 0 => {
                Err("fetch-headers: at least 1 message".to_owned())
            }
            _ if protocol == Protocol::Lmtp => {
                Err("LMTP has the steps deliver, think, pick and repeat".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// Whether messages of that size can be made.
pub(super) fn is_size(bytes: Span) -> bool {
    bytes.max <= MESSAGE_BYTES_MAX
}
