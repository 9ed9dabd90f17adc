//! Execution of commands, one file per verb. Grammar is in imap-proto; what may run when is in
//! its table; this only executes.

use std::future::{Future, ready};
use std::pin::Pin;

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
pub mod unselect;
pub mod unsubscribe;

/// A command under way. Boxed one by one, so that a session which waits (for the next command, or
/// in IDLE) does not keep room for the largest of them.
pub type Execute<'s> = Pin<Box<dyn Future<Output = Execution> + 's>>;

/// Executes one command; untagged answers go to the session's wire.
pub fn execute<R: Runtime>(command: Command, session: &mut Session<R>) -> Execute<'_> {
    match command {
        Command::Capability => Box::pin(ready(capability::execute(session))),
        Command::Noop => Box::pin(noop::execute(session)),
        Command::Logout => Box::pin(ready(logout::execute(session))),
        Command::StartTls => Box::pin(ready(starttls::execute(session))),
        Command::Authenticate(command) => Box::pin(authenticate::execute(command, session)),
        Command::Login(command) => Box::pin(login::execute(command, session)),
        Command::Enable(command) => Box::pin(ready(enable::execute(&command, session))),
        Command::Id(_) => Box::pin(ready(id::execute(session))),
        Command::Select(command) => Box::pin(select::execute(command, session)),
        Command::Create(command) => Box::pin(create::execute(command, session)),
        Command::Delete(mailbox) => Box::pin(delete::execute(mailbox, session)),
        Command::Rename(command) => Box::pin(rename::execute(command, session)),
        Command::Subscribe(mailbox) => Box::pin(subscribe::execute(mailbox, session)),
        Command::Unsubscribe(mailbox) => Box::pin(unsubscribe::execute(mailbox, session)),
        Command::List(command) => Box::pin(list::execute(command, session)),
        Command::Lsub(command) => Box::pin(lsub::execute(command, session)),
        Command::Namespace => Box::pin(ready(namespace::execute(session))),
        Command::Status(command) => Box::pin(status::execute(command, session)),
        Command::SetAcl(command) => Box::pin(setacl::execute(command, session)),
        Command::DeleteAcl(command) => Box::pin(deleteacl::execute(command, session)),
        Command::GetAcl(mailbox) => Box::pin(getacl::execute(mailbox, session)),
        Command::ListRights(command) => Box::pin(listrights::execute(command, session)),
        Command::MyRights(mailbox) => Box::pin(myrights::execute(mailbox, session)),
        Command::GetQuota(root) => Box::pin(getquota::execute(root, session)),
        Command::GetQuotaRoot(mailbox) => Box::pin(getquotaroot::execute(mailbox, session)),
        Command::SetQuota(command) => Box::pin(setquota::execute(command, session)),
        Command::Append(command) => Box::pin(ready(append::without_message(&command))),
        Command::Check => Box::pin(check::execute(session)),
        Command::Close => Box::pin(close::execute(session)),
        Command::Unselect => Box::pin(ready(unselect::execute(session))),
        Command::Expunge(command) => Box::pin(expunge::execute(command, session)),
        Command::Search(command) => Box::pin(search::execute(command, session)),
        Command::Fetch(command) => Box::pin(fetch::execute(command, session)),
        Command::Store(command) => Box::pin(store::execute(command, session)),
        Command::Copy(command) => Box::pin(copy::execute(command, session)),
        Command::Move(command) => Box::pin(r#move::execute(command, session)),
        Command::Idle => Box::pin(idle::execute(session)),
    }
}
