//! Accounts that a back end elsewhere knows: their names, their ids here, and what becomes of both
//! when they are renamed there.

use base64::Engine;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::rows::{COLUMNS, account_of, column, state_of, template_of, written};
use super::settings::json;
use super::{Database, unavailable};
use crate::account::{Account, AccountId, Quota, Reserved, State};
use crate::error::ChangeError;
use crate::limits::LOCAL_BYTES_MAX;
use crate::name::AccountName;
use crate::settings::{Scope, Written, change};
use crate::template::Template;

/// What the back end says of an account.
pub(crate) struct Claim {
    pub(crate) name: AccountName,
    /// With the back end's kind before it, as in `ldap:f81d4fae-...`.
    pub(crate) stable_id: Option<String>,
    pub(crate) quota: Option<Quota>,
    pub(crate) settings: Vec<(String, String)>,
}

/// What the account is here.
#[derive(Debug)]
pub(crate) enum Adopted {
    /// In use.
    Active(Account),
    /// New, or a crash came before the engine knew it.
    Reserved(Reserved),
    /// Being deleted.
    Closed,
}

/// The outcome, and the names of which nothing that is remembered holds any more.
pub(crate) struct Adoption {
    pub(crate) adopted: Adopted,
    pub(crate) changed: Vec<AccountName>,
}

/// A row as far as it matters here.
struct Held {
    account: Account,
    state: State,
    is_external: bool,
    stable_id: Option<String>,
    settings: Written,
}

impl Database {
    /// Whether an account of this name has its secret here; `None` if there is no such account.
    pub(crate) fn is_local(&self, name: &AccountName) -> rusqlite::Result<Option<bool>> {
        let sql = "SELECT external = 0 FROM accounts WHERE domain = ?1 AND local = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let names = [name.domain(), name.local()];
        statement.query_row(names, |row| row.get(0)).optional()
    }

    /// Finds or reserves the account that a back end speaks of. Nothing is written, so nothing has
    /// to become durable, if it is known as it is.
    pub(crate) fn adopt(&mut self, claim: &Claim) -> Result<Adoption, ChangeError> {
        let fallback = self.template.clone();
        self.change(|transaction| {
            let mut changed = Vec::new();
            let known = settle_name(transaction, claim, &mut changed)?;
            let held = match known {
                None => {
                    let adopted = Adopted::Reserved(reserve(transaction, claim, fallback)?);
                    return Ok(Adoption { adopted, changed });
                }
                Some(Held {
                    state: State::Deleting,
                    ..
                }) => {
                    let adopted = Adopted::Closed;
                    return Ok(Adoption { adopted, changed });
                }
                Some(Held {
                    account,
                    state: State::Reserved,
                    ..
                }) => {
                    let template = template_or(transaction, &claim.name, fallback)?;
                    let reserved = Reserved {
                        id: account.id,
                        name: account.name,
                        template,
                        quota: account.quota,
                    };
                    let adopted = Adopted::Reserved(reserved);
                    return Ok(Adoption { adopted, changed });
                }
                Some(held) => held,
            };
            let mut account = held.account;
            if let Some(quota) = claim.quota.filter(|quota| *quota != account.quota) {
                set_quota(transaction, account.id, quota)?;
                changed.push(claim.name.clone());
                account.quota = quota;
            }
            if set_settings(transaction, account.id, held.settings, &claim.settings)? {
                changed.push(claim.name.clone());
                let found = self::held(transaction, "id = ?1", [account.id.to_bytes()])?;
                account = found.ok_or(ChangeError::NoSuchAccount)?.account;
            }
            let adopted = Adopted::Active(account);
            Ok(Adoption { adopted, changed })
        })
    }
}

