//! Settings of domains and accounts, as they were written.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{OptionalExtension, params};

use super::rows::{COLUMNS, account_of, written};
use super::{Database, unavailable};
use crate::account::Account;
use crate::error::ChangeError;
use crate::name::{AccountName, canonical_domain};
use crate::settings::{Scope, Settings, Written, change};

impl Database {
    /// Takes changes by key; an empty value takes the key out.
    pub(crate) fn set_account_settings(
        &mut self,
        name: &AccountName,
        changes: &[(String, String)],
    ) -> Result<Account, ChangeError> {
        let (mut own, _) = self.account_settings(name)?;
        change(&mut own, changes, Scope::Domain)?;
        let json = json(&own)?;
        self.change(|transaction| {
            let sql = format!(
                "UPDATE accounts SET settings = ?3
                 WHERE domain = ?1 AND local = ?2 AND state = 'active' RETURNING {COLUMNS}"
            );
            let values = params![name.domain(), name.local(), json];
            let account = transaction.query_row(&sql, values, account_of).optional();
            account
                .map_err(unavailable)?
                .ok_or(ChangeError::NoSuchAccount)
        })
    }

    /// The same for a domain.
    pub(crate) fn set_domain_settings(
        &mut self,
        domain: &str,
        changes: &[(String, String)],
    ) -> Result<(), ChangeError> {
        let domain = canonical_domain(domain)?;
        let mut own = self.domain_settings(&domain)?;
        change(&mut own, changes, Scope::Account)?;
        let json = json(&own)?;
        self.change(|transaction| {
            let sql = "UPDATE domains SET settings = ?2 WHERE name = ?1";
            match transaction
                .execute(sql, params![domain, json])
                .map_err(unavailable)?
            {
                0 => Err(ChangeError::NoSuchDomain),
                _ => Ok(()),
            }
        })
    }

    /// The account's own settings, and its domain's.
    pub(crate) fn account_settings(
        &self,
        name: &AccountName,
    ) -> Result<(Written, Written), ChangeError> {
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts
             WHERE domain = ?1 AND local = ?2 AND state = 'active'"
        );
        let names = [name.domain(), name.local()];
        let both = self
            .connection
            .query_row(&sql, names, |row| Ok((written(row, 8)?, written(row, 9)?)));
        both.optional()
            .map_err(unavailable)?
            .ok_or(ChangeError::NoSuchAccount)
    }

    /// A domain's settings.
    pub(crate) fn domain_settings(&self, domain: &str) -> Result<Written, ChangeError> {
        let domain = canonical_domain(domain)?;
        let sql = "SELECT settings FROM domains WHERE name = ?1";
        let own = self
            .connection
            .query_row(sql, [domain], |row| written(row, 0));
        own.optional()
            .map_err(unavailable)?
            .ok_or(ChangeError::NoSuchDomain)
    }

    /// What holds for each domain before an account is known.
    pub(crate) fn all_domain_settings(&self) -> rusqlite::Result<HashMap<String, Arc<Settings>>> {
        let mut statement = self
            .connection
            .prepare("SELECT name, settings FROM domains")?;
        let rows = statement.query_map([], |row| {
            let settings = Settings::of(&written(row, 1)?, &Written::new());
            Ok((row.get(0)?, Arc::new(settings)))
        })?;
        rows.collect()
    }
}

pub(super) fn json(written: &Written) -> Result<Option<String>, ChangeError> {
    if written.is_empty() {
        return Ok(None);
    }
    let json = serde_json::to_string(written);
    json.map(Some)
        .map_err(|_| ChangeError::TooLarge("the settings cannot be written"))
}
