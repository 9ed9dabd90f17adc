//! The one table of facts about commands. Nothing else compares verbs.

use super::{
    Arguments, Command, Numbering, append, authenticate, capability, check, close, copy, create,
    delete, deleteacl, enable, expunge, fetch, getacl, getquota, getquotaroot, id, idle, list,
    listrights, login, logout, lsub, r#move, myrights, namespace, noop, rename, search, select,
    setacl, setquota, starttls, status, store, subscribe, unselect, unsubscribe,
};
use crate::connection_state::States;
use crate::grammar::Parsed;

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// The verb in upper case, without a leading UID.
    pub verb: &'static str,
    /// Uid for the forms that begin with UID.
    pub numbering: Numbering,
    /// Where it is allowed.
    pub states: States,
    /// It may name messages by sequence number, so none may change under it (RFC 3501 5.5).
    pub uses_sequence_numbers: bool,
    /// Its answer may tell of expunged messages (RFC 3501 7.4.1).
    pub may_tell_expunge: bool,
    /// The capability that brings it; `None` for what every server has.
    pub capability: Option<&'static str>,
    /// Reads what follows the verb.
    pub(super) parse: fn(&mut Arguments<'_>) -> Parsed<Command>,
}

const fn row(
    verb: &'static str,
    states: States,
    parse: fn(&mut Arguments<'_>) -> Parsed<Command>,
) -> Row {
    Row {
        verb,
        numbering: Numbering::Sequence,
        states,
        uses_sequence_numbers: false,
        may_tell_expunge: true,
        capability: None,
        parse,
    }
}

impl Row {
    /// The form that begins with UID.
    const fn uid(self) -> Self {
        Self {
            numbering: Numbering::Uid,
            ..self
        }
    }

    /// A form that names messages by sequence number.
    const fn by_sequence(self) -> Self {
        Self {
            uses_sequence_numbers: true,
            ..self
        }
    }

    /// RFC 3501 7.4.1: no EXPUNGE while this one is answered.
    const fn holds_expunge(self) -> Self {
        Self {
            may_tell_expunge: false,
            ..self
        }
    }

    /// Brought by this capability.
    const fn of(self, capability: &'static str) -> Self {
        Self {
            capability: Some(capability),
            ..self
        }
    }
}

use States::{Any, Authenticated, NotAuthenticated, Selected};

/// The facts about a command that cannot do harm.
pub(super) static NOOP: Row = row("NOOP", Any, noop::parse);

/// Every command; frequent ones first, because it is searched from the front.
pub static TABLE: [Row; 45] = [
    row("FETCH", Selected, fetch::parse).uid(),
    row("STORE", Selected, store::parse).uid(),
    row("FETCH", Selected, fetch::parse)
        .by_sequence()
        .holds_expunge(),
    row("STORE", Selected, store::parse)
        .by_sequence()
        .holds_expunge(),
    row("NOOP", Any, noop::parse),
    row("IDLE", Authenticated, idle::parse).of("IDLE"),
    row("SELECT", Authenticated, select::parse),
    row("EXAMINE", Authenticated, select::parse_examine),
    row("STATUS", Authenticated, status::parse),
    row("APPEND", Authenticated, append::parse),
    // The keys of UID SEARCH may be sequence numbers, yet it may tell of expunges.
    row("SEARCH", Selected, search::parse).uid().by_sequence(),
    row("SEARCH", Selected, search::parse)
        .by_sequence()
        .holds_expunge(),
    row("COPY", Selected, copy::parse).uid(),
    row("COPY", Selected, copy::parse).by_sequence(),
    row("MOVE", Selected, r#move::parse).uid().of("MOVE"),
    row("MOVE", Selected, r#move::parse)
        .by_sequence()
        .of("MOVE"),
    row("EXPUNGE", Selected, expunge::parse),
    row("EXPUNGE", Selected, expunge::parse).uid().of("UIDPLUS"),
    row("CHECK", Selected, check::parse),
    row("CLOSE", Selected, close::parse),
    row("UNSELECT", Selected, unselect::parse).of("UNSELECT"),
    row("LIST", Authenticated, list::parse),
    // An old name for LIST with special use; understood, never advertised.
    row("XLIST", Authenticated, list::parse_xlist),
    row("LSUB", Authenticated, lsub::parse),
    row("NAMESPACE", Authenticated, namespace::parse).of("NAMESPACE"),
    row("GETQUOTA", Authenticated, getquota::parse).of("QUOTA"),
    row("GETQUOTAROOT", Authenticated, getquotaroot::parse).of("QUOTA"),
    row("SETQUOTA", Authenticated, setquota::parse).of("QUOTA"),
    row("CREATE", Authenticated, create::parse),
    row("DELETE", Authenticated, delete::parse),
    row("RENAME", Authenticated, rename::parse),
    row("SUBSCRIBE", Authenticated, subscribe::parse),
    row("UNSUBSCRIBE", Authenticated, unsubscribe::parse),
    row("SETACL", Authenticated, setacl::parse).of("ACL"),
    row("DELETEACL", Authenticated, deleteacl::parse).of("ACL"),
    row("GETACL", Authenticated, getacl::parse).of("ACL"),
    row("LISTRIGHTS", Authenticated, listrights::parse).of("ACL"),
    row("MYRIGHTS", Authenticated, myrights::parse).of("ACL"),
    row("CAPABILITY", Any, capability::parse),
    row("LOGIN", NotAuthenticated, login::parse),
    row("AUTHENTICATE", NotAuthenticated, authenticate::parse),
    row("STARTTLS", NotAuthenticated, starttls::parse).of("STARTTLS"),
    row("ENABLE", Authenticated, enable::parse).of("ENABLE"),
    row("ID", Any, id::parse).of("ID"),
    row("LOGOUT", Any, logout::parse),
];

/// The row of a verb in any case.
pub(super) fn find(verb: &[u8], numbering: Numbering) -> Option<&'static Row> {
    TABLE
        .iter()
        .find(|row| row.numbering == numbering && verb.eq_ignore_ascii_case(row.verb.as_bytes()))
}
