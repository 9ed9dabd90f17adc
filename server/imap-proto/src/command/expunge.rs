//! EXPUNGE (RFC 3501 6.4.3) and UID EXPUNGE (RFC 4315 2.1).

use crate::grammar::SequenceSet;

/// EXPUNGE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expunge {
    /// UID EXPUNGE: only messages among these UIDs.
    pub uids: Option<SequenceSet>,
}
