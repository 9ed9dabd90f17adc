//! STORE and UID STORE (RFC 3501 6.4.6, RFC 7162 3.1.3).

use super::{Arguments, Command, Numbering};
use crate::grammar::flag::{flag, flag_list};
use crate::grammar::sequence_set::sequence_set;
use crate::grammar::{Cursor, Flag, Parsed, SequenceSet, SyntaxError};
use crate::limits::LIST_ITEMS_MAX;

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

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    let numbering = arguments.numbering;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let set = sequence_set(cursor)?;
    cursor.sp()?;
    let mut unchanged_since = None;
    if cursor.take_byte(b'(') {
        if !cursor.take_word("UNCHANGEDSINCE") {
            return Err(SyntaxError::Unknown("STORE modifier"));
        }
        cursor.sp()?;
        unchanged_since = Some(cursor.mod_seq()?);
        cursor.expect_byte(b')', ")")?;
        cursor.sp()?;
    }
    let action = match () {
        () if cursor.take_byte(b'+') => StoreAction::Add,
        () if cursor.take_byte(b'-') => StoreAction::Remove,
        () => StoreAction::Replace,
    };
    if !cursor.take_prefix("FLAGS") {
        return Err(SyntaxError::Unknown("STORE item"));
    }
    let silent = cursor.take_prefix(".SILENT");
    cursor.sp()?;
    let flags = flags(cursor)?;
    Ok(Command::Store(Store {
        numbering,
        set,
        unchanged_since,
        action,
        silent,
        flags,
    }))
}

/// RFC 3501 `flag-list / (flag *(SP flag))`
fn flags(cursor: &mut Cursor<'_>) -> Parsed<Vec<Flag>> {
    if cursor.peek() == Some(b'(') {
        return flag_list(cursor);
    }
    let mut flags = Vec::new();
    loop {
        if flags.len() >= LIST_ITEMS_MAX {
            return Err(SyntaxError::TooMany("flags"));
        }
        flags.push(flag(cursor)?);
        cursor.skip_spaces();
        if cursor.rest().is_empty() {
            return Ok(flags);
        }
    }
}
