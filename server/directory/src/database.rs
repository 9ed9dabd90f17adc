//! The SQLite file: schema, versions and every statement.
//!
//! Durable before it answers: WAL with `synchronous=FULL`. One thread writes; the hashing threads
//! read through connections of their own.

use std::collections::HashMap;
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, params};

use crate::account::{
    Account, AccountEntry, AccountId, ListRange, Pending, PendingStep, Quota, Reserved, State,
};
use crate::error::{ChangeError, OpenError};
use crate::hash::StoredHash;
use crate::limits::{BUSY_TIMEOUT, LIST_PAGE_MAX};
use crate::name::{AccountName, canonical_domain};
use crate::template::Template;

pub(crate) mod adopt;
mod alerts;
mod groups;
mod routes;
mod rows;
mod schema;
mod settings;

use rows::{COLUMNS, account_of, column, invalid, state_of, template_of};

/// One connection. The one that writes and those that only read have the same type; SQLite itself
/// refuses a write on the latter.
pub(crate) struct Database {
    connection: Connection,
    /// For domains without a template of their own.
    template: Template,
}

/// An account with its secret.
pub(crate) struct Known {
    pub(crate) account: Account,
    pub(crate) state: State,
    pub(crate) secret: StoredHash,
}

/// A new account, checked and hashed.
pub(crate) struct Prepared {
    pub(crate) name: AccountName,
    pub(crate) secret: StoredHash,
    pub(crate) quota: Quota,
}

impl Database {
    /// Opens or creates the file, brings it to the newest version and makes sure that the default
    /// domain (canonical) exists.
    pub(crate) fn open(
        path: &Path,
        default_domain: &str,
        template: Template,
    ) -> Result<Self, OpenError> {
        // The file holds password hashes. SQLite gives its side files the same permissions.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(path)
            .map_err(|source| OpenError::File {
                path: path.to_owned(),
                source,
            })?;
        let failed = |source| OpenError::Database {
            path: path.to_owned(),
            source,
        };
        let mut connection = Connection::open(path).map_err(failed)?;
        schema::configure(&connection).map_err(failed)?;
        let found = schema::version(&connection).map_err(failed)?;
        let known = schema::VERSION;
        if found > known {
            return Err(OpenError::Newer {
                path: path.to_owned(),
                found,
                known,
            });
        }
        schema::migrate(&mut connection, found).map_err(failed)?;
        let insert = "INSERT INTO domains (name) VALUES (?1) ON CONFLICT DO NOTHING";
        connection
            .execute(insert, [default_domain])
            .map_err(failed)?;
        Ok(Self {
            connection,
            template,
        })
    }

    /// A second connection to an open file, for reading only.
    pub(crate) fn open_reader(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Database {
            path: path.to_owned(),
            source,
        };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
        Ok(Self {
            connection,
            template: Template::default(),
        })
    }

