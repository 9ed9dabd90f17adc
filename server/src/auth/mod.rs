//! Logging in: the table of SASL mechanisms, and what LOGIN and AUTHENTICATE share.

use std::net::{IpAddr, Ipv4Addr};

use imap_proto::response::code::Code;
use mail_directory::{AuthError, Password};

use crate::runtime::Runtime;
use crate::session::refusal::{Missing, refused};
use crate::session::{Completion, Execution, Session};

pub mod login;
pub mod plain;

/// Characters of a client's name that the trace shows; names of accounts are rarely longer.
const TRACED_CHARS_MAX: usize = 80;

/// A mechanism; the capability table names the same ones as `AUTH=`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// PLAIN (RFC 4616)
    Plain,
    /// LOGIN, undocumented but wide-spread.
    Login,
}

impl Mechanism {
    /// The mechanism called `name`, upper case.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "PLAIN" => Some(Mechanism::Plain),
            "LOGIN" => Some(Mechanism::Login),
            _ => None,
        }
    }

    /// Begins an exchange.
    pub fn begin(self) -> Exchange {
        match self {
            Mechanism::Plain => Exchange::Plain,
            Mechanism::Login => Exchange::Login(login::State::default()),
        }
    }
}

/// An exchange under way.
pub enum Exchange {
    /// Waits for the one message of PLAIN.
    Plain,
    /// Waits for a name, then a password.
    Login(login::State),
}

/// What the exchange wants next.
pub enum Step {
    /// Send this challenge, and feed the answer in.
    Challenge(&'static [u8]),
    /// Check these.
    Credentials {
        /// The name as sent.
        user: Vec<u8>,
        /// The password.
        password: Password,
    },
    /// The client's message makes no sense.
    Malformed,
    /// The client asks to act as another account, which nobody may.
    NotAuthorized,
}

impl Exchange {
    /// The challenge that begins it when the client sent no initial response.
    pub fn first_challenge(&self) -> &'static [u8] {
        match self {
            Exchange::Plain => b"",
            Exchange::Login(_) => login::ASK_USER,
        }
    }

    /// Takes the client's message.
    pub fn step(&mut self, message: &[u8]) -> Step {
        match self {
            Exchange::Plain => plain::step(message),
            Exchange::Login(state) => state.step(message),
        }
    }
}

/// Checks the name and the password, and has the owner admit the session.
pub async fn log_in<R: Runtime>(
    session: &mut Session<R>,
    user: &[u8],
    password: Password,
) -> Execution {
    let remote = session
        .entry()
        .peer
        .ip()
        .unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let user = session.login_name(user);
    let directory = session.shard.directory().clone();
    let delay = directory.login_delay(&user, remote);
    if !delay.is_zero() {
        session.shard.runtime().sleep(delay).await;
    }
    // A password that was right a moment ago is not hashed again.
    let account = match directory.try_cached(&user, &password, remote) {
        Some(account) => Ok(account),
        None => directory.authenticate(&user, password, remote).await,
    };
    let counters = session.shard.counters();
    match account {
        Ok(account) if !account.settings.services.imap => {
            Ok(Completion::no("service is not enabled for this account"))
        }
        Ok(account) => {
            counters.logins.add(1);
            if let Err(refusal) = session.log_in(&account).await {
                return refused(&refusal, Missing::Subject);
            }
            Ok(Completion::ok_with(Code::Capability(
                session.capability_words(),
            )))
        }
        Err(error) => {
            counters.login_failures.add(1);
            let user = for_trace(&user);
            tracing::info!(user, peer = %session.entry().peer, %error, "login failed");
            session.login_failed()?;
            Ok(failure(error))
        }
    }
}

/// What a client calls itself, for one line of the trace: a literal may have line ends, with which
/// it could forge lines of its own, and may be long.
fn for_trace(user: &str) -> String {
    let start = user.chars().take(TRACED_CHARS_MAX);
    start.flat_map(char::escape_debug).collect()
}

fn failure(error: AuthError) -> Completion {
    match error {
        AuthError::BadCredentials | AuthError::Throttled => {
            // One text for all, so that nobody learns which accounts exist.
            let text = "Incorrect account name or password";
            Completion::no_with(Code::AuthenticationFailed, text)
        }
        // RFC 2221 4.1; the text is one that clients may know.
        AuthError::Moved(address) => {
            let code = Code::Referral {
                user: address.local().to_owned(),
                host: address.domain().to_owned(),
            };
            Completion::no_with(code, "account has been moved to a remote system")
        }
        AuthError::Disabled => Completion::no_with(Code::ContactAdmin, "Account is closed"),
        AuthError::Busy | AuthError::Unavailable => Completion::no_with(
            Code::Unavailable,
            "Logging in is not possible at the moment",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use imap_proto::capability::{self, Context};
    use imap_proto::connection_state::ConnectionState;

    #[test]
    fn a_client_cannot_forge_lines_of_the_trace() {
        let user = format!(
            "a\n2026-01-01 INFO \u{1b}[31mlogin of root{}",
            "x".repeat(9_000)
        );
        let traced = for_trace(&user);
        assert!(
            traced.starts_with("a\\n2026-01-01 INFO \\u{1b}[31mlogin"),
            "{traced}"
        );
        assert!(traced.len() < 100 && !traced.contains(char::is_control));
    }

    /// The sample of row D8, byte for byte.
    #[test]
    fn who_has_moved_is_referred() {
        let address = mail_directory::ExternalAddress::parse("John@othercompany.com", "x");
        let mut out = Vec::new();
        failure(AuthError::Moved(address.unwrap())).encode(b"1234", &mut out);
        let expected = "1234 NO [REFERRAL IMAP://John;AUTH=*@othercompany.com/] \
                        account has been moved to a remote system\r\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn every_mechanism_that_is_advertised_can_be_begun() {
        let words = capability::words(&Context {
            state: ConnectionState::NotAuthenticated,
            start_tls: false,
            login_allowed: true,
            administrator: false,
            append_bytes_max: 1,
        });
        let words = String::from_utf8(words).unwrap();
        let names: Vec<&str> = words
            .split(' ')
            .filter_map(|word| word.strip_prefix("AUTH="))
            .collect();
        assert_eq!(names, ["PLAIN", "LOGIN"]);
        for name in names {
            let mut exchange = Mechanism::from_name(name).unwrap().begin();
            assert!(exchange.first_challenge().is_ascii());
            assert!(matches!(exchange.step(b""), Step::Malformed), "{name}");
        }
        assert_eq!(Mechanism::from_name("NTLM"), None);
    }
}