/// The row of the account, which has the claimed name when this returns. An account that had the
/// name and is another one gives it up: nobody inherits mail by getting a name that was in use.
fn settle_name(
    transaction: &Transaction<'_>,
    claim: &Claim,
    changed: &mut Vec<AccountName>,
) -> Result<Option<Held>, ChangeError> {
    let names = [claim.name.domain(), claim.name.local()];
    let named = held(transaction, "domain = ?1 AND local = ?2", names)?;
    let own = match &claim.stable_id {
        Some(id) => held(transaction, "stable_id = ?1", [id.as_str()])?,
        None => None,
    };
    if named.as_ref().is_some_and(|named| !named.is_external) {
        // An operator has added it here; whoever adds names in both places means that one.
        return Err(ChangeError::NameTaken);
    }
    match (own, named) {
        (Some(own), Some(named)) if own.account.id == named.account.id => Ok(Some(own)),
        (Some(mut own), named) => {
            if let Some(named) = named {
                displace(transaction, &named.account, changed)?;
            }
            add_domain(transaction, &claim.name)?;
            rename(transaction, own.account.id, &claim.name)?;
            tracing::info!(from = %own.account.name, to = %claim.name, "the back end renamed it");
            changed.push(own.account.name.clone());
            changed.push(claim.name.clone());
            own.account.name = claim.name.clone();
            Ok(Some(own))
        }
        (None, Some(named)) => {
            if is_another(named.stable_id.as_deref(), claim.stable_id.as_deref()) {
                displace(transaction, &named.account, changed)?;
                return Ok(None);
            }
            if claim.stable_id.is_some() {
                let sql = "UPDATE accounts SET stable_id = ?2 WHERE id = ?1";
                let values = params![named.account.id.to_bytes(), claim.stable_id];
                transaction.execute(sql, values).map_err(unavailable)?;
            }
            Ok(Some(named))
        }
        (None, None) => Ok(None),
    }
}

/// Whether two stable ids name two accounts. Ids of different kinds cannot be compared: the
/// operator has moved to another back end, where the name must do.
fn is_another(held: Option<&str>, claimed: Option<&str>) -> bool {
    let kind = |id: &str| id.split(':').next().map(str::to_owned);
    match (held, claimed) {
        (Some(held), Some(claimed)) => kind(held) == kind(claimed) && held != claimed,
        (None, _) | (_, None) => false,
    }
}

/// Takes the name away from an account, which keeps its mail under a name that nobody has, until an
/// operator deletes it or its back end names it again.
fn displace(
    transaction: &Transaction<'_>,
    account: &Account,
    changed: &mut Vec<AccountName>,
) -> Result<(), ChangeError> {
    let id = account.id.to_string();
    let mark = format!("#{}", id.get(..8).unwrap_or(&id));
    let local = account.name.local();
    let end = local.floor_char_boundary(LOCAL_BYTES_MAX.saturating_sub(mark.len()));
    let domain = account.name.domain();
    let text = format!("{}{mark}@{domain}", local.get(..end).unwrap_or_default());
    let name = AccountName::parse(&text, domain)?;
    tracing::warn!(from = %account.name, to = %name, "another account has its name now");
    rename(transaction, account.id, &name)?;
    changed.push(account.name.clone());
    Ok(())
}

fn rename(
    transaction: &Transaction<'_>,
    id: AccountId,
    name: &AccountName,
) -> Result<(), ChangeError> {
    let sql = "UPDATE accounts SET domain = ?2, local = ?3 WHERE id = ?1";
    let values = params![id.to_bytes(), name.domain(), name.local()];
    let renamed = transaction.execute(sql, values).map_err(unavailable);
    renamed.map(|_| ())
}

fn held(
    transaction: &Transaction<'_>,
    condition: &str,
    values: impl rusqlite::Params,
) -> Result<Option<Held>, ChangeError> {
    let read = |row: &Row<'_>| {
        Ok(Held {
            account: account_of(row)?,
            state: state_of(row)?,
            is_external: row.get("external")?,
            stable_id: row.get("stable_id")?,
            settings: written(row, 8)?,
        })
    };
    let sql = format!("SELECT {COLUMNS}, external, stable_id FROM accounts WHERE {condition}");
    let mut statement = transaction.prepare_cached(&sql).map_err(unavailable)?;
    statement
        .query_row(values, read)
        .optional()
        .map_err(unavailable)
}

