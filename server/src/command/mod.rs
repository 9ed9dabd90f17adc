//! Execution of commands, one file per verb. Grammar is in imap-proto; what may run when is in
//! its table; this only executes.

use imap_proto::command::Command;

use crate::runtime::Runtime;
use crate::session::{Execution, Session};

pub mod append;
pub mod authenticate;
pub mod capability;
pub mod check;
pub mod close;
pub mod copy;
pub mod create;
pub mod delete;
pub mod enable;
pub mod expunge;
pub mod fetch;
pub mod id;
pub mod idle;
pub mod list;
pub mod login;
pub mod logout;
pub mod lsub;
pub mod r#move;
pub mod namespace;
pub mod noop;
pub mod rename;
pub mod search;
pub mod select;
pub mod starttls;
pub mod status;
pub mod store;
pub mod subscribe;
pub mod unselect;
pub mod unsubscribe;

/// Executes one command; untagged answers go to the session's wire.
pub async fn execute<R: Runtime>(command: Command, session: &mut Session<R>) -> Execution {
    match command {
        Command::Capability => capability::execute(session),
        Command::Noop => noop::execute(session).await,
        Command::Logout => logout::execute(session),
        Command::StartTls => starttls::execute(session),
        Command::Authenticate(authenticate) => authenticate::execute(authenticate, session).await,
        Command::Login(login) => login::execute(login, session).await,
        Command::Enable(enable) => enable::execute(&enable, session),
        Command::Id(_) => id::execute(session),
        Command::Select(select) => select::execute(select, session).await,
        Command::Create(create) => create::execute(create, session).await,
        Command::Delete(mailbox) => delete::execute(mailbox, session).await,
        Command::Rename(rename) => rename::execute(rename, session).await,
        Command::Subscribe(mailbox) => subscribe::execute(mailbox, session).await,
        Command::Unsubscribe(mailbox) => unsubscribe::execute(mailbox, session).await,
        Command::List(list) => list::execute(&list, session).await,
        Command::Lsub(lsub) => lsub::execute(&lsub, session).await,
        Command::Namespace => namespace::execute(session),
        Command::Status(status) => status::execute(status, session).await,
        Command::Append(append) => append::without_message(&append),
        Command::Check => check::execute(session).await,
        Command::Close => close::execute(session).await,
        Command::Unselect => unselect::execute(session),
        Command::Expunge(expunge) => expunge::execute(&expunge, session).await,
        Command::Search(search) => search::execute(&search, session).await,
        Command::Fetch(fetch) => fetch::execute(&fetch, session).await,
        Command::Store(store) => store::execute(&store, session).await,
        Command::Copy(copy) => copy::execute(&copy, session).await,
        Command::Move(command) => r#move::execute(&command, session).await,
        Command::Idle => idle::execute(session).await,
    }
}
