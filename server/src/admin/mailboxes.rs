//! What an administrator asks about the mailboxes of an account.

use mail_directory::DirectoryHandle;
use serde::{Deserialize, Serialize};
use storage_engine::request::{Holds, Limit, MailboxStatus, NewMailbox, Operation, Reply};

use super::accounts::Failure;
use super::engine::Engine;
use super::limits::MAILBOXES_OF_PAGE_MAX;
use super::requests::AdminReply;
use super::rights::{self, RightsLine};

/// What to do with an account's mailboxes. Names are UTF-8 with `/` between levels.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum MailboxAction {
    /// A page of mailboxes.
    List {
        /// Only what follows this one in the order of the listing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// One mailbox.
    Info {
        /// Its name.
        mailbox: String,
    },
    /// Make a mailbox; with `/` at its end a name for others below it and nothing else.
    Create {
        /// Its name.
        mailbox: String,
        /// What it is for; empty is mail.
        #[serde(default)]
        class: String,
    },
    /// Rename one and all below it.
    Rename {
        /// Its name.
        from: String,
        /// Its new name.
        to: String,
    },
    /// Delete one with its messages.
    Delete {
        /// Its name.
        mailbox: String,
    },
    /// Set what one is for.
    SetClass {
        /// Its name.
        mailbox: String,
        /// Empty is mail.
        class: String,
    },
    /// Change who may do what with one, and tell it.
    Rights {
        /// Its name.
        mailbox: String,
        /// The entries that change; all others stay.
        #[serde(default)]
        changes: Vec<RightsLine>,
    },
}

/// One mailbox in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailboxLine {
    /// Its name.
    pub name: String,
    /// What it is for; empty is mail.
    pub class: String,
    /// Whether it can hold messages.
    pub selectable: bool,
    /// Messages in it.
    pub messages: u32,
    /// Those without `\Seen`.
    pub unseen: u32,
    /// Their octets.
    pub bytes: u64,
    /// UIDVALIDITY.
    pub uid_validity: u32,
    /// UIDNEXT.
    pub uid_next: u32,
}

/// Carries out one action. An administrator is not bound by the limits of the account.
pub(super) async fn execute(
    directory: &DirectoryHandle,
    engine: &mut Engine,
    account: &str,
    action: MailboxAction,
) -> Result<AdminReply, Failure> {
    let Some(account) = directory.lookup(account).await? else {
        return Err(Failure::Engine(format!("{account}: no such account")));
    };
    let limit = Limit::default();
    let mut after = None;
    let operation = match action {
        MailboxAction::List { after: given } => {
            after = given;
            Operation::Describe
        }
        MailboxAction::Info { mailbox } => Operation::Status { name: mailbox },
        MailboxAction::Create { mailbox, class } => {
            let (name, holds) = match mailbox.strip_suffix('/') {
                Some(name) => (name.to_owned(), Holds::Names),
                None => (mailbox, Holds::Messages),
            };
            let mailbox = NewMailbox {
                name,
                holds,
                class,
                ..NewMailbox::default()
            };
            Operation::CreateMailbox { mailbox, limit }
        }
        MailboxAction::Rename { from, to } => Operation::RenameMailbox { from, to, limit },
        MailboxAction::Delete { mailbox } => Operation::DeleteMailbox { name: mailbox },
        MailboxAction::Rights { mailbox, changes } => {
            return rights::execute(directory, engine, &account, mailbox, changes).await;
        }
        MailboxAction::SetClass { mailbox, class } => Operation::SetClass {
            name: mailbox,
            class,
        },
    };
    Ok(match engine.operation(account.id, operation).await? {
        Reply::Account(account) => AdminReply::Mailboxes {
            mailboxes: page(&account.mailboxes, after.as_deref()),
        },
        Reply::Status(mailbox) => AdminReply::Mailboxes {
            mailboxes: vec![line(&mailbox)],
        },
        _ => AdminReply::Done,
    })
}

/// In the order of the names. What came or went between two pages is told or not; nothing that
/// stayed is left out.
fn page(mailboxes: &[MailboxStatus], after: Option<&str>) -> Vec<MailboxLine> {
    let mut rest: Vec<&MailboxStatus> = mailboxes
        .iter()
        .filter(|mailbox| after.is_none_or(|after| mailbox.name.as_str() > after))
        .collect();
    rest.sort_by_key(|mailbox| &mailbox.name);
    let page = rest.into_iter().take(MAILBOXES_OF_PAGE_MAX);
    page.map(line).collect()
}

fn line(mailbox: &MailboxStatus) -> MailboxLine {
    MailboxLine {
        name: mailbox.name.clone(),
        class: mailbox.class.clone(),
        selectable: !mailbox.noselect,
        messages: mailbox.messages,
        unseen: mailbox.unseen,
        bytes: mailbox.bytes,
        uid_validity: mailbox.uid_validity.0,
        uid_next: mailbox.uid_next.0,
    }
}
