//! Settings of domains and accounts: one table of keys, and what they mean together.
//!
//! An account's own value goes before its domain's, and that before the default. Values are kept
//! as the administrator wrote them, so that a new kind of value needs no new column.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::error::ChangeError;
use crate::limits::SETTING_BYTES_MAX;

/// What holds for an account, or for a domain where no account is known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Whether LIST shows mailboxes that hold other things than mail (contacts, calendars).
    pub sees_non_mail: bool,
    /// Whether the account may have more mailboxes than INBOX.
    pub kind: AccountKind,
    /// Most mailboxes of the account, INBOX included; `None` is the server's own bound.
    pub mailboxes_max: Option<u32>,
    /// Percent of a quota at which its owner is warned; `None` is never.
    pub quota_alert_percent: Option<u8>,
    /// What the account may be used for.
    pub services: Services,
    /// What else than its own mail the account may manage.
    pub administrator: Administrator,
    /// Names of the SASL mechanisms that may be used, upper case; `None` is all that the server
    /// offers by default.
    pub methods: Option<Arc<[String]>>,
    /// Whether a password may cross a connection in the clear, by LOGIN without TLS.
    pub clear_text: bool,
    /// Whether the account refuses every clear-text password without TLS, whatever its domain says.
    pub secure_method: bool,
}

/// How many mailboxes an account is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// Any number.
    Multi,
    /// INBOX alone.
    Single,
}

/// What an account may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Services {
    /// Logging in by IMAP.
    pub imap: bool,
    /// Receiving mail by LMTP.
    pub lmtp: bool,
}

/// What an account may manage beside its own mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Administrator {
    /// Nothing.
    No,
    /// The accounts of its domain.
    Domain,
    /// All accounts.
    Server,
}

/// Who may have a value for a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Accounts, and domains for all accounts that have none.
    Both,
    /// Accounts alone: a right that nobody gets by belonging to a domain.
    Account,
    /// Domains alone: it matters before an account is known.
    Domain,
}

/// A row of the table.
pub struct Row {
    /// As it is written on the command line.
    pub key: &'static str,
    /// Who may have it.
    pub scope: Scope,
    /// What values there are, for the administrator who wrote another one.
    pub expects: &'static str,
    take: fn(&mut Settings, &str) -> Option<()>,
    show: fn(&Settings) -> String,
}

/// Every setting, in the order in which they are shown.
pub static TABLE: [Row; 9] = [
    Row {
        key: "sees-non-mail",
        scope: Scope::Both,
        expects: "yes or no",
        take: |settings, text| yes_or_no(text).map(|is| settings.sees_non_mail = is),
        show: |settings| yes_or_no_text(settings.sees_non_mail),
    },
    Row {
        key: "kind",
        scope: Scope::Both,
        expects: "multi or single",
        take: |settings, text| {
            settings.kind = match text {
                "multi" => AccountKind::Multi,
                "single" => AccountKind::Single,
                _ => return None,
            };
            Some(())
        },
        show: |settings| match settings.kind {
            AccountKind::Multi => "multi".to_owned(),
            AccountKind::Single => "single".to_owned(),
        },
    },
    Row {
        key: "mailboxes-max",
        scope: Scope::Both,
        expects: "a number, or none",
        take: |settings, text| none_or(text).map(|max| settings.mailboxes_max = max),
        show: |settings| none_or_text(settings.mailboxes_max),
    },
    Row {
        key: "quota-alert",
        scope: Scope::Both,
        expects: "percent from 1 to 100, or none",
        take: |settings, text| {
            let percent = none_or(text)?;
            let is_percent = percent.is_none_or(|percent| (1..=100).contains(&percent));
            is_percent.then(|| settings.quota_alert_percent = percent)
        },
        show: |settings| none_or_text(settings.quota_alert_percent),
    },
    Row {
        key: "services",
        scope: Scope::Both,
        expects: "imap, lmtp, both with a comma between them, or none",
        take: |settings, text| {
            let mut services = Services::NONE;
            for service in list(text) {
                match service {
                    "imap" => services.imap = true,
                    "lmtp" => services.lmtp = true,
                    _ => return None,
                }
            }
            settings.services = services;
            Some(())
        },
        show: |settings| {
            let Services { imap, lmtp } = settings.services;
            let named = [(imap, "imap"), (lmtp, "lmtp")];
            let named = named.iter().filter(|(is, _)| *is);
            list_text(named.map(|(_, name)| (*name).to_owned()).collect())
        },
    },
    Row {
        key: "administrator",
        scope: Scope::Account,
        expects: "no, domain or server",
        take: |settings, text| {
            settings.administrator = match text {
                "no" => Administrator::No,
                "domain" => Administrator::Domain,
                "server" => Administrator::Server,
                _ => return None,
            };
            Some(())
        },
        show: |settings| match settings.administrator {
            Administrator::No => "no".to_owned(),
            Administrator::Domain => "domain".to_owned(),
            Administrator::Server => "server".to_owned(),
        },
    },
    Row {
        key: "methods",
        scope: Scope::Domain,
        expects: "names of SASL mechanisms with commas between them, none, or default",
        take: |settings, text| {
            settings.methods = match text {
                "default" => None,
                text => Some(list(text).map(str::to_ascii_uppercase).collect()),
            };
            Some(())
        },
        show: |settings| match &settings.methods {
            None => "default".to_owned(),
            Some(methods) => list_text(methods.to_vec()),
        },
    },
    Row {
        key: "clear-text",
        scope: Scope::Domain,
        expects: "yes or no",
        take: |settings, text| yes_or_no(text).map(|is| settings.clear_text = is),
        show: |settings| yes_or_no_text(settings.clear_text),
    },
    Row {
        key: "secure-method",
        scope: Scope::Both,
        expects: "yes or no",
        take: |settings, text| yes_or_no(text).map(|is| settings.secure_method = is),
        show: |settings| yes_or_no_text(settings.secure_method),
    },
];

