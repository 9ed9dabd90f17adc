//! What a new account of a domain starts with.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::error::ChangeError;
use crate::limits::{CLASS_BYTES_MAX, TEMPLATE_MAILBOXES_MAX};

/// RFC 6154 2, without `\All` and `\Flagged`: those are views of other mailboxes.
const SPECIAL_USES: [&str; 5] = ["\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash"];

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
    /// What it is for, as `IPF.Contact`; mail if it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class: Option<String>,
    /// Whether the mailbox is subscribed.
    pub subscribed: bool,
}

impl Template {
    /// Refuses what could not be made for an account: too many mailboxes, INBOX (which is there
    /// anyway), a name twice, an empty one or one with control characters, an unknown special use.
    pub fn check(&self) -> Result<(), ChangeError> {
        if self.mailboxes.len() > TEMPLATE_MAILBOXES_MAX {
            return Err(ChangeError::TooLarge(
                "the template names too many mailboxes",
            ));
        }
        let mut names = BTreeSet::new();
        for mailbox in &self.mailboxes {
            let name = mailbox.name.as_str();
            let is_path = name.split('/').all(|level| !level.is_empty());
            let is_name = is_path && !name.eq_ignore_ascii_case("INBOX");
            if !is_name || name.chars().any(char::is_control) || !names.insert(name) {
                return Err(ChangeError::Template(
                    "a mailbox name cannot be used or comes twice",
                ));
            }
            let is_word = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
            let class = mailbox.class.as_deref().unwrap_or_default();
            if class.len() > CLASS_BYTES_MAX || !class.bytes().all(is_word) {
                return Err(ChangeError::Template("a class is a word as IPF.Contact"));
            }
            let special_use = mailbox.special_use.as_deref();
            if special_use.is_some_and(|special_use| !SPECIAL_USES.contains(&special_use)) {
                return Err(ChangeError::Template(
                    "a special use is one of \\Archive, \\Drafts, \\Junk, \\Sent, \\Trash",
                ));
            }
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
            class: None,
            subscribed: true,
        };
        let names = ["Drafts", "Sent", "Trash", "Junk", "Archive"];
        Self {
            mailboxes: names.map(mailbox).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, special_use: Option<&str>, is_fine: bool) {
        let mailbox = MailboxTemplate {
            name: name.to_owned(),
            special_use: special_use.map(str::to_owned),
            class: None,
            subscribed: true,
        };
        let template = Template {
            mailboxes: vec![mailbox],
        };
        assert_eq!(template.check().is_ok(), is_fine, "{name} {special_use:?}");
    }

    #[test]
    fn only_what_can_be_made_is_taken() {
        check("Sent", Some("\\Sent"), true);
        check("Work/Old", None, true);
        check("Work//Old", None, false);
        check("inbox", None, false);
        check("", None, false);
        check("a\nb", None, false);
        check("Everything", Some("\\All"), false);
        let mut twice = Template::default();
        twice.mailboxes.extend(Template::default().mailboxes);
        assert!(twice.check().is_err());
        assert_eq!(Template::default().check(), Ok(()));
    }
}
