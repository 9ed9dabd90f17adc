//! FETCH and UID FETCH (RFC 3501 6.4.5, RFC 7162 3.1.4).

use super::{Arguments, Command, Numbering};
use crate::grammar::section::{partial, section};
use crate::grammar::sequence_set::sequence_set;
use crate::grammar::{Cursor, Parsed, Partial, Section, SequenceSet, SyntaxError};

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

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let numbering = arguments.numbering;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let set = sequence_set(cursor)?;
    cursor.sp()?;
    let mut attributes = Vec::new();
    if cursor.peek() == Some(b'(') {
        cursor.list(|cursor| attribute(cursor, &mut attributes))?;
    } else {
        attribute(cursor, &mut attributes)?;
    }
    let mut changed_since = None;
    cursor.skip_spaces();
    if cursor.take_byte(b'(') {
        // RFC 7162 3.1.4.1. VANISHED comes with QRESYNC.
        if !cursor.take_word("CHANGEDSINCE") {
            return Err(SyntaxError::Unknown("FETCH modifier"));
        }
        cursor.sp()?;
        changed_since = Some(cursor.mod_seq()?);
        cursor.expect_byte(b')', ")")?;
    }
    Ok(Command::Fetch(Fetch {
        numbering,
        set,
        attributes,
        changed_since,
    }))
}

/// One item; a macro adds several (RFC 3501 6.4.5).
fn attribute(cursor: &mut Cursor<'_>, attributes: &mut Vec<FetchAttribute>) -> Parsed<()> {
    use FetchAttribute as A;
    let name = cursor.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
    let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
    let fast = [A::Flags, A::InternalDate, A::Rfc822Size];
    if cursor.peek() == Some(b'[') {
        let peek = is("BODY.PEEK");
        if !peek && !is("BODY") {
            return Err(UNKNOWN);
        }
        let section = section(cursor)?;
        let partial = partial(cursor)?;
        attributes.push(A::BodySection {
            section,
            partial,
            peek,
        });
    } else if is("FAST") {
        attributes.extend(fast);
    } else if is("ALL") {
        attributes.extend(fast.into_iter().chain([A::Envelope]));
    } else if is("FULL") {
        attributes.extend(fast.into_iter().chain([A::Envelope, A::Body]));
    } else {
        let known = KNOWN.iter().find(|(known, _)| is(known));
        attributes.push(known.ok_or(UNKNOWN)?.1.clone());
    }
    Ok(())
}

const UNKNOWN: SyntaxError = SyntaxError::Unknown("FETCH item");

/// Items that are one word, the frequent ones first.
const KNOWN: [(&str, FetchAttribute); 11] = [
    ("FLAGS", FetchAttribute::Flags),
    ("UID", FetchAttribute::Uid),
    ("RFC822.SIZE", FetchAttribute::Rfc822Size),
    ("INTERNALDATE", FetchAttribute::InternalDate),
    ("ENVELOPE", FetchAttribute::Envelope),
    ("BODYSTRUCTURE", FetchAttribute::BodyStructure),
    ("MODSEQ", FetchAttribute::ModSeq),
    ("BODY", FetchAttribute::Body),
    ("RFC822", FetchAttribute::Rfc822),
    ("RFC822.HEADER", FetchAttribute::Rfc822Header),
    ("RFC822.TEXT", FetchAttribute::Rfc822Text),
];
