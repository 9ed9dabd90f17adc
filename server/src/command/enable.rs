//! ENABLE (RFC 5161).

use imap_proto::capability::enableable;
use imap_proto::command::Enable;
use imap_proto::response::capability::enabled;

use crate::runtime::Runtime;
use crate::session::{Completion, Execution, Session};

/// Enables what is known; what is not is passed over (RFC 5161 3.1).
pub fn execute<R: Runtime>(command: &Enable, session: &mut Session<R>) -> Execution {
    let mut names: Vec<&str> = Vec::new();
    for capability in command
        .capabilities
        .iter()
        .filter_map(|name| enableable(name))
    {
        let is_new = match capability.name {
            CONDSTORE => {
                let is_new = !session.condstore;
                session.enable_condstore();
                is_new
            }
            EXTENSIONS => !std::mem::replace(&mut session.extensions, true),
            _ => false,
        };
        if is_new {
            names.push(capability.name);
        }
    }
    enabled(&mut session.wire.out, names);
    Ok(Completion::ok())
}

const CONDSTORE: &str = "CONDSTORE";
const EXTENSIONS: &str = "EXTENSIONS";
