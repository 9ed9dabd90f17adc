//! Search keys (RFC 3501 6.4.4, RFC 7162 3.1.5).

use super::date::{Date, date};
use super::flag::{Flag, keyword};
use super::sequence_set::{SequenceSet, sequence_set};
use super::{Cursor, Parsed, SyntaxError};
use crate::limits::{SEARCH_DEPTH_MAX, SEARCH_KEYS_MAX, SEARCH_TEXT_KEYS_MAX};

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

/// The search keys of a command (RFC 3501 `search-key`, one or more), to its end. Several are
/// joined by AND.
pub fn search_keys(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    let mut budget = Budget {
        keys: SEARCH_KEYS_MAX,
        text_keys: SEARCH_TEXT_KEYS_MAX,
    };
    let mut keys = vec![search_key(cursor, &mut budget, SEARCH_DEPTH_MAX)?];
    while !cursor.rest().is_empty() {
        cursor.sp()?;
        if cursor.rest().is_empty() {
            break;
        }
        keys.push(search_key(cursor, &mut budget, SEARCH_DEPTH_MAX)?);
    }
    Ok(joined(keys))
}

impl SearchKey {
    /// Whether any key names MODSEQ: the answer then carries one, and CONDSTORE is enabled
    /// (RFC 7162 3.1.5).
    pub fn names_mod_seq(&self) -> bool {
        match self {
            Self::ModSeq(_) => true,
            Self::And(keys) => keys.iter().any(Self::names_mod_seq),
            Self::Or(one, other) => one.names_mod_seq() || other.names_mod_seq(),
            Self::Not(key) => key.names_mod_seq(),
            Self::All
            | Self::HasFlag(_)
            | Self::LacksFlag(_)
            | Self::New
            | Self::Sequence(_)
            | Self::Uid(_)
            | Self::Header { .. }
            | Self::Body(_)
            | Self::Text(_)
            | Self::Before(_)
            | Self::On(_)
            | Self::Since(_)
            | Self::SentBefore(_)
            | Self::SentOn(_)
            | Self::SentSince(_)
            | Self::Larger(_)
            | Self::Smaller(_) => false,
        }
    }
}

/// How many more keys this command may have.
struct Budget {
    keys: usize,
    text_keys: usize,
}

fn search_key(cursor: &mut Cursor<'_>, budget: &mut Budget, depth: usize) -> Parsed<SearchKey> {
    let depth = depth
        .checked_sub(1)
        .ok_or(SyntaxError::TooDeep("search keys"))?;
    budget.keys = budget
        .keys
        .checked_sub(1)
        .ok_or(SyntaxError::TooMany("search keys"))?;
    match cursor.peek() {
        Some(b'(') => {
            let keys = cursor.list(|cursor| search_key(cursor, budget, depth))?;
            return Ok(joined(keys));
        }
        Some(b'0'..=b'9' | b'*') => return sequence_set(cursor).map(SearchKey::Sequence),
        _ => {}
    }
    let mut upper = [0_u8; NAME_BYTES_MAX];
    let name = upper_case(cursor.atom()?, &mut upper).ok_or(UNKNOWN)?;
    if let Some(key) = plain_key(name) {
        return Ok(key);
    }
    cursor.sp()?;
    if matches!(name, b"BODY" | b"TEXT") {
        budget.text_keys = budget
            .text_keys
            .checked_sub(1)
            .ok_or(SyntaxError::TooMany("BODY and TEXT search keys"))?;
    }
    match name {
        b"NOT" => {
            let key = search_key(cursor, budget, depth)?;
            Ok(SearchKey::Not(Box::new(key)))
        }
        b"OR" => {
            let one = search_key(cursor, budget, depth)?;
            cursor.sp()?;
            let other = search_key(cursor, budget, depth)?;
            Ok(SearchKey::Or(Box::new(one), Box::new(other)))
        }
        _ => key_with_argument(name, cursor),
    }
}

/// Longest name of a search key, with room.
const NAME_BYTES_MAX: usize = 16;

const UNKNOWN: SyntaxError = SyntaxError::Unknown("search key");

