//! LIST, LSUB and XLIST responses (RFC 3501 7.2.2, RFC 5258, RFC 6154).

use super::string::{number64, string};
use crate::command::list::ListVerb;
use crate::grammar::{DateTime, ListValue, SpecialUse, mailbox_name};

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
    /// `\UNSEEN(14)`: a value that the client asked for.
    Value(ListValue, MailboxValue),
}

/// What stands in parentheses behind an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MailboxValue {
    /// A number.
    Number(u64),
    /// A string.
    Text(String),
    /// A date-time, quoted.
    Moment(DateTime),
}

impl MailboxAttribute {
    /// The attribute as on the wire, all but a value and the backslash before its name.
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
            Self::Value(value, _) => value.name(),
        }
    }

    fn encode(&self, out: &mut Vec<u8>) {
        let Self::Value(_, value) = self else {
            out.extend_from_slice(self.name().as_bytes());
            return;
        };
        out.push(b'\\');
        out.extend_from_slice(self.name().as_bytes());
        out.push(b'(');
        match value {
            MailboxValue::Number(value) => number64(out, *value),
            MailboxValue::Text(text) => string(out, text.as_bytes()),
            MailboxValue::Moment(moment) => moment.encode(out),
        }
        out.push(b')');
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
        out.push(b'(');
        for (at, attribute) in self.attributes.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            attribute.encode(out);
        }
        out.extend_from_slice(b") ");
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