/// Values as they were written, by key. What is not in [`TABLE`] (a newer program wrote it) is
/// kept and means nothing.
pub type Written = BTreeMap<String, String>;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// It is the account's own.
    Account,
    /// Its domain has it.
    Domain,
    /// Nobody has set it.
    Default,
}

impl Services {
    const NONE: Self = Services {
        imap: false,
        lmtp: false,
    };
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            sees_non_mail: false,
            kind: AccountKind::Multi,
            mailboxes_max: None,
            quota_alert_percent: Some(80),
            services: Services {
                imap: true,
                lmtp: true,
            },
            administrator: Administrator::No,
            methods: None,
            clear_text: true,
            secure_method: false,
        }
    }
}

impl Settings {
    /// What holds together: the account's values over the domain's over the defaults. A stored
    /// value that this program cannot read is as if it were not there.
    pub fn of(domain: &Written, account: &Written) -> Self {
        let mut settings = Settings::default();
        for row in &TABLE {
            for (written, allowed) in [
                (domain, row.scope != Scope::Account),
                (account, row.scope != Scope::Domain),
            ] {
                if let Some(text) = written.get(row.key).filter(|_| allowed)
                    && (row.take)(&mut settings, text).is_none()
                {
                    tracing::warn!(key = row.key, text, "a stored setting cannot be read");
                }
            }
        }
        settings
    }

    /// Every setting with its value.
    pub fn lines(&self) -> impl Iterator<Item = (&'static Row, String)> {
        TABLE.iter().map(|row| (row, (row.show)(self)))
    }
}

/// Where each key of [`TABLE`] has its value from.
pub fn origin(row: &Row, domain: &Written, account: &Written) -> Origin {
    if row.scope != Scope::Domain && account.contains_key(row.key) {
        Origin::Account
    } else if row.scope != Scope::Account && domain.contains_key(row.key) {
        Origin::Domain
    } else {
        Origin::Default
    }
}

