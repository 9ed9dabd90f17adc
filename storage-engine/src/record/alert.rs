//! Records about alerts, which say nothing of mailboxes.

use super::{Reader, RecordError, Writer, decode_bool, kind};
use crate::alert::Alert;

/// What happened to the alerts of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlertRecord {
    /// One was posted.
    Posted(Alert),
    /// Those with these numbers are gone: delivered, or taken away.
    Removed {
        /// First number.
        first: u64,
        /// Last number, `first <= last`.
        last: u64,
    },
    /// What others are shown too was shown up to this number.
    Seen {
        /// The number.
        through: u64,
    },
    /// The account came to hold more of its quota than is worth an alert, or no more.
    QuotaMark {
        /// Whether it does.
        above: bool,
    },
}

impl AlertRecord {
    pub(super) fn kind(&self) -> u8 {
        match self {
            AlertRecord::Posted(_) => kind::ALERT_POSTED,
            AlertRecord::Removed { .. } => kind::ALERTS_REMOVED,
            AlertRecord::Seen { .. } => kind::ALERTS_SEEN,
            AlertRecord::QuotaMark { .. } => kind::QUOTA_MARK,
        }
    }

    pub(super) fn encode(&self, out: &mut Writer<'_>) {
        match self {
            AlertRecord::Posted(alert) => encode_alert(alert, out),
            AlertRecord::Removed { first, last } => {
                out.u64(*first);
                out.u64(*last);
            }
            AlertRecord::Seen { through } => out.u64(*through),
            AlertRecord::QuotaMark { above } => out.u8(u8::from(*above)),
        }
    }

    /// `None` where the kind is none of these.
    pub(super) fn decode(kind: u8, body: &mut Reader<'_>) -> Result<Option<Self>, RecordError> {
        Ok(Some(match kind {
            kind::ALERT_POSTED => AlertRecord::Posted(decode_alert(body)?),
            kind::ALERTS_REMOVED => AlertRecord::Removed {
                first: body.u64()?,
                last: body.u64()?,
            },
            kind::ALERTS_SEEN => AlertRecord::Seen {
                through: body.u64()?,
            },
            kind::QUOTA_MARK => AlertRecord::QuotaMark {
                above: decode_bool(body)?,
            },
            _ => return Ok(None),
        }))
    }
}

/// One alert.
pub(crate) fn encode_alert(alert: &Alert, out: &mut Writer<'_>) {
    out.u64(alert.number);
    out.i64(alert.posted_s);
    out.text(&alert.text);
}

/// One alert.
pub(crate) fn decode_alert(body: &mut Reader<'_>) -> Result<Alert, RecordError> {
    Ok(Alert {
        number: body.u64()?,
        posted_s: body.i64()?,
        text: body.text()?,
    })
}
