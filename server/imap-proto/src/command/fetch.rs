//! FETCH and UID FETCH (RFC 3501 6.4.5, RFC 7162 3.1.4).

use super::Numbering;
use crate::grammar::{Partial, Section, SequenceSet};

/// FETCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetch {
    /// What the set's numbers are.
    pub numbering: Numbering,
    /// Which messages.
    pub set: SequenceSet,
    /// What of them, in the client's order, macros replaced by what they stand for. Not empty.
    pub attributes: Vec<FetchAttribute>,
    /// CHANGEDSINCE: only messages changed after this MODSEQ.
    pub changed_since: Option<u64>,
}

/// One item of FETCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchAttribute {
    /// ENVELOPE
    Envelope,
    /// FLAGS
    Flags,
    /// INTERNALDATE
    InternalDate,
    /// RFC822: as `BODY[]`, sets `\Seen`.
    Rfc822,
    /// RFC822.HEADER: as `BODY.PEEK[HEADER]`.
    Rfc822Header,
    /// RFC822.SIZE
    Rfc822Size,
    /// RFC822.TEXT: as `BODY[TEXT]`, sets `\Seen`.
    Rfc822Text,
    /// BODY: the structure without extension data.
    Body,
    /// BODYSTRUCTURE
    BodyStructure,
    /// `BODY[section]<partial>`
    BodySection {
        /// Which section.
        section: Section,
        /// Which bytes of it.
        partial: Option<Partial>,
        /// BODY.PEEK: does not set `\Seen`.
        peek: bool,
    },
    /// UID
    Uid,
    /// MODSEQ (RFC 7162)
    ModSeq,
}
