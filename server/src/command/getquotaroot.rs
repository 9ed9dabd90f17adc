//! GETQUOTAROOT (RFC 9208 4.1.2): every mailbox of an account has the account's one root.

use imap_proto::grammar::MailboxName;
use imap_proto::response::quota::quota_root;
use mail_directory::AccountName;

use super::getquota::{Found, find, tell, unavailable};
use crate::runtime::Runtime;
use crate::session::foreign::ForeignName;
use crate::session::{Completion, Execution, Gone, Session};

/// Tells the root of a mailbox, which need not exist. That of a mailbox of somebody else is told to
/// who manages that account; others hear that it has none, whether there is such an account or not.
pub async fn execute<R: Runtime>(mailbox: MailboxName, session: &mut Session<R>) -> Execution {
    let found = match owner(mailbox.as_str(), session)? {
        Some(owner) => find(&owner, session).await,
        None => Found::Nothing,
    };
    match found {
        Found::Account(account) => {
            let root = account.name.as_str();
            quota_root(&mut session.wire.out, mailbox.as_str(), Some(root));
            tell(&account, session).await
        }
        Found::Nothing => {
            quota_root(&mut session.wire.out, mailbox.as_str(), None);
            Ok(Completion::ok())
        }
        Found::Unavailable => Ok(unavailable()),
    }
}

/// Whose mailbox a name is: `~account/...`, or one of the account that has logged in.
fn owner<R: Runtime>(mailbox: &str, session: &Session<R>) -> Result<Option<AccountName>, Gone> {
    let login = session.login().ok_or(Gone::Closed)?;
    let foreign = ForeignName::parse(mailbox);
    let account = foreign.map_or(login.name.as_str(), |foreign| foreign.account);
    Ok(AccountName::parse(account, login.domain()).ok())
}