/// Takes `key=value` changes into what is written; an empty value takes the key out.
pub fn change(
    written: &mut Written,
    changes: &[(String, String)],
    refused: Scope,
) -> Result<(), ChangeError> {
    for (key, text) in changes {
        let known = TABLE.iter().find(|row| row.key == key.as_str());
        let row = known.ok_or_else(|| ChangeError::Setting(unknown(key)))?;
        if row.scope == refused {
            let whose = match refused {
                Scope::Account => "accounts have it, domains do not",
                Scope::Domain | Scope::Both => "domains have it, accounts do not",
            };
            return Err(ChangeError::Setting(format!("{key}: {whose}")));
        }
        if text.is_empty() {
            written.remove(key);
            continue;
        }
        let fits = text.len() <= SETTING_BYTES_MAX;
        if !fits || (row.take)(&mut Settings::default(), text).is_none() {
            let expects = row.expects;
            return Err(ChangeError::Setting(format!("{key}: expected {expects}")));
        }
        written.insert(key.clone(), text.clone());
    }
    Ok(())
}

fn unknown(key: &str) -> String {
    let keys: Vec<&str> = TABLE.iter().map(|row| row.key).collect();
    let key: String = key.chars().take(40).flat_map(char::escape_debug).collect();
    format!("{key}: no such setting; there are {}", keys.join(", "))
}

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn yes_or_no_text(is: bool) -> String {
    if is { "yes" } else { "no" }.to_owned()
}

fn none_or<N: std::str::FromStr>(text: &str) -> Option<Option<N>> {
    match text {
        "none" => Some(None),
        number => number.parse().ok().map(Some),
    }
}

fn none_or_text<N: ToString>(number: Option<N>) -> String {
    number.map_or_else(|| "none".to_owned(), |number| number.to_string())
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    let items = text.split(',').map(str::trim);
    items.filter(move |_| text != "none")
}

fn list_text(items: Vec<String>) -> String {
    match items.is_empty() {
        true => "none".to_owned(),
        false => items.join(","),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pairs: &[(&str, &str)]) -> Written {
        let owned = |(key, text): &(&str, &str)| ((*key).to_owned(), (*text).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[track_caller]
    fn check(scope_refused: Scope, key: &str, text: &str, is_fine: bool) {
        let mut held = Written::new();
        let changes = [(key.to_owned(), text.to_owned())];
        let outcome = change(&mut held, &changes, scope_refused);
        assert_eq!(outcome.is_ok(), is_fine, "{key}={text}: {outcome:?}");
        assert_eq!(held.is_empty(), !is_fine || text.is_empty());
    }

    #[test]
    fn only_values_that_mean_something_are_taken() {
        check(Scope::Domain, "sees-non-mail", "yes", true);
        check(Scope::Domain, "sees-non-mail", "maybe", false);
        check(Scope::Domain, "mailboxes-max", "12", true);
        check(Scope::Domain, "mailboxes-max", "-1", false);
        check(Scope::Domain, "quota-alert", "0", false);
        check(Scope::Domain, "quota-alert", "none", true);
        check(Scope::Domain, "services", "imap, lmtp", true);
        check(Scope::Domain, "services", "imap,pop", false);
        check(Scope::Domain, "administrator", "server", true);
        check(Scope::Account, "administrator", "server", false);
        check(Scope::Domain, "methods", "PLAIN", false);
        check(Scope::Account, "methods", "plain,scram-sha-256", true);
        check(Scope::Account, "kind", "", true);
        check(Scope::Account, "no-such-key", "yes", false);
    }

    #[test]
    fn an_account_goes_before_its_domain() {
        let domain = written(&[
            ("kind", "single"),
            ("quota-alert", "50"),
            ("administrator", "server"),
        ]);
        let account = written(&[("kind", "multi"), ("clear-text", "no")]);
        let settings = Settings::of(&domain, &account);
        assert_eq!(settings.kind, AccountKind::Multi);
        assert_eq!(settings.quota_alert_percent, Some(50));
        // Neither is for the one who has it.
        assert_eq!(settings.administrator, Administrator::No);
        assert!(settings.clear_text);
    }

    #[test]
    fn what_is_shown_can_be_written() {
        for (row, text) in Settings::default().lines() {
            let mut again = Settings::default();
            assert!(
                (row.take)(&mut again, &text).is_some(),
                "{}={text}",
                row.key
            );
            assert_eq!(again, Settings::default(), "{}={text}", row.key);
        }
    }

    #[test]
    fn a_value_from_a_newer_program_changes_nothing() {
        let newer = written(&[("kind", "triple"), ("colour", "blue")]);
        assert_eq!(Settings::of(&newer, &Written::new()), Settings::default());
    }
}
