//! LIST, LSUB and XLIST responses (RFC 3501 7.2.2, RFC 5258, RFC 6154).

use super::string::string;
use crate::command::list::ListVerb;
use crate::grammar::{SpecialUse, mailbox_name};

/// One mailbox in the answer to LIST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListResponse<'a> {
    /// The word that the answer begins with.
    pub verb: ListResponseVerb,
    /// Attributes in the order in which they are sent.
    pub attributes: &'a [MailboxAttribute],
    /// The hierarchy delimiter; `None` is sent as NIL.
    pub delimiter: Option<char>,
    /// The mailbox's name in UTF-8.
    pub mailbox: &'a str,
    /// CHILDINFO (RFC 5258 3.5): which selection criteria children satisfy; only SUBSCRIBED can
    /// stand there so far.
    pub child_info_subscribed: bool,
}

/// The word that a list response begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListResponseVerb {
    /// LIST
    List,
    /// LSUB
    Lsub,
    /// XLIST
    Xlist,
}

impl From<ListVerb> for ListResponseVerb {
    fn from(verb: ListVerb) -> Self {
        match verb {
            ListVerb::List => Self::List,
            ListVerb::Xlist => Self::Xlist,
        }
    }
}

/// An attribute of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailboxAttribute {
    /// `\Noinferiors`
    NoInferiors,
    /// `\Noselect`
    NoSelect,
    /// `\NonExistent` (RFC 5258)
    NonExistent,
    /// `\Marked`
    Marked,
    /// `\Unmarked`
    Unmarked,
    /// `\HasChildren` (RFC 3348)
    HasChildren,
    /// `\HasNoChildren` (RFC 3348)
    HasNoChildren,
    /// `\Subscribed` (RFC 5258)
    Subscribed,
    /// `\Remote` (RFC 5258)
    Remote,
    /// `\Inbox`, which XLIST answers carry.
    Inbox,
    /// What the mailbox is for (RFC 6154).
    SpecialUse(SpecialUse),
}

impl MailboxAttribute {
    /// The attribute as on the wire.
    pub fn name(&self) -> &str {
        match self {
            Self::NoInferiors => "\\Noinferiors",
            Self::NoSelect => "\\Noselect",
            Self::NonExistent => "\\NonExistent",
            Self::Marked => "\\Marked",
            Self::Unmarked => "\\Unmarked",
            Self::HasChildren => "\\HasChildren",
            Self::HasNoChildren => "\\HasNoChildren",
            Self::Subscribed => "\\Subscribed",
            Self::Remote => "\\Remote",
            Self::Inbox => "\\Inbox",
            Self::SpecialUse(special_use) => special_use.name(),
        }
    }
}

impl ListResponse<'_> {
    /// Writes the response.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.verb {
            ListResponseVerb::List => b"* LIST ",
            ListResponseVerb::Lsub => b"* LSUB ",
            ListResponseVerb::Xlist => b"* XLIST ",
        });
        super::flags::flag_list(out, self.attributes.iter().map(MailboxAttribute::name));
        out.push(b' ');
        delimiter(out, self.delimiter);
        out.push(b' ');
        mailbox(out, self.mailbox);
        if self.child_info_subscribed {
            out.extend_from_slice(b" (\"CHILDINFO\" (\"SUBSCRIBED\"))");
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// Writes a mailbox name, given in UTF-8, in modified UTF-7; quoted, which every client reads.
pub fn mailbox(out: &mut Vec<u8>, name: &str) {
    if name == "INBOX" {
        out.extend_from_slice(b"INBOX");
    } else {
        string(out, mailbox_name::encode(name).as_bytes());
    }
}

/// Writes a quoted delimiter, or NIL.
pub(super) fn delimiter(out: &mut Vec<u8>, delimiter: Option<char>) {
    match delimiter {
        None => out.extend_from_slice(b"NIL"),
        Some(delimiter) => {
            let mut utf8 = [0_u8; 4];
            string(out, delimiter.encode_utf8(&mut utf8).as_bytes());
        }
    }
}
