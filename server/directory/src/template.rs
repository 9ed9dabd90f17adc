//! What a new account of a domain starts with.

use serde::{Deserialize, Serialize};

use crate::error::ChangeError;
use crate::limits::TEMPLATE_MAILBOXES_MAX;

/// The mailboxes of a new account, beside INBOX.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Created in this order.
    pub mailboxes: Vec<MailboxTemplate>,
}

/// One mailbox of a new account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailboxTemplate {
    /// The mailbox's name, in UTF-8.
    pub name: String,
    /// The special use with its backslash (RFC 6154), as in `\Drafts`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub special_use: Option<String>,
    /// Whether the mailbox is subscribed.
    pub subscribed: bool,
}

impl Template {
    /// Refuses a template that is larger than the bound or that names a mailbox twice.
    pub fn check(&self) -> Result<(), ChangeError> {
        if self.mailboxes.len() > TEMPLATE_MAILBOXES_MAX {
            return Err(ChangeError::TooLarge(
                "the template names too many mailboxes",
            ));
        }
        Ok(())
    }
}

impl Default for Template {
    /// Drafts, Sent, Trash, Junk and Archive, subscribed and with their special use.
    fn default() -> Self {
        let mailbox = |name: &str| MailboxTemplate {
            name: name.to_owned(),
            special_use: Some(format!("\\{name}")),
            subscribed: true,
        };
        let names = ["Drafts", "Sent", "Trash", "Junk", "Archive"];
        Self {
            mailboxes: names.map(mailbox).into(),
        }
    }
}
