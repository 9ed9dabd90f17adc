//! LOGIN (RFC 3501 6.2.3).

use imap_proto::command::Login;
use imap_proto::response::code::Code;
use mail_directory::Password;

use crate::auth;
use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Checks the password and lets the owner of the account admit the session.
pub async fn execute<R: Runtime>(command: Login, session: &mut Session<R>) -> Execution {
    if !session.plaintext_allowed() {
        let text = "Use TLS before a password";
        return Ok(Completion::no_with(Code::PrivacyRequired, text));
    }
    let password = Password::new(command.password);
    auth::log_in(session, &command.user, password).await
}
