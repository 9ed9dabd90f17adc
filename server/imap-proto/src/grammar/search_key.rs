//! Search keys (RFC 3501 6.4.4, RFC 7162 3.1.5).

use super::date::Date;
use super::flag::Flag;
use super::sequence_set::SequenceSet;

/// One condition on a message. Texts are raw bytes in the command's charset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SearchKey {
    /// ALL
    All,
    /// All of these; a parenthesised list, or the keys of the command.
    And(Vec<SearchKey>),
    /// OR: one of the two, or both.
    Or(Box<SearchKey>, Box<SearchKey>),
    /// NOT
    Not(Box<SearchKey>),
    /// ANSWERED, DELETED, DRAFT, FLAGGED, RECENT, SEEN, KEYWORD.
    HasFlag(Flag),
    /// UNANSWERED, UNDELETED, UNDRAFT, UNFLAGGED, UNSEEN, UNKEYWORD, and OLD (lacks `\Recent`).
    LacksFlag(Flag),
    /// NEW: recent and not seen.
    New,
    /// Messages with these sequence numbers.
    Sequence(SequenceSet),
    /// UID: messages with these UIDs.
    Uid(SequenceSet),
    /// BCC, CC, FROM, SUBJECT, TO and HEADER: the field contains `value`; an empty `value` asks
    /// for any message that has the field.
    Header {
        /// Name of the field, as spelled by the client.
        field: Vec<u8>,
        /// The text to look for.
        value: Vec<u8>,
    },
    /// BODY: text in the body.
    Body(Vec<u8>),
    /// TEXT: text in the header or the body.
    Text(Vec<u8>),
    /// BEFORE: internal date earlier than this day.
    Before(Date),
    /// ON: internal date within this day.
    On(Date),
    /// SINCE: internal date within this day or later.
    Since(Date),
    /// SENTBEFORE: Date field earlier than this day.
    SentBefore(Date),
    /// SENTON: Date field within this day.
    SentOn(Date),
    /// SENTSINCE: Date field within this day or later.
    SentSince(Date),
    /// LARGER: more octets than this.
    Larger(u64),
    /// SMALLER: fewer octets than this.
    Smaller(u64),
    /// MODSEQ (RFC 7162): changed at or after this MODSEQ. The entry name, if there was one, is
    /// ignored, since flags have no MODSEQ of their own here (RFC 7162 3.1.5).
    ModSeq(u64),
}
