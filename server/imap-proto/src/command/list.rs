//! LIST (RFC 3501 6.3.8), LIST-EXTENDED (RFC 5258), LIST-STATUS (RFC 5819), SPECIAL-USE (RFC 6154).

use crate::grammar::StatusItem;

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
}