/// Keys that are one word.
fn plain_key(name: &[u8]) -> Option<SearchKey> {
    use SearchKey::{HasFlag, LacksFlag};
    Some(match name {
        b"ALL" => SearchKey::All,
        b"ANSWERED" => HasFlag(Flag::Answered),
        b"DELETED" => HasFlag(Flag::Deleted),
        b"DRAFT" => HasFlag(Flag::Draft),
        b"FLAGGED" => HasFlag(Flag::Flagged),
        b"RECENT" => HasFlag(Flag::Recent),
        b"SEEN" => HasFlag(Flag::Seen),
        b"UNANSWERED" => LacksFlag(Flag::Answered),
        b"UNDELETED" => LacksFlag(Flag::Deleted),
        b"UNDRAFT" => LacksFlag(Flag::Draft),
        b"UNFLAGGED" => LacksFlag(Flag::Flagged),
        b"OLD" => LacksFlag(Flag::Recent),
        b"UNSEEN" => LacksFlag(Flag::Seen),
        b"NEW" => SearchKey::New,
        _ => return None,
    })
}

/// Keys with one argument that is no key; HEADER has two.
fn key_with_argument(name: &[u8], cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    match name {
        b"BCC" | b"CC" | b"FROM" | b"SUBJECT" | b"TO" => Ok(SearchKey::Header {
            field: name.to_vec(),
            value: text(cursor)?,
        }),
        b"HEADER" => {
            let field = text(cursor)?;
            cursor.sp()?;
            Ok(SearchKey::Header {
                field,
                value: text(cursor)?,
            })
        }
        b"BODY" => text(cursor).map(SearchKey::Body),
        b"TEXT" => text(cursor).map(SearchKey::Text),
        b"KEYWORD" => keyword(cursor.atom()?).map(|name| SearchKey::HasFlag(Flag::Keyword(name))),
        b"UNKEYWORD" => {
            keyword(cursor.atom()?).map(|name| SearchKey::LacksFlag(Flag::Keyword(name)))
        }
        b"BEFORE" => date(cursor).map(SearchKey::Before),
        b"ON" => date(cursor).map(SearchKey::On),
        b"SINCE" => date(cursor).map(SearchKey::Since),
        b"SENTBEFORE" => date(cursor).map(SearchKey::SentBefore),
        b"SENTON" => date(cursor).map(SearchKey::SentOn),
        b"SENTSINCE" => date(cursor).map(SearchKey::SentSince),
        b"LARGER" => cursor.number64().map(SearchKey::Larger),
        b"SMALLER" => cursor.number64().map(SearchKey::Smaller),
        b"UID" => sequence_set(cursor).map(SearchKey::Uid),
        b"MODSEQ" => mod_seq(cursor),
        _ => Err(UNKNOWN),
    }
}

/// RFC 7162 `search-modsequence`
fn mod_seq(cursor: &mut Cursor<'_>) -> Parsed<SearchKey> {
    if cursor.peek() == Some(b'"') {
        cursor.quoted()?;
        cursor.sp()?;
        let kinds = ["priv", "shared", "all"];
        if !kinds.into_iter().any(|kind| cursor.take_word(kind)) {
            return Err(SyntaxError::Expected("priv, shared or all"));
        }
        cursor.sp()?;
    }
    cursor.mod_seq().map(SearchKey::ModSeq)
}

fn text(cursor: &mut Cursor<'_>) -> Parsed<Vec<u8>> {
    cursor.astring().map(std::borrow::Cow::into_owned)
}

fn joined(mut keys: Vec<SearchKey>) -> SearchKey {
    match keys.pop() {
        Some(only) if keys.is_empty() => only,
        Some(last) => {
            keys.push(last);
            SearchKey::And(keys)
        }
        None => SearchKey::All,
    }
}

/// `word` in upper case, if it is short enough to be a name.
fn upper_case<'b>(word: &[u8], buffer: &'b mut [u8; NAME_BYTES_MAX]) -> Option<&'b [u8]> {
    let upper = buffer.get_mut(..word.len())?;
    upper.copy_from_slice(word);
    upper.make_ascii_uppercase();
    Some(upper)
}

#[cfg(test)]
mod tests;
