//! SEARCH and UID SEARCH (RFC 3501 6.4.4) with RETURN (ESEARCH, RFC 4731).

use super::Numbering;
use crate::grammar::SearchKey;

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
