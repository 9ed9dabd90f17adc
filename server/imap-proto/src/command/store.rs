//! STORE and UID STORE (RFC 3501 6.4.6, RFC 7162 3.1.3).

use super::Numbering;
use crate::grammar::{Flag, SequenceSet};

/// STORE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store {
    /// What the set's numbers are.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// UNCHANGEDSINCE: only messages not changed after this MODSEQ.
    pub unchanged_since: Option<u64>,
    /// What to do with the flags.
    pub action: StoreAction,
    /// `.SILENT`: no FETCH answers for what this command did.
    pub silent: bool,
    /// The flags; may be empty. May name `\Recent`, which cannot be set.
    pub flags: Vec<Flag>,
}

/// What STORE does with its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreAction {
    /// FLAGS: replace.
    Replace,
    /// +FLAGS
    Add,
    /// -FLAGS
    Remove,
}
