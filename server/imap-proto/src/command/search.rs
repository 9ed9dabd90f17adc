//! SEARCH and UID SEARCH (RFC 3501 6.4.4) with RETURN (ESEARCH, RFC 4731).

use super::{Arguments, Command, Numbering};
use crate::grammar::search_key::search_keys;
use crate::grammar::{Cursor, Parsed, SearchKey, SyntaxError};

/// SEARCH.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// What the answer's numbers are.
    pub numbering: Numbering,
    /// RETURN: answer with ESEARCH. `None` asks for the old SEARCH answer.
    pub returns: Option<SearchReturn>,
    /// CHARSET of the texts, upper case; `None` means US-ASCII (UTF-8 is let pass).
    pub charset: Option<String>,
    /// The condition.
    pub key: SearchKey,
}

/// Result options of RFC 4731; `RETURN ()` is `all`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SearchReturn {
    /// MIN
    pub min: bool,
    /// MAX
    pub max: bool,
    /// ALL
    pub all: bool,
    /// COUNT
    pub count: bool,
}

/// Parses the arguments.
pub(super) fn parse(arguments: &mut Arguments<'_>) -> Parsed<Command> {
    // RFC 4731 section 5: `"SEARCH" [SP "RETURN" SP "(" ... ")"] SP search-program`
    let numbering = arguments.numbering;
    let cursor = &mut arguments.cursor;
    cursor.sp()?;
    let mut returns = None;
    if cursor.take_word("RETURN") {
        cursor.sp()?;
        let mut options = SearchReturn::default();
        let named = cursor.list_or_empty(|cursor| return_option(cursor, &mut options))?;
        // RFC 4731 3.1: no option at all means ALL.
        options.all |= named.is_empty();
        returns = Some(options);
        cursor.sp()?;
    }
    let mut charset = None;
    if cursor.take_word("CHARSET") {
        cursor.sp()?;
        charset = Some(String::from_utf8_lossy(&cursor.astring()?).to_ascii_uppercase());
        cursor.sp()?;
    }
    let key = search_keys(cursor)?;
    Ok(Command::Search(Search {
        numbering,
        returns,
        charset,
        key,
    }))
}

fn return_option(cursor: &mut Cursor<'_>, options: &mut SearchReturn) -> Parsed<()> {
    let option = match () {
        () if cursor.take_word("MIN") => &mut options.min,
        () if cursor.take_word("MAX") => &mut options.max,
        () if cursor.take_word("ALL") => &mut options.all,
        () if cursor.take_word("COUNT") => &mut options.count,
        () => return Err(SyntaxError::Unknown("SEARCH return option")),
    };
    *option = true;
    Ok(())
}
