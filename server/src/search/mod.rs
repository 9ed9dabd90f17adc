//! SEARCH, exact (RFC 3501 6.4.4): a compiled condition, checked message by message with as little
//! of each message as decides it. Pure: the caller reads what a check says it lacks.

use imap_proto::grammar::{Date, DateTime, Flag, NumberRange, SearchKey};
use mail_message::charset;
use mail_message::summary::SummaryRef;
use mail_message::text::{self, Needle, Scope, TextKeys};
use storage_engine::ids::ModSeq;
use storage_engine::request::Flags;

use crate::flags;
use crate::session::selected::Row;

#[cfg(test)]
mod tests;

/// What a condition is compiled against: the mailbox as the session sees it.
pub struct Context<'a> {
    /// Messages in the session's view.
    pub exists: u32,
    /// The largest UID in it, or 0.
    pub uid_max: u32,
    /// The mailbox's keywords.
    pub keywords: &'a [String],
    /// Charset of the texts.
    pub charset: &'a str,
}

/// Why a condition cannot be compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompileError {
    /// The charset is not known: BADCHARSET.
    #[error("charset is not known")]
    BadCharset,
}

/// A compiled condition, and the strings that it asks for in messages' texts.
pub struct Compiled {
    /// The condition; its BODY and TEXT keys are numbers of `texts`.
    pub condition: Condition,
    /// What a message is looked through for.
    pub texts: TextKeys,
}

/// A part of a compiled condition.
pub enum Condition {
    /// Always, or never.
    Constant(bool),
    /// All of these.
    And(Vec<Condition>),
    /// One of the two at least.
    Or(Box<(Condition, Condition)>),
    /// The opposite.
    Not(Box<Condition>),
    /// Has this flag.
    Flag(Flags),
    /// Is recent.
    Recent,
    /// Has one of these sequence numbers.
    Sequence(Vec<NumberRange>),
    /// Has one of these UIDs.
    Uid(Vec<NumberRange>),
    /// A field contains the text.
    Header(String, Box<Needle>),
    /// The body, or the whole message, contains the text of this number.
    Contains(usize),
    /// Day of the internal date: before, on, or since.
    Internal(When, Date),
    /// Day of the Date field.
    Sent(When, Date),
    /// More octets.
    Larger(u64),
    /// Fewer octets.
    Smaller(u64),
    /// Changed at or after.
    ModSeq(ModSeq),
}

/// How a day is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Earlier.
    Before,
    /// That day.
    On,
    /// That day or later.
    Since,
}

impl When {
    fn holds(self, day: Date, named: Date) -> bool {
        match self {
            When::Before => day < named,
            When::On => day == named,
            When::Since => day >= named,
        }
    }
}

/// What is known of a message at a check.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// Its row in the view.
    pub row: &'a Row,
    /// Its summary, once read.
    pub summary: Option<&'a SummaryRef<'a>>,
    /// Its octets, once read.
    pub octets: Option<&'a [u8]>,
    /// What its text was found to contain, once it is looked through.
    pub texts: Option<Texts<'a>>,
}

/// Which of the compiled texts a message contains, as far as it was looked through.
#[derive(Clone, Copy)]
pub struct Texts<'a> {
    /// By number.
    pub found: &'a [bool],
    /// What is not found by now is not there.
    pub is_all: bool,
}

impl Texts<'_> {
    fn contains(self, number: usize) -> Option<bool> {
        let found = self.found.get(number).copied().unwrap_or(false);
        (found || self.is_all).then_some(found)
    }
}

impl<'a> Known<'a> {
    /// What the index tells.
    pub fn row(row: &'a Row) -> Self {
        Known {
            row,
            summary: None,
            octets: None,
            texts: None,
        }
    }
}

/// Compiles a condition. An unknown charset is refused also where no text needs it.
pub fn compile(key: &SearchKey, context: &Context<'_>) -> Result<Compiled, CompileError> {
    needle(b"", context)?;
    let mut texts = TextKeys::default();
    let condition = condition(key, context, &mut texts)?;
    Ok(Compiled { condition, texts })
}

