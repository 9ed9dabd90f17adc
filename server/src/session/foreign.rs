//! Mailbox names of other accounts: `~account/mailbox`, `~account@domain/mailbox`.

use mail_directory::AccountName;
use storage_engine::account::normalize_name;

use crate::command::namespace::SEPARATOR;

/// What the names of other accounts' mailboxes begin with.
pub const MARK: char = '~';

/// A name that begins with [`MARK`], taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForeignName<'n> {
    /// The account as it was written.
    pub account: &'n str,
    /// The name in that account; empty for the account's root.
    pub mailbox: &'n str,
}

impl<'n> ForeignName<'n> {
    /// Takes a name (or a pattern) apart; `None` for one of the account itself.
    pub fn parse(name: &'n str) -> Option<Self> {
        let rest = name.strip_prefix(MARK)?;
        let (account, mailbox) = rest.split_once(SEPARATOR).unwrap_or((rest, ""));
        Some(ForeignName { account, mailbox })
    }

    /// What stands before the names of that account, as it was written.
    pub fn prefix(&self) -> String {
        format!("{MARK}{}", self.account)
    }
}

/// What stands before the names of `account`, for sessions of `domain`.
pub fn prefix_of(account: &AccountName, domain: &str) -> String {
    if account.domain() == domain {
        format!("{MARK}{}", account.local())
    } else {
        format!("{MARK}{account}")
    }
}

/// The one spelling of a name that may be another account's, for sessions of `own`: so that a name
/// is subscribed once, in whatever case it was written. What names no account stays as it is.
pub fn canonical(name: &str, own: &str) -> String {
    let Some(foreign) = ForeignName::parse(name) else {
        return normalize_name(name);
    };
    let domain = domain_of(own);
    let Ok(account) = AccountName::parse(foreign.account, domain) else {
        return name.to_owned();
    };
    let mailbox = normalize_name(foreign.mailbox);
    if account.as_str() == own && !mailbox.is_empty() {
        return mailbox;
    }
    let prefix = prefix_of(&account, domain);
    if mailbox.is_empty() {
        return prefix;
    }
    format!("{prefix}{SEPARATOR}{mailbox}")
}

/// The domain of a canonical account name.
pub fn domain_of(account: &str) -> &str {
    account.rsplit_once('@').map_or("", |(_, domain)| domain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_ends_at_the_first_separator() {
        let check = |name, expected: Option<(&str, &str)>| {
            let parsed = ForeignName::parse(name);
            let parts = parsed.map(|name| (name.account, name.mailbox));
            assert_eq!(parts, expected, "{name}");
        };
        check("INBOX", None);
        check("a/~b", None);
        check("~sales/a/b", Some(("sales", "a/b")));
        check("~sales@x.org/a", Some(("sales@x.org", "a")));
        check("~sales", Some(("sales", "")));
        check("~sales/", Some(("sales", "")));
        check("~", Some(("", "")));
        check("~/a", Some(("", "a")));
    }

    #[test]
    fn a_name_has_one_canonical_spelling() {
        for (name, expected) in [
            ("inbox/a", "INBOX/a"),
            ("~Sales/inbox", "~sales/INBOX"),
            ("~sales@X.org/Inbox/a", "~sales/INBOX/a"),
            ("~sales%y.org/a", "~sales@y.org/a"),
            ("~SALES", "~sales"),
            ("~anna/a", "a"),
            ("~anna@x.org", "~anna"),
            ("~an na/a", "~an na/a"),
        ] {
            assert_eq!(canonical(name, "anna@x.org"), expected, "{name}");
        }
    }
}
