//! AUTHENTICATE (RFC 3501 6.2.2) with an initial response (RFC 4959).

use imap_proto::command::Authenticate;
use imap_proto::command::authenticate::SaslLine;
use imap_proto::response::code::Code;
use imap_proto::response::status::challenge;

use crate::auth::{self, Mechanism, Step};
use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Gone, Incoming, Session};

/// Runs the exchange; every challenge waits for one line.
pub async fn execute<R: Runtime>(command: Authenticate, session: &mut Session<R>) -> Execution {
    let Some(mechanism) = Mechanism::from_name(&command.mechanism) else {
        return Ok(Completion::no("Mechanism is not known"));
    };
    if !session.plaintext_allowed() {
        let text = "Use TLS before a password";
        return Ok(Completion::no_with(Code::PrivacyRequired, text));
    }
    let mut exchange = mechanism.begin();
    let mut message = match command.initial_response {
        Some(message) => message,
        None => match ask(session, exchange.first_challenge()).await? {
            Ok(message) => message,
            Err(completion) => return Ok(completion),
        },
    };
    loop {
        match exchange.step(&message) {
            Step::Challenge(text) => match ask(session, text).await? {
                Ok(answer) => message = answer,
                Err(completion) => return Ok(completion),
            },
            Step::Credentials { user, password } => {
                return auth::log_in(session, &user, password).await;
            }
            Step::Malformed => return Ok(Completion::bad("Response makes no sense")),
            Step::NotAuthorized => {
                let text = "Acting as another account is not allowed";
                return Ok(Completion::no_with(Code::AuthorizationFailed, text));
            }
        }
    }
}

/// Sends a challenge and waits for the line that answers it.
async fn ask<R: Runtime>(
    session: &mut Session<R>,
    text: &[u8],
) -> Result<Result<Vec<u8>, Completion>, Gone> {
    challenge(&mut session.wire.out, text);
    session.wire.fragmenter().expect_line();
    match session.wire.next().await? {
        Incoming::Line(line) => Ok(match SaslLine::parse(&line) {
            Ok(SaslLine::Response(message)) => Ok(message),
            Ok(SaslLine::Cancel) => Err(Completion::bad("Cancelled")),
            Err(_) => Err(Completion::bad("Response is not base64")),
        }),
        Incoming::Rejected(_) => Ok(Err(Completion::bad("Response is too long"))),
        Incoming::Request(_)
        | Incoming::AppendLiteral(..)
        | Incoming::AppendEnd(_)
        | Incoming::Fatal(_) => Err(Gone::Bye("Out of step")),
    }
}
