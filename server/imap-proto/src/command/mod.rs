//! Commands: the enum, the one table of facts about them, and one file per verb.

pub mod append;
pub mod authenticate;
pub mod capability;
pub mod check;
pub mod close;
pub mod copy;
pub mod create;
pub mod delete;
pub mod deleteacl;
pub mod enable;
pub mod expunge;
pub mod fetch;
pub mod getacl;
pub mod getquota;
pub mod getquotaroot;
pub mod id;
pub mod idle;
pub mod list;
pub mod listrights;
pub mod login;
pub mod logout;
pub mod lsub;
pub mod r#move;
pub mod myrights;
pub mod namespace;
pub mod noop;
pub mod rename;
pub mod search;
pub mod select;
pub mod setacl;
pub mod setquota;
pub mod starttls;
pub mod status;
pub mod store;
pub mod subscribe;
pub mod table;
pub mod unselect;
pub mod unsubscribe;

pub use append::Append;
pub use authenticate::{Authenticate, SaslLine};
pub use copy::{Copy, Encrypted};
pub use create::Create;
pub use deleteacl::DeleteAcl;
pub use enable::Enable;
pub use expunge::Expunge;
pub use fetch::{Fetch, FetchAttribute};
pub use id::Id;
pub use list::{List, ListReturn, ListSelection, ListVerb};
pub use listrights::ListRights;
pub use login::Login;
pub use lsub::Lsub;
pub use r#move::Move;
pub use rename::Rename;
pub use search::{Search, SearchReturn};
pub use select::{Access, Select};
pub use setacl::{SetAcl, SetAclAction};
pub use setquota::SetQuota;
pub use status::Status;
pub use store::{Store, StoreAction};
pub use table::Row;

use crate::grammar::{Cursor, MailboxName, Parsed, SyntaxError};
use crate::request::{LiteralHeader, Request};

/// A command that is grammatically right. What it means in the connection's state is not this
/// crate's business.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// CAPABILITY
    Capability,
    /// NOOP
    Noop,
    /// LOGOUT
    Logout,
    /// STARTTLS
    StartTls,
    /// AUTHENTICATE
    Authenticate(Authenticate),
    /// LOGIN
    Login(Login),
    /// ENABLE (RFC 5161)
    Enable(Enable),
    /// ID (RFC 2971)
    Id(Id),
    /// SELECT and EXAMINE
    Select(Select),
    /// CREATE
    Create(Create),
    /// DELETE
    Delete(MailboxName),
    /// RENAME
    Rename(Rename),
    /// SUBSCRIBE
    Subscribe(MailboxName),
    /// UNSUBSCRIBE
    Unsubscribe(MailboxName),
    /// LIST, and XLIST
    List(List),
    /// LSUB
    Lsub(Lsub),
    /// NAMESPACE (RFC 2342)
    Namespace,
    /// STATUS
    Status(Status),
    /// SETACL (RFC 4314)
    SetAcl(SetAcl),
    /// DELETEACL
    DeleteAcl(DeleteAcl),
    /// GETACL
    GetAcl(MailboxName),
    /// LISTRIGHTS
    ListRights(ListRights),
    /// MYRIGHTS
    MyRights(MailboxName),
    /// GETQUOTA (RFC 9208) of the root with this name, as sent.
    GetQuota(Vec<u8>),
    /// GETQUOTAROOT
    GetQuotaRoot(MailboxName),
    /// SETQUOTA
    SetQuota(SetQuota),
    /// APPEND, up to its message literal
    Append(Append),
    /// CHECK
    Check,
    /// CLOSE
    Close,
    /// UNSELECT (RFC 3691)
    Unselect,
    /// EXPUNGE and UID EXPUNGE (RFC 4315)
    Expunge(Expunge),
    /// SEARCH and UID SEARCH
    Search(Search),
    /// FETCH and UID FETCH
    Fetch(Fetch),
    /// STORE and UID STORE
    Store(Store),
    /// COPY and UID COPY
    Copy(Copy),
    /// MOVE and UID MOVE (RFC 6851)
    Move(Move),
    /// IDLE (RFC 2177)
    Idle,
}

/// What the numbers of a command are, and those of SEARCH's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Numbering {
    /// Message sequence numbers.
    Sequence,
    /// UIDs: the command was prefixed with UID.
    Uid,
}

/// A command's tag.
pub type Tag = Vec<u8>;

/// A request that is no command. Its text is for the client's BAD.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{error}")]
pub struct ParseError {
    /// The tag, if it could be read; without one the BAD is untagged.
    pub tag: Option<Tag>,
    /// What is wrong.
    pub error: SyntaxError,
}

/// What a verb's parser reads.
#[derive(Debug)]
pub struct Arguments<'r> {
    /// At the first byte after the verb.
    pub(crate) cursor: Cursor<'r>,
    /// Whether the verb was prefixed with UID.
    pub(crate) numbering: Numbering,
    /// The message literal that the request ends with.
    pub(crate) message_literal: Option<LiteralHeader>,
}

