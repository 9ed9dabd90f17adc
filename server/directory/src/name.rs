//! Names of accounts: `user`, `user@domain`, `user%domain`, in any case.

use std::fmt;
use std::sync::Arc;

use crate::error::NameError;
use crate::limits::{DOMAIN_BYTES_MAX, LOCAL_BYTES_MAX};

/// The canonical name of an account, `local@domain` in lower case. A value that exists is valid.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountName {
    text: Arc<str>,
    /// Where the `@` stands: `local_bytes < text.len()`.
    local_bytes: usize,
}

impl AccountName {
    /// Reads a name as a client or an administrator writes it. A name without a domain belongs to
    /// `default_domain`, which is canonical already.
    pub fn parse(text: &str, default_domain: &str) -> Result<Self, NameError> {
        // An `@` decides; only without one does the `%` of old clients stand for it.
        let (local, domain) = text
            .rsplit_once('@')
            .or_else(|| text.rsplit_once('%'))
            .unwrap_or((text, default_domain));
        // The lengths are checked first, so that folding costs a bounded amount of work.
        if local.len() > LOCAL_BYTES_MAX {
            return Err(NameError::Local);
        }
        let domain = canonical_domain(domain)?;
        let local = local.to_lowercase();
        if local.is_empty() || local.len() > LOCAL_BYTES_MAX || !local.chars().all(is_local) {
            return Err(NameError::Local);
        }
        Ok(Self {
            local_bytes: local.len(),
            text: format!("{local}@{domain}").into(),
        })
    }

    /// The name, if a new account may have it. What is more than this can be read, so that accounts
    /// of older directories keep their names; but `~`, `*` or `#` in a name would mean something
    /// else in mailbox names, patterns and lists of rights.
    pub(crate) fn for_new(self) -> Result<Self, NameError> {
        let local = self.local();
        let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        if local.starts_with('.') || local.ends_with('.') || !local.chars().all(is_plain) {
            return Err(NameError::New);
        }
        Ok(self)
    }

    /// The whole name, `local@domain`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The same local part in another domain, which is canonical already; `None` where that would
    /// be too long to be one.
    pub(crate) fn in_domain(&self, domain: &str) -> Option<Self> {
        Self::parse(&format!("{}@{domain}", self.local()), domain).ok()
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        self.text.split_at(self.local_bytes).0
    }

    /// The part after the `@`.
    pub fn domain(&self) -> &str {
        self.text.split_at(self.local_bytes + 1).1
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl serde::Serialize for AccountName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

/// A domain in lower case, without the root's dot.
pub(crate) fn canonical_domain(text: &str) -> Result<String, NameError> {
    let text = text.strip_suffix('.').unwrap_or(text);
    if text.is_empty() || text.len() > DOMAIN_BYTES_MAX {
        return Err(NameError::Domain);
    }
    let domain = text.to_lowercase();
    let labels_are_filled = domain.split('.').all(|label| !label.is_empty());
    if domain.len() > DOMAIN_BYTES_MAX || !labels_are_filled || !domain.chars().all(is_domain) {
        return Err(NameError::Domain);
    }
    Ok(domain)
}

/// RFC 5321's atoms, the dot, and letters beyond ASCII (RFC 6531). No `%`, which would be
/// ambiguous, and no `/`, `:` or `"`, which mean something in mailbox names, import files and
/// quoted strings.
fn is_local(c: char) -> bool {
    c.is_alphanumeric() || "!#$&'*+-=?^_`{|}~.".contains(c)
}

fn is_domain(c: char) -> bool {
    // Address literals such as [192.0.2.1] are no domains of ours.
    c.is_alphanumeric() || c == '-' || c == '.' || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, NameError>) {
        let name = AccountName::parse(text, "example.org");
        assert_eq!(
            name.as_ref().map(AccountName::as_str).map_err(|e| *e),
            expected,
            "{text:?}"
        );
    }

    #[test]
    fn names_become_canonical() {
        check("Anna", Ok("anna@example.org"));
        check("anna@Example.COM", Ok("anna@example.com"));
        check("anna%example.com.", Ok("anna@example.com"));
        check("a.b+c@x", Ok("a.b+c@x"));
        check("M\u{dc}LLER", Ok("m\u{fc}ller@example.org"));
    }

    #[test]
    fn what_is_no_name_is_refused() {
        check("", Err(NameError::Local));
        check("@x", Err(NameError::Local));
        check("a b@x", Err(NameError::Local));
        check("a%b@x", Err(NameError::Local));
        check("a@b@x", Err(NameError::Local));
        check("a/../b@x", Err(NameError::Local));
        check("a\0@x", Err(NameError::Local));
        check("a@", Err(NameError::Domain));
        check("a@x..y", Err(NameError::Domain));
        check("a@[192.0.2.1]", Err(NameError::Domain));
        check(&format!("{}@x", "a".repeat(129)), Err(NameError::Local));
        check(&format!("a@{}", "x".repeat(256)), Err(NameError::Domain));
    }

    #[test]
    fn new_accounts_have_plain_names() {
        for (text, may_be) in [
            ("anna", true),
            ("A.b-c_9", true),
            ("m\u{fc}ller", true),
            (".anna", false),
            ("anna.", false),
            ("~anna", false),
            ("an*na", false),
            ("#anna", false),
            ("anna+tag", false),
        ] {
            let name = AccountName::parse(text, "example.org").unwrap();
            assert_eq!(name.for_new().is_ok(), may_be, "{text}");
        }
    }

    #[test]
    fn a_name_knows_its_parts() {
        let name = AccountName::parse("a@x.y", "d").unwrap();
        assert_eq!((name.local(), name.domain()), ("a", "x.y"));
    }
}
