//! What an administrator can ask for: one line of JSON each way.

use mail_directory::alerts::Alert;
use mail_directory::settings::Origin;
use mail_directory::{Password, Quota, State, StoredHash, Template};
use serde::{Deserialize, Serialize};

use super::mailboxes::{MailboxAction, MailboxLine};
use super::rights::RightsLine;

/// A request. Passwords and hashes are wiped after use and never show in `Debug`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdminRequest {
    /// Whether somebody is there.
    Ping,
    /// Add an account.
    AccountAdd {
        /// Its name; without a domain it belongs to the default domain.
        name: String,
        /// Its password.
        password: Password,
        /// What it may hold.
        #[serde(default)]
        quota: Quota,
    },
    /// Add many accounts with ready hashes.
    AccountImport {
        /// At most `IMPORT_ACCOUNTS_MAX`.
        accounts: Vec<ImportAccount>,
    },
    /// A page of accounts.
    AccountList {
        /// Only this domain.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        domain: Option<String>,
        /// Only what follows this account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// Delete an account and all its mail.
    AccountDelete {
        /// Its name.
        name: String,
    },
    /// Set a new password.
    AccountPassword {
        /// Its name.
        name: String,
        /// The new password.
        password: Password,
    },
    /// Set what an account may hold.
    AccountQuota {
        /// Its name.
        name: String,
        /// From now on.
        quota: Quota,
    },
    /// Change settings of an account.
    AccountSet {
        /// Its name.
        name: String,
        /// Keys and values; an empty value takes the domain's again.
        changes: Vec<(String, String)>,
    },
    /// All settings of an account.
    AccountShow {
        /// Its name.
        name: String,
    },
    /// Change settings of a domain.
    DomainSet {
        /// Its name.
        name: String,
        /// Keys and values; an empty value takes the default again.
        changes: Vec<(String, String)>,
    },
    /// All settings of a domain.
    DomainShow {
        /// Its name.
        name: String,
    },
    /// Set the certificate that an account's own encrypted copies are for.
    AccountCertificate {
        /// Its name.
        name: String,
        /// PEM or base64 of DER; without it the account has none any more.
        certificate: Option<String>,
    },
    /// Add a domain.
    DomainAdd {
        /// Its name.
        name: String,
        /// What its new accounts start with; the server's template if none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<Template>,
    },
    /// Something about alerts.
    Alert(AlertRequest),
    /// All domains.
    DomainList,
    /// Delete a domain without accounts.
    DomainDelete {
        /// Its name.
        name: String,
    },
    /// Something about the mailboxes of an account.
    Mailbox {
        /// The account's name.
        account: String,
        /// What.
        action: MailboxAction,
    },
    /// How often clients hear 'Running' from now on, until the next start.
    RunningSet {
        /// Seconds; none is never.
        every_s: Option<u64>,
    },
    /// Something about the routing table.
    Route(RouteRequest),
}

/// What can be asked about alerts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum AlertRequest {
    /// Post one.
    Post {
        /// Whom it is for.
        audience: AlertAudience,
        /// What it says.
        text: String,
    },
    /// Those that stand.
    List {
        /// Whom they are for.
        audience: AlertAudience,
    },
    /// Remove one.
    Remove {
        /// Whom it is for.
        audience: AlertAudience,
        /// Its number.
        number: u64,
    },
}

/// Whom an alert is for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case", deny_unknown_fields)]
pub enum AlertAudience {
    /// One account, once.
    Account {
        /// Its name.
        name: String,
    },
    /// Every account of a domain.
    Domain {
        /// Its name.
        name: String,
    },
    /// Every account.
    Server,
}

/// A request about the routing table.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "route", rename_all = "snake_case", deny_unknown_fields)]
pub enum RouteRequest {
    /// A page of it.
    List {
        /// Only what follows this source; empty from the beginning.
        after: String,
    },
    /// Add a record, or replace the one of its source.
    Set {
        /// `name`, `name@domain`, `@domain` or `*@domain`.
        source: String,
        /// `name`, `name@domain`, `@domain` or `reject:text`.
        target: String,
    },
    /// Remove a record.
    Remove {
        /// Its source.
        source: String,
    },
    /// Where a name leads.
    Test {
        /// The name.
        name: String,
    },
}

/// One account of an import.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImportAccount {
    /// Its name.
    pub name: String,
    /// Its hash.
    pub hash: StoredHash,
    /// What it may hold.
    #[serde(default)]
    pub quota: Quota,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum AdminReply {
    /// Done, and durable.
    Done,
    /// A page of accounts; an empty one is the end.
    Accounts {
        /// In order of domain and name.
        accounts: Vec<AccountLine>,
    },
    /// Alerts, oldest first.
    Alerts {
        /// What stands.
        alerts: Vec<Alert>,
    },
    /// A page of mailboxes; an empty one is the end.
    Mailboxes {
        /// In the order of their names.
        mailboxes: Vec<MailboxLine>,
    },
    /// Who may do what with a mailbox.
    Rights {
        /// The owner first.
        entries: Vec<RightsLine>,
    },
    /// All domains.
    Domains {
        /// In order.
        domains: Vec<String>,
    },
    /// All settings of an account or a domain.
    Settings {
        /// In the order of the table.
        settings: Vec<SettingLine>,
    },
    /// A page of the routing table; an empty one is the end.
    Routes {
        /// In the order of their sources.
        routes: Vec<RouteLine>,
    },
    /// Where a name leads.
    Route {
        /// The names on the way, one after the other.
        via: Vec<String>,
        /// Where it ends, in words.
        end: String,
    },
    /// One outcome for each account of the import, in its order.
    Imported {
        /// What became of each.
        outcomes: Vec<ImportOutcome>,
    },
    /// It did not work; nothing was changed.
    Failed {
        /// Why, for the administrator.
        reason: String,
    },
}

/// One account in a listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountLine {
    /// Its canonical name.
    pub name: String,
    /// Its id, in hexadecimal.
    pub id: String,
    /// Where it is in its life.
    pub state: State,
    /// What it may hold.
    pub quota: Quota,
    /// When it was added, in seconds since 1970.
    pub created_s: i64,
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingLine {
    /// Its key.
    pub key: String,
    /// Its value, as it could be written.
    pub value: String,
    /// Where the value is from.
    pub origin: Origin,
}

/// One record of the routing table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteLine {
    /// Which names it is about.
    pub source: String,
    /// Where they lead.
    pub target: String,
}

/// What became of one account of an import.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportOutcome {
    /// It is there.
    Added,
    /// It is not, and this is why.
    Refused(String),
}