impl Command {
    /// Parses a complete request, or an APPEND up to its message literal.
    pub fn parse(request: &Request) -> Result<(Tag, Self), ParseError> {
        let mut cursor = Cursor::new(request.bytes());
        let tag = match cursor.tag() {
            Ok(tag) => tag.to_vec(),
            Err(error) => return Err(ParseError { tag: None, error }),
        };
        match Self::parse_after_tag(cursor, request.message_literal()) {
            Ok(command) => Ok((tag, command)),
            Err(error) => Err(ParseError {
                tag: Some(tag),
                error,
            }),
        }
    }

    /// The row of the table that this command belongs to.
    pub fn row(&self) -> &'static Row {
        let (verb, numbering) = self.verb();
        // A test proves that every command has a row; NOOP's facts are the harmless ones.
        table::find(verb.as_bytes(), numbering).unwrap_or(&table::NOOP)
    }

    /// The verb in upper case, and whether it has the prefix UID.
    pub fn verb(&self) -> (&'static str, Numbering) {
        let by_sequence = |verb| (verb, Numbering::Sequence);
        match self {
            Self::Capability => by_sequence("CAPABILITY"),
            Self::Noop => by_sequence("NOOP"),
            Self::Logout => by_sequence("LOGOUT"),
            Self::StartTls => by_sequence("STARTTLS"),
            Self::Authenticate(_) => by_sequence("AUTHENTICATE"),
            Self::Login(_) => by_sequence("LOGIN"),
            Self::Enable(_) => by_sequence("ENABLE"),
            Self::Id(_) => by_sequence("ID"),
            Self::Select(select) => by_sequence(match select.access {
                Access::ReadWrite => "SELECT",
                Access::ReadOnly => "EXAMINE",
            }),
            Self::Create(_) => by_sequence("CREATE"),
            Self::Delete(_) => by_sequence("DELETE"),
            Self::Rename(_) => by_sequence("RENAME"),
            Self::Subscribe(_) => by_sequence("SUBSCRIBE"),
            Self::Unsubscribe(_) => by_sequence("UNSUBSCRIBE"),
            Self::List(list) => by_sequence(match list.verb {
                ListVerb::List => "LIST",
                ListVerb::Xlist => "XLIST",
            }),
            Self::Lsub(_) => by_sequence("LSUB"),
            Self::Namespace => by_sequence("NAMESPACE"),
            Self::Status(_) => by_sequence("STATUS"),
            Self::SetAcl(_) => by_sequence("SETACL"),
            Self::DeleteAcl(_) => by_sequence("DELETEACL"),
            Self::GetAcl(_) => by_sequence("GETACL"),
            Self::ListRights(_) => by_sequence("LISTRIGHTS"),
            Self::MyRights(_) => by_sequence("MYRIGHTS"),
            Self::GetQuota(_) => by_sequence("GETQUOTA"),
            Self::GetQuotaRoot(_) => by_sequence("GETQUOTAROOT"),
            Self::SetQuota(_) => by_sequence("SETQUOTA"),
            Self::Append(_) => by_sequence("APPEND"),
            Self::Check => by_sequence("CHECK"),
            Self::Close => by_sequence("CLOSE"),
            Self::Unselect => by_sequence("UNSELECT"),
            Self::Expunge(expunge) => match expunge.uids {
                None => by_sequence("EXPUNGE"),
                Some(_) => ("EXPUNGE", Numbering::Uid),
            },
            Self::Search(search) => ("SEARCH", search.numbering),
            Self::Fetch(fetch) => ("FETCH", fetch.numbering),
            Self::Store(store) => ("STORE", store.numbering),
            Self::Copy(copy) => ("COPY", copy.numbering),
            Self::Move(r#move) => ("MOVE", r#move.numbering),
            Self::Idle => by_sequence("IDLE"),
        }
    }

    fn parse_after_tag(
        mut cursor: Cursor<'_>,
        message_literal: Option<LiteralHeader>,
    ) -> Parsed<Self> {
        cursor.sp()?;
        let mut numbering = Numbering::Sequence;
        if cursor.take_word("UID") {
            cursor.sp()?;
            numbering = Numbering::Uid;
        }
        let row = table::find(cursor.atom()?, numbering).ok_or(SyntaxError::UnknownCommand)?;
        let mut arguments = Arguments {
            cursor,
            numbering,
            message_literal,
        };
        let command = (row.parse)(&mut arguments)?;
        arguments.cursor.end()?;
        match command {
            Self::Append(_) => Ok(command),
            // Only a message is streamed; no other command can end with one.
            _ if message_literal.is_some() => Err(SyntaxError::Trailing),
            _ => Ok(command),
        }
    }
}

#[cfg(test)]
mod tests;