fn reserve(
    transaction: &Transaction<'_>,
    claim: &Claim,
    fallback: Template,
) -> Result<Reserved, ChangeError> {
    add_domain(transaction, &claim.name)?;
    let template = template_or(transaction, &claim.name, fallback)?;
    let quota = claim.quota.unwrap_or_default();
    let (bytes, messages) = (column(quota.bytes)?, column(quota.messages)?);
    let settings = changed_settings(Written::new(), &claim.settings);
    let mut nobody = [0; 64];
    let id = AccountId::random().and_then(|id| getrandom::fill(&mut nobody).map(|()| id));
    let id = id.map_err(|error| {
        tracing::error!(%error, "no randomness for an account");
        ChangeError::Unavailable
    })?;
    // A digest that no password is known to have: this account has no secret here.
    let digest = base64::engine::general_purpose::STANDARD.encode(nobody);
    let sql = "INSERT INTO accounts (id, local, domain, secret, state, quota_bytes,
               quota_messages, external, stable_id, settings)
               VALUES (?1, ?2, ?3, ?4, 'reserved', ?5, ?6, 1, ?7, ?8)";
    let name = &claim.name;
    let secret = format!("{{SHA512}}{digest}");
    let values = params![
        id.to_bytes(),
        name.local(),
        name.domain(),
        secret,
        bytes,
        messages,
        claim.stable_id,
        json(&settings)?
    ];
    transaction.execute(sql, values).map_err(unavailable)?;
    Ok(Reserved {
        id,
        name: name.clone(),
        template,
        quota,
    })
}

/// What is written with the settings of the back end. One that means nothing is left out, and the
/// trace says so: mail must not wait for a mistake in a column.
fn changed_settings(mut own: Written, said: &[(String, String)]) -> Written {
    for pair in said {
        if let Err(error) = change(&mut own, std::slice::from_ref(pair), Scope::Domain) {
            tracing::warn!(%error, "a setting of the back end is left out");
        }
    }
    own
}

/// Writes what the back end says, and whether that is anything new.
fn set_settings(
    transaction: &Transaction<'_>,
    id: AccountId,
    own: Written,
    said: &[(String, String)],
) -> Result<bool, ChangeError> {
    let changed = changed_settings(own.clone(), said);
    if changed == own {
        return Ok(false);
    }
    let sql = "UPDATE accounts SET settings = ?2 WHERE id = ?1";
    let values = params![id.to_bytes(), json(&changed)?];
    transaction.execute(sql, values).map_err(unavailable)?;
    Ok(true)
}

/// A back end that has accounts in a domain says thereby that the domain is ours.
fn add_domain(transaction: &Transaction<'_>, name: &AccountName) -> Result<(), ChangeError> {
    let sql = "INSERT INTO domains (name) VALUES (?1) ON CONFLICT DO NOTHING";
    let added = transaction.execute(sql, [name.domain()]);
    added.map(|_| ()).map_err(unavailable)
}

fn template_or(
    transaction: &Transaction<'_>,
    name: &AccountName,
    fallback: Template,
) -> Result<Template, ChangeError> {
    let own = template_of(transaction, name.domain()).map_err(unavailable)?;
    Ok(own.flatten().unwrap_or(fallback))
}

fn set_quota(
    transaction: &Transaction<'_>,
    id: AccountId,
    quota: Quota,
) -> Result<(), ChangeError> {
    let (bytes, messages) = (column(quota.bytes)?, column(quota.messages)?);
    let sql = "UPDATE accounts SET quota_bytes = ?2, quota_messages = ?3 WHERE id = ?1";
    let values = params![id.to_bytes(), bytes, messages];
    let set = transaction.execute(sql, values).map_err(unavailable);
    set.map(|_| ())
}

#[cfg(test)]
mod tests;