fn condition(
    key: &SearchKey,
    context: &Context<'_>,
    texts: &mut TextKeys,
) -> Result<Condition, CompileError> {
    Ok(match key {
        SearchKey::All => Condition::Constant(true),
        SearchKey::And(keys) => Condition::And(
            keys.iter()
                .map(|key| condition(key, context, texts))
                .collect::<Result<_, _>>()?,
        ),
        SearchKey::Or(one, other) => {
            let one = condition(one, context, texts)?;
            let other = condition(other, context, texts)?;
            Condition::Or(Box::new((one, other)))
        }
        SearchKey::Not(key) => Condition::Not(Box::new(condition(key, context, texts)?)),
        SearchKey::HasFlag(flag) => has_flag(flag, context),
        SearchKey::LacksFlag(flag) => Condition::Not(Box::new(has_flag(flag, context))),
        SearchKey::New => Condition::And(vec![
            Condition::Recent,
            Condition::Not(Box::new(Condition::Flag(Flags::SEEN))),
        ]),
        // A number beyond the mailbox names no message; unlike elsewhere that is no error.
        SearchKey::Sequence(set) => Condition::Sequence(set.resolve(context.exists)),
        SearchKey::Uid(set) => Condition::Uid(set.resolve(context.uid_max)),
        SearchKey::Header { field, value } => Condition::Header(
            String::from_utf8_lossy(field).into_owned(),
            Box::new(needle(value, context)?),
        ),
        SearchKey::Body(value) => contains_text(Scope::Body, needle(value, context)?, texts),
        SearchKey::Text(value) => contains_text(Scope::Text, needle(value, context)?, texts),
        SearchKey::Before(date) => Condition::Internal(When::Before, *date),
        SearchKey::On(date) => Condition::Internal(When::On, *date),
        SearchKey::Since(date) => Condition::Internal(When::Since, *date),
        SearchKey::SentBefore(date) => Condition::Sent(When::Before, *date),
        SearchKey::SentOn(date) => Condition::Sent(When::On, *date),
        SearchKey::SentSince(date) => Condition::Sent(When::Since, *date),
        SearchKey::Larger(bytes) => Condition::Larger(*bytes),
        SearchKey::Smaller(bytes) => Condition::Smaller(*bytes),
        SearchKey::ModSeq(mod_seq) => Condition::ModSeq(ModSeq(*mod_seq)),
    })
}

/// An empty string is in every text.
fn contains_text(scope: Scope, needle: Needle, texts: &mut TextKeys) -> Condition {
    if needle.is_empty() {
        return Condition::Constant(true);
    }
    Condition::Contains(texts.push(scope, needle))
}

fn needle(value: &[u8], context: &Context<'_>) -> Result<Needle, CompileError> {
    let text = charset::decode_charset(context.charset, value).ok_or(CompileError::BadCharset)?;
    Ok(Needle::new(&text))
}

fn has_flag(flag: &Flag, context: &Context<'_>) -> Condition {
    match flag {
        Flag::Recent => Condition::Recent,
        Flag::Seen => Condition::Flag(Flags::SEEN),
        Flag::Answered => Condition::Flag(Flags::ANSWERED),
        Flag::Flagged => Condition::Flag(Flags::FLAGGED),
        Flag::Deleted => Condition::Flag(Flags::DELETED),
        Flag::Draft => Condition::Flag(Flags::DRAFT),
        Flag::Keyword(keyword) => flags::keyword_bit(keyword, context.keywords)
            .map_or(Condition::Constant(false), Condition::Flag),
        Flag::Extension(_) => Condition::Constant(false),
    }
}

impl Condition {
    /// Whether the message fits; `None` when more of it must be read to tell.
    pub fn check(&self, known: Known<'_>) -> Option<bool> {
        let row = known.row;
        let entry = &row.entry;
        Some(match self {
            Condition::Constant(constant) => *constant,
            Condition::And(conditions) => {
                let mut unknown = false;
                for condition in conditions {
                    match condition.check(known) {
                        Some(false) => return Some(false),
                        Some(true) => {}
                        None => unknown = true,
                    }
                }
                return (!unknown).then_some(true);
            }
            Condition::Or(pair) => match (pair.0.check(known), pair.1.check(known)) {
                (Some(true), _) | (_, Some(true)) => true,
                (Some(false), Some(false)) => false,
                (None, _) | (_, None) => return None,
            },
            Condition::Not(condition) => !condition.check(known)?,
            Condition::Flag(flag) => entry.flags.contains(*flag),
            Condition::Recent => row.recent,
            Condition::Sequence(ranges) => within(ranges, row.seq),
            Condition::Uid(ranges) => within(ranges, entry.uid.0),
            Condition::Header(field, needle) => header(known, field, needle)?,
            Condition::Contains(number) => known.texts?.contains(*number)?,
            // RFC 3501 6.4.4: the day as written, whatever the zone.
            Condition::Internal(when, named) => {
                let local = DateTime::from_unix_seconds(entry.internal_date_s, entry.zone_min);
                when.holds(local.date, *named)
            }
            Condition::Sent(when, named) => known
                .summary?
                .sent()
                .is_some_and(|sent| when.holds(sent.local, *named)),
            Condition::Larger(bytes) => u64::from(entry.size) > *bytes,
            Condition::Smaller(bytes) => u64::from(entry.size) < *bytes,
            Condition::ModSeq(mod_seq) => entry.mod_seq >= *mod_seq,
        })
    }
}

fn header(known: Known<'_>, field: &str, needle: &Needle) -> Option<bool> {
    let summary = known.summary?;
    if let Some(kept) = summary.search_header_for(field.as_bytes()) {
        return Some(text::header_contains(kept, field, needle));
    }
    let octets = known.octets?;
    let end = usize::try_from(summary.header_end()).ok()?;
    Some(text::header_contains(
        octets.get(..end).unwrap_or(octets),
        field,
        needle,
    ))
}

/// The ranges ascend and do not touch.
fn within(ranges: &[NumberRange], number: u32) -> bool {
    let at = ranges.partition_point(|range| range.last < number);
    ranges.get(at).is_some_and(|range| range.first <= number)
}
