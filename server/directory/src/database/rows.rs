//! Between rows and values.

use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};

use crate::account::{Account, AccountId, Quota, State};
use crate::error::ChangeError;
use crate::name::AccountName;
use crate::settings::{Settings, Written};
use crate::template::Template;

/// The columns that [`account_of`] and its neighbours read, in their order.
pub(super) const COLUMNS: &str =
    "id, local, domain, quota_bytes, quota_messages, state, created, secret, settings,
     (SELECT domains.settings FROM domains WHERE domains.name = domain)";

/// The template of a domain: `None` if there is no such domain, `Some(None)` if it has none.
pub(super) fn template_of(
    connection: &Connection,
    domain: &str,
) -> rusqlite::Result<Option<Option<Template>>> {
    let mut statement =
        connection.prepare_cached("SELECT template FROM domains WHERE name = ?1")?;
    let json: Option<Option<String>> =
        statement.query_row([domain], |row| row.get(0)).optional()?;
    let parse = |json: String| serde_json::from_str(&json).map_err(|error| invalid(0, error));
    json.map(|json| json.map(parse).transpose()).transpose()
}

pub(super) fn account_of(row: &Row<'_>) -> rusqlite::Result<Account> {
    let (local, domain): (String, String) = (row.get(1)?, row.get(2)?);
    let name = AccountName::parse(&format!("{local}@{domain}"), &domain);
    Ok(Account {
        id: AccountId::from_bytes(row.get(0)?),
        name: name.map_err(|error| invalid(1, error))?,
        quota: Quota {
            bytes: limit(row, 3)?,
            messages: limit(row, 4)?,
        },
        settings: Arc::new(Settings::of(&written(row, 9)?, &written(row, 8)?)),
    })
}

/// Settings as they were written: a JSON object, or nothing.
pub(super) fn written(row: &Row<'_>, index: usize) -> rusqlite::Result<Written> {
    let json: Option<String> = row.get(index)?;
    let parse = |json: String| serde_json::from_str(&json).map_err(|error| invalid(index, error));
    json.map_or_else(|| Ok(Written::new()), parse)
}

pub(super) fn state_of(row: &Row<'_>) -> rusqlite::Result<State> {
    match row.get_ref(5)?.as_str()? {
        "reserved" => Ok(State::Reserved),
        "active" => Ok(State::Active),
        "deleting" => Ok(State::Deleting),
        // The table's own check forbids others; a file that was edited may have them.
        other => Err(invalid(
            5,
            std::io::Error::other(format!("state {other:?}")),
        )),
    }
}

fn limit(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<u64>> {
    let value: Option<i64> = row.get(index)?;
    value
        .map(|value| u64::try_from(value).map_err(|error| invalid(index, error)))
        .transpose()
}

pub(super) fn column(limit: Option<u64>) -> Result<Option<i64>, ChangeError> {
    limit
        .map(i64::try_from)
        .transpose()
        .map_err(|_| ChangeError::TooLarge("the quota is too large"))
}

pub(super) fn invalid(
    index: usize,
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, rusqlite::types::Type::Text, error.into())
}