    /// The account with this name, whatever its state.
    pub(crate) fn find(&self, name: &AccountName) -> rusqlite::Result<Option<Known>> {
        let sql = format!("SELECT {COLUMNS} FROM accounts WHERE domain = ?1 AND local = ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement
            .query_row([name.domain(), name.local()], |row| {
                let secret: String = row.get(7)?;
                let secret = StoredHash::parse(&secret).map_err(|e| invalid(7, e))?;
                Ok(Known {
                    account: account_of(row)?,
                    state: state_of(row)?,
                    secret,
                })
            })
            .optional()
    }

    /// The names of these accounts. Those that are being deleted, or are gone, have none.
    pub(crate) fn names_of(
        &self,
        ids: &[AccountId],
    ) -> rusqlite::Result<Vec<(AccountId, AccountName)>> {
        let sql = format!("SELECT {COLUMNS} FROM accounts WHERE id = ?1 AND state = 'active'");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut names = Vec::with_capacity(ids.len());
        for id in ids {
            let found = statement
                .query_row([id.to_bytes()], account_of)
                .optional()?;
            names.extend(found.map(|account| (account.id, account.name)));
        }
        Ok(names)
    }

    /// A page of accounts in order of domain and local part.
    pub(crate) fn list(
        &self,
        range: &ListRange,
        after: Option<&AccountName>,
    ) -> rusqlite::Result<Vec<AccountEntry>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM accounts
             WHERE (?1 IS NULL OR domain = ?1) AND (domain, local) > (?2, ?3)
             ORDER BY domain, local LIMIT ?4"
        );
        let domain = range.domain.as_deref().map(|text| {
            // What is no domain has no accounts either.
            canonical_domain(text).unwrap_or_default()
        });
        let (after_domain, after_local) =
            after.map_or(("", ""), |name| (name.domain(), name.local()));
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_map(
            params![domain, after_domain, after_local, LIST_PAGE_MAX as i64],
            |row| {
                let account = account_of(row)?;
                Ok(AccountEntry {
                    id: account.id,
                    name: account.name,
                    state: state_of(row)?,
                    quota: account.quota,
                    created_s: row.get(6)?,
                })
            },
        )?;
        rows.collect()
    }

    /// Accounts whose addition or deletion is not finished.
    pub(crate) fn pending(&self) -> rusqlite::Result<Vec<Pending>> {
        let sql = format!("SELECT {COLUMNS} FROM accounts WHERE state <> 'active'");
        let mut statement = self.connection.prepare(&sql)?;
        let rows = statement.query_map([], |row| Ok((account_of(row)?, state_of(row)?)))?;
        let mut pending = Vec::new();
        for row in rows {
            let (account, state) = row?;
            let step = match state {
                State::Active => continue,
                State::Reserved => PendingStep::Add,
                State::Deleting => PendingStep::Delete,
            };
            let template = template_of(&self.connection, account.name.domain())?;
            let template = template.flatten().unwrap_or_else(|| self.template.clone());
            let Account {
                id, name, quota, ..
            } = account;
            pending.push(Pending {
                id,
                name,
                template,
                quota,
                step,
            });
        }
        Ok(pending)
    }

    /// Takes names and ids for new accounts, all in one transaction. Each has its own outcome.
    pub(crate) fn reserve(
        &mut self,
        accounts: Vec<Prepared>,
    ) -> Result<Vec<Result<Reserved, ChangeError>>, ChangeError> {
        let fallback = self.template.clone();
        self.change(|transaction| {
            let mut templates = HashMap::new();
            let mut outcomes = Vec::with_capacity(accounts.len());
            for account in &accounts {
                let domain = account.name.domain();
                if !templates.contains_key(domain) {
                    let template = template_of(transaction, domain).map_err(unavailable)?;
                    let template = template.map(|own| own.unwrap_or_else(|| fallback.clone()));
                    templates.insert(domain.to_owned(), template);
                }
                let template = templates.get(domain).and_then(Option::as_ref);
                outcomes.push(reserve_one(transaction, account, template));
            }
            Ok(outcomes)
        })
    }

    /// Makes reserved accounts visible, all in one transaction. Ids that are active stay so.
    pub(crate) fn commit(&mut self, ids: &[AccountId]) -> Result<(), ChangeError> {
        self.change(|transaction| {
            let sql = "UPDATE accounts SET state = 'active' WHERE id = ?1 AND state <> 'deleting'";
            let mut statement = transaction.prepare_cached(sql).map_err(unavailable)?;
            for id in ids {
                let changed = statement.execute([id.to_bytes()]).map_err(unavailable)?;
                if changed == 0 {
                    return Err(ChangeError::NoSuchAccount);
                }
            }
            Ok(())
        })
    }

    /// Closes an account. Repeating it changes nothing and gives the same answer.
    pub(crate) fn mark_deleted(&mut self, name: &AccountName) -> Result<Account, ChangeError> {
        self.change(|transaction| {
            let sql = format!(
                "UPDATE accounts SET state = 'deleting' WHERE domain = ?1 AND local = ?2
                 RETURNING {COLUMNS}"
            );
            let names = [name.domain(), name.local()];
            let account = transaction.query_row(&sql, names, account_of).optional();
            account
                .map_err(unavailable)?
                .ok_or(ChangeError::NoSuchAccount)
        })
    }

    /// Removes an account that is being deleted, or an addition that came to nothing. Gone already
    /// is fine: the step may be repeated.
    pub(crate) fn remove(&mut self, id: AccountId) -> Result<(), ChangeError> {
        self.change(|transaction| {
            let sql = "DELETE FROM accounts WHERE id = ?1 AND state <> 'active'";
            transaction
                .execute(sql, [id.to_bytes()])
                .map_err(unavailable)
                .map(|_| ())
        })
    }

    pub(crate) fn set_secret(
        &mut self,
        name: &AccountName,
        secret: &StoredHash,
    ) -> Result<(), ChangeError> {
        self.change(|transaction| {
            let sql = "UPDATE accounts SET secret = ?3 WHERE domain = ?1 AND local = ?2
                       AND state = 'active'";
            let values = [name.domain(), name.local(), secret.as_str()];
            changed_one(transaction.execute(sql, values))
        })
    }

    /// Replaces a hash by a better one of the same password, unless it was changed meanwhile.
    pub(crate) fn upgrade_secret(
        &mut self,
        id: AccountId,
        old: &StoredHash,
        new: &StoredHash,
    ) -> Result<(), ChangeError> {
        self.change(|transaction| {
            let sql = "UPDATE accounts SET secret = ?3 WHERE id = ?1 AND secret = ?2";
            let values = params![id.to_bytes(), old.as_str(), new.as_str()];
            transaction
                .execute(sql, values)
                .map_err(unavailable)
                .map(|_| ())
        })
    }

    pub(crate) fn set_quota(
        &mut self,
        name: &AccountName,
        quota: Quota,
    ) -> Result<Account, ChangeError> {
        let (bytes, messages) = (column(quota.bytes)?, column(quota.messages)?);
        self.change(|transaction| {
            let sql = format!(
                "UPDATE accounts SET quota_bytes = ?3, quota_messages = ?4
                 WHERE domain = ?1 AND local = ?2 AND state = 'active' RETURNING {COLUMNS}"
            );
            let values = params![name.domain(), name.local(), bytes, messages];
            let account = transaction.query_row(&sql, values, account_of).optional();
            account
                .map_err(unavailable)?
                .ok_or(ChangeError::NoSuchAccount)
        })
    }

    pub(crate) fn domain_add(
        &mut self,
        domain: &str,
        template: Option<&Template>,
    ) -> Result<(), ChangeError> {
        let domain = canonical_domain(domain)?;
        let json = template.map(serde_json::to_string).transpose();
        let json = json.map_err(|_| ChangeError::TooLarge("the template cannot be written"))?;
        self.change(|transaction| {
            let sql = "INSERT INTO domains (name, template) VALUES (?1, ?2)
                       ON CONFLICT DO NOTHING";
            match transaction
                .execute(sql, params![domain, json])
                .map_err(unavailable)?
            {
                0 => Err(ChangeError::DomainTaken),
                _ => Ok(()),
            }
        })
    }

    pub(crate) fn domain_list(&self) -> rusqlite::Result<Vec<String>> {
        let mut statement = self
            .connection
            .prepare("SELECT name FROM domains ORDER BY name")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect()
    }

    pub(crate) fn domain_delete(&mut self, domain: &str) -> Result<(), ChangeError> {
        let domain = canonical_domain(domain)?;
        self.change(|transaction| {
            let sql = "SELECT EXISTS (SELECT 1 FROM accounts WHERE domain = ?1)";
            let is_used: bool = transaction
                .query_row(sql, [&domain], |row| row.get(0))
                .map_err(unavailable)?;
            if is_used {
                return Err(ChangeError::DomainNotEmpty);
            }
            let deleted = transaction.execute("DELETE FROM domains WHERE name = ?1", [&domain]);
            match deleted.map_err(unavailable)? {
                0 => Err(ChangeError::NoSuchDomain),
                _ => Ok(()),
            }
        })
    }

    /// Runs a change in a transaction of its own: all of it, durable, or nothing.
    fn change<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> Result<T, ChangeError>,
    ) -> Result<T, ChangeError> {
        let transaction = self
            .connection
            .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
            .map_err(unavailable)?;
        let value = change(&transaction)?;
        transaction.commit().map_err(unavailable)?;
        Ok(value)
    }
}

