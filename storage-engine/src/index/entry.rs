//! What the index knows of one message.

use crate::ids::{BodyId, ModSeq, Place, Uid};
use crate::request::Flags;

/// One message of a mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// UID, never 0.
    pub uid: Uid,
    /// MODSEQ of its newest change.
    pub mod_seq: ModSeq,
    /// System flags and the mailbox's keywords as bits.
    pub flags: Flags,
    /// INTERNALDATE, seconds since the Unix epoch.
    pub internal_date_s: i64,
    /// Its zone, minutes east of UTC.
    pub zone_min: i16,
    /// When it came into this mailbox (RFC 8514 SAVEDATE), seconds since the Unix epoch.
    pub saved_s: i64,
    /// RFC822.SIZE.
    pub size: u32,
    /// The body; copies inside the account share it.
    pub body: BodyId,
    /// Where the body frame or the body map was last known to lie.
    pub body_place: Place,
    /// Where the summary frame was last known to lie.
    pub summary_place: Place,
}
