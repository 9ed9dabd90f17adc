//! Capabilities: the one table, and the line that is made from it.

use crate::connection_state::ConnectionState;
use crate::response::string::number64;

/// When a capability is advertised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advertised {
    /// In every state.
    Always,
    /// Before login, whatever the transport.
    BeforeLogin,
    /// After login.
    AfterLogin,
    /// After login, to who may change what accounts may hold.
    ToAdministrators,
    /// Before login, without TLS, where the listener offers TLS.
    BeforeTls,
    /// Before login, where a password must not be sent over this transport.
    LoginRefused,
    /// Before login, where a password may be sent over this transport.
    LoginAllowed,
    /// Never: only ENABLE knows the word.
    Never,
}

/// A row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// The word as advertised; one that ends in `=` has its value added.
    pub name: &'static str,
    /// The RFC that defines it.
    pub rfc: u16,
    /// When it is advertised.
    pub advertised: Advertised,
    /// Whether ENABLE may name it (RFC 5161).
    pub enable: bool,
}

/// What a capability line depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// State of the connection.
    pub state: ConnectionState,
    /// Whether STARTTLS can be given now: the listener has a certificate and TLS is not on yet.
    pub start_tls: bool,
    /// Whether a password may be sent over this transport.
    pub login_allowed: bool,
    /// Whether who logged in administers accounts.
    pub administrator: bool,
    /// Largest message that APPEND takes, in bytes (RFC 7889).
    pub append_bytes_max: u64,
}

/// Every capability of this server.
pub const TABLE: &[Capability] = &[
    row("IMAP4rev1", 3501, Advertised::Always),
    row("IMAP4", 1730, Advertised::Always),
    row("SASL-IR", 4959, Advertised::BeforeLogin),
    row("LOGIN-REFERRALS", 2221, Advertised::BeforeLogin),
    row("STARTTLS", 3501, Advertised::BeforeTls),
    row("LOGINDISABLED", 3501, Advertised::LoginRefused),
    row("AUTH=PLAIN", 4616, Advertised::LoginAllowed),
    // LOGIN never became an RFC; old Outlook clients know nothing else.
    row("AUTH=LOGIN", 4616, Advertised::LoginAllowed),
    row("ID", 2971, Advertised::Always),
    row("ENABLE", 5161, Advertised::Always),
    row("LITERAL+", 7888, Advertised::Always),
    row("IDLE", 2177, Advertised::Always),
    row("INPROGRESS", 9585, Advertised::AfterLogin),
    row("NAMESPACE", 2342, Advertised::AfterLogin),
    row("CHILDREN", 3348, Advertised::AfterLogin),
    row("ACL", 4314, Advertised::AfterLogin),
    // RFC 4314 5.1.1: what RFC 2086 did not have.
    row("RIGHTS=kxte", 4314, Advertised::AfterLogin),
    row("UNSELECT", 3691, Advertised::AfterLogin),
    row("UIDPLUS", 4315, Advertised::AfterLogin),
    row("MOVE", 6851, Advertised::AfterLogin),
    row("ESEARCH", 4731, Advertised::AfterLogin),
    row("LIST-EXTENDED", 5258, Advertised::AfterLogin),
    row("LIST-STATUS", 5819, Advertised::AfterLogin),
    row("STATUS=SIZE", 8438, Advertised::AfterLogin),
    row("SPECIAL-USE", 6154, Advertised::AfterLogin),
    row("CREATE-SPECIAL-USE", 6154, Advertised::AfterLogin),
    row("QUOTA", 9208, Advertised::AfterLogin),
    row("QUOTA=RES-STORAGE", 9208, Advertised::AfterLogin),
    row("QUOTA=RES-MESSAGE", 9208, Advertised::AfterLogin),
    row("QUOTA=RES-MAILBOX", 9208, Advertised::AfterLogin),
    row("QUOTASET", 9208, Advertised::ToAdministrators),
    row("APPENDLIMIT=", 7889, Advertised::AfterLogin),
    Capability {
        enable: true,
        ..row("CONDSTORE", 7162, Advertised::AfterLogin)
    },
    // Shows what is hidden from other clients; no RFC has it, so nobody looks for it here.
    Capability {
        enable: true,
        ..row("EXTENSIONS", 5161, Advertised::Never)
    },
];

const fn row(name: &'static str, rfc: u16, advertised: Advertised) -> Capability {
    Capability {
        name,
        rfc,
        advertised,
        enable: false,
    }
}

impl Capability {
    /// Whether the word stands in a line with this context.
    pub fn is_advertised(&self, context: &Context) -> bool {
        let before_login = context.state == ConnectionState::NotAuthenticated;
        match self.advertised {
            Advertised::Always => true,
            Advertised::BeforeLogin => before_login,
            Advertised::AfterLogin => !before_login,
            Advertised::ToAdministrators => !before_login && context.administrator,
            Advertised::BeforeTls => before_login && context.start_tls,
            Advertised::LoginRefused => before_login && !context.login_allowed,
            Advertised::LoginAllowed => before_login && context.login_allowed,
            Advertised::Never => false,
        }
    }
}

/// The words of a capability line, as CAPABILITY, its response code and the greeting carry them.
pub fn words(context: &Context) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    for capability in TABLE
        .iter()
        .filter(|capability| capability.is_advertised(context))
    {
        if !out.is_empty() {
            out.push(b' ');
        }
        out.extend_from_slice(capability.name.as_bytes());
        if capability.name.ends_with('=') {
            number64(&mut out, context.append_bytes_max);
        }
    }
    out
}

/// The capability that ENABLE calls `name` (any case), if it is one that can be enabled.
pub fn enableable(name: &str) -> Option<&'static Capability> {
    TABLE
        .iter()
        .find(|capability| capability.enable && capability.name.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: ConnectionState, start_tls: bool, login_allowed: bool) -> String {
        let context = Context {
            state,
            start_tls,
            login_allowed,
            administrator: false,
            append_bytes_max: 1000,
        };
        String::from_utf8(words(&context)).unwrap()
    }

    #[test]
    fn plaintext_before_login_offers_starttls_and_refuses_login() {
        assert_eq!(
            line(ConnectionState::NotAuthenticated, true, false),
            "IMAP4rev1 IMAP4 SASL-IR LOGIN-REFERRALS STARTTLS LOGINDISABLED ID ENABLE LITERAL+ IDLE"
        );
    }

    #[test]
    fn mechanisms_stand_only_where_a_password_may_be_sent() {
        let line = line(ConnectionState::NotAuthenticated, false, true);
        assert!(line.contains("AUTH=PLAIN AUTH=LOGIN"));
        assert!(!line.contains("LOGINDISABLED") && !line.contains("STARTTLS"));
    }

    #[test]
    fn after_login_the_line_has_all_extensions_and_no_mechanisms() {
        let line = line(ConnectionState::Selected, true, true);
        assert!(line.contains(" APPENDLIMIT=1000 ") && line.ends_with(" CONDSTORE"));
        assert!(!line.contains("AUTH=") && !line.contains("STARTTLS"));
    }

    #[test]
    fn what_can_be_enabled_is_known_in_any_case() {
        assert!(enableable("condstore").is_some());
        assert!(enableable("Extensions").is_some());
        assert!(enableable("MOVE").is_none());
    }
}