/// The cause goes to the trace; the caller only learns that it did not work.
pub(crate) fn unavailable(error: rusqlite::Error) -> ChangeError {
    tracing::error!(%error, "the directory's database failed");
    ChangeError::Unavailable
}

fn reserve_one(
    transaction: &Transaction<'_>,
    new: &Prepared,
    template: Option<&Template>,
) -> Result<Reserved, ChangeError> {
    let template = template.ok_or(ChangeError::NoSuchDomain)?.clone();
    let (bytes, messages) = (column(new.quota.bytes)?, column(new.quota.messages)?);
    let id = AccountId::random().map_err(|error| {
        tracing::error!(%error, "no randomness for an account id");
        ChangeError::Unavailable
    })?;
    let sql = "INSERT INTO accounts
               (id, local, domain, secret, state, quota_bytes, quota_messages)
               VALUES (?1, ?2, ?3, ?4, 'reserved', ?5, ?6)
               ON CONFLICT (domain, local) DO NOTHING";
    let mut statement = transaction.prepare_cached(sql).map_err(unavailable)?;
    let name = &new.name;
    let secret = new.secret.as_str();
    let values = params![
        id.to_bytes(),
        name.local(),
        name.domain(),
        secret,
        bytes,
        messages
    ];
    match statement.execute(values).map_err(unavailable)? {
        0 => Err(ChangeError::NameTaken),
        _ => Ok(Reserved {
            id,
            name: name.clone(),
            template,
            quota: new.quota,
        }),
    }
}

fn changed_one(changed: rusqlite::Result<usize>) -> Result<(), ChangeError> {
    match changed.map_err(unavailable)? {
        0 => Err(ChangeError::NoSuchAccount),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
