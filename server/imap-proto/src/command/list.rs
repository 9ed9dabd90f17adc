//! LIST (RFC 3501 6.3.8), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE (RFC 6154),
//! and values inside the attributes.

use super::status::status_item;
use super::{Arguments, Command};
use crate::grammar::mailbox_name::{self, MailboxNameError};
use crate::grammar::{Cursor, ListValue, Parsed, StatusItem, SyntaxError, is_astring_char};
use crate::limits::MAILBOX_NAME_BYTES_MAX;

/// LIST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The word that the client used, and that the answers begin with.
    pub verb: ListVerb,
    /// Selection options; none for the basic form.
    pub selection: ListSelection,
    /// The reference name, UTF-8.
    pub reference: String,
    /// Patterns with `*` and `%`, UTF-8. Not empty; one empty pattern asks for the delimiter.
    pub patterns: Vec<String>,
    /// Return options.
    pub returns: ListReturn,
    /// Whether any of RFC 5258's syntax was used.
    pub extended: bool,
}

/// LIST, or the old XLIST that some clients still try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListVerb {
    /// LIST
    List,
    /// XLIST: as LIST, with special-use attributes.
    Xlist,
}

/// Selection options of RFC 5258.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListSelection {
    /// SUBSCRIBED
    pub subscribed: bool,
    /// REMOTE
    pub remote: bool,
    /// RECURSIVEMATCH
    pub recursive_match: bool,
    /// SPECIAL-USE (RFC 6154)
    pub special_use: bool,
}

/// Return options of RFC 5258.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListReturn {
    /// SUBSCRIBED
    pub subscribed: bool,
    /// CHILDREN
    pub children: bool,
    /// SPECIAL-USE (RFC 6154)
    pub special_use: bool,
    /// STATUS (RFC 5819); empty without it.
    pub status: Vec<StatusItem>,
    /// Values inside the attributes, in the client's order, each once.
    pub values: Vec<ListValue>,
    /// The client speaks the draft before RFC 5258, in which these stand before the reference.
    pub in_front: bool,
}

/// Parses the arguments of LIST.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    parse_verb(arguments, ListVerb::List)
}

/// Parses the arguments of XLIST.
pub(super) fn parse_xlist(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    parse_verb(arguments, ListVerb::Xlist)
}

fn parse_verb(arguments: &mut Arguments<'_>, verb: ListVerb) -> Parsed<Command> {
    // RFC 5258 section 6:
    // `"LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]`
    let cursor = &mut arguments.cursor;
    let mut extended = false;
    let mut selection = ListSelection::default();
    let mut returns = ListReturn::default();
    cursor.sp()?;
    if cursor.peek() == Some(b'(') {
        extended = true;
        cursor.list_or_empty(|cursor| selection_option(cursor, &mut selection, &mut returns))?;
        cursor.sp()?;
    }
    // RFC 5258 3.1: RECURSIVEMATCH needs an option that selects by itself.
    if selection.recursive_match && !selection.subscribed && !selection.special_use {
        return Err(SyntaxError::Conflict(
            "RECURSIVEMATCH needs another selection option",
        ));
    }
    let reference = reference(cursor)?;
    cursor.sp()?;
    let patterns = if cursor.peek() == Some(b'(') {
        extended = true;
        cursor.list(list_mailbox)?
    } else {
        vec![list_mailbox(cursor)?]
    };
    cursor.skip_spaces();
    if cursor.take_word("RETURN") {
        extended = true;
        cursor.sp()?;
        cursor.list_or_empty(|cursor| return_option(cursor, &mut returns))?;
    }
    let list = List {
        verb,
        selection,
        reference,
        patterns,
        returns,
        extended,
    };
    Ok(Command::List(list))
}

/// RFC 5258's selection options, and what only says what to return in the draft before it.
fn selection_option(
    cursor: &mut Cursor<'_>,
    selection: &mut ListSelection,
    returns: &mut ListReturn,
) -> Parsed<()> {
    let option = match () {
        () if cursor.take_word("SUBSCRIBED") => &mut selection.subscribed,
        () if cursor.take_word("REMOTE") => &mut selection.remote,
        () if cursor.take_word("RECURSIVEMATCH") => &mut selection.recursive_match,
        () if cursor.take_word("SPECIAL-USE") => &mut selection.special_use,
        () if cursor.take_word("CHILDREN") => &mut returns.children,
        () => {
            ListValue::gather(cursor, &mut returns.values)?;
            &mut returns.in_front
        }
    };
    *option = true;
    Ok(())
}

fn return_option(cursor: &mut Cursor<'_>, returns: &mut ListReturn) -> Parsed<()> {
    let option = match () {
        () if cursor.take_word("SUBSCRIBED") => &mut returns.subscribed,
        () if cursor.take_word("CHILDREN") => &mut returns.children,
        () if cursor.take_word("SPECIAL-USE") => &mut returns.special_use,
        () if cursor.take_word("STATUS") => {
            cursor.sp()?;
            returns.status = cursor.list(status_item)?;
            return Ok(());
        }
        () => return ListValue::gather(cursor, &mut returns.values),
    };
    *option = true;
    Ok(())
}

/// A reference name, perhaps empty.
pub(super) fn reference(cursor: &mut Cursor<'_>) -> Parsed<String> {
    Ok(pattern_text(&cursor.astring()?)?)
}

/// RFC 3501 `list-mailbox`: as astring, and wildcards may stand in the bare form.
pub(super) fn list_mailbox(cursor: &mut Cursor<'_>) -> Parsed<String> {
    if matches!(cursor.peek(), Some(b'"' | b'{')) {
        return Ok(pattern_text(&cursor.string()?)?);
    }
    let bare = cursor.take_while(|byte| is_astring_char(byte) || matches!(byte, b'%' | b'*'));
    if bare.is_empty() {
        return Err(SyntaxError::Expected("mailbox pattern"));
    }
    Ok(pattern_text(bare)?)
}

/// A pattern in UTF-8. One whose base64 is cut short, as completion sends it, stays as it is.
fn pattern_text(wire: &[u8]) -> Result<String, MailboxNameError> {
    match mailbox_name::decode(wire) {
        Err(MailboxNameError::ModifiedUtf7) => {
            // Not a name, so it matches none; the bounds of names hold all the same.
            if wire.len() > MAILBOX_NAME_BYTES_MAX {
                return Err(MailboxNameError::TooLong);
            }
            let text = std::str::from_utf8(wire).map_err(|_| MailboxNameError::Utf8)?;
            if text.chars().any(char::is_control) {
                return Err(MailboxNameError::Control);
            }
            Ok(text.to_owned())
        }
        decoded => decoded,
    }
}
