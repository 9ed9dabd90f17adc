//! Special-use attributes of mailboxes (RFC 6154).

/// What a mailbox is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SpecialUse {
    /// `\All`
    All,
    /// `\Archive`
    Archive,
    /// `\Drafts`
    Drafts,
    /// `\Flagged`
    Flagged,
    /// `\Junk`
    Junk,
    /// `\Sent`
    Sent,
    /// `\Trash`
    Trash,
    /// `\Important` (RFC 8457)
    Important,
    /// One that this server does not know, with its backslash: answer NO with the code USEATTR.
    Other(String),
}

impl SpecialUse {
    /// The attribute as on the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::All => "\\All",
            Self::Archive => "\\Archive",
            Self::Drafts => "\\Drafts",
            Self::Flagged => "\\Flagged",
            Self::Junk => "\\Junk",
            Self::Sent => "\\Sent",
            Self::Trash => "\\Trash",
            Self::Important => "\\Important",
            Self::Other(name) => name,
        }
    }

    /// The attribute called `name` (with its backslash), in any case.
    pub fn from_name(name: &str) -> Self {
        let known = [
            Self::All,
            Self::Archive,
            Self::Drafts,
            Self::Flagged,
            Self::Junk,
            Self::Sent,
            Self::Trash,
            Self::Important,
        ];
        known
            .into_iter()
            .find(|attribute| attribute.name().eq_ignore_ascii_case(name))
            .unwrap_or_else(|| Self::Other(name.to_owned()))
    }
}
