//! The table of alerts.

use rusqlite::{OptionalExtension, params};

use super::{Database, unavailable};
use crate::alerts::{Alert, AlertSet, Audience};
use crate::error::ChangeError;

impl Database {
    /// All alerts.
    pub(crate) fn alerts(&self) -> rusqlite::Result<AlertSet> {
        let sql = "SELECT number, domain, posted, text FROM alerts ORDER BY number";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([], |row| {
            let domain: Option<String> = row.get(1)?;
            let number: i64 = row.get(0)?;
            let alert = Alert {
                // SQLite's AUTOINCREMENT gives positive numbers only.
                number: u64::try_from(number).unwrap_or(0),
                posted_s: row.get(2)?,
                text: row.get(3)?,
            };
            Ok((domain.map_or(Audience::Server, Audience::Domain), alert))
        })?;
        let alerts = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        Ok(AlertSet::new(alerts))
    }

    pub(crate) fn alert_post(
        &mut self,
        audience: &Audience,
        text: &str,
    ) -> Result<(), ChangeError> {
        let domain = domain_of(audience);
        self.change(|transaction| {
            if let Some(domain) = domain {
                let sql = "SELECT 1 FROM domains WHERE name = ?1";
                let found = transaction.query_row(sql, [domain], |_| Ok(())).optional();
                if found.map_err(unavailable)?.is_none() {
                    return Err(ChangeError::NoSuchDomain);
                }
            }
            let sql = "INSERT INTO alerts (domain, text) VALUES (?1, ?2)";
            let inserted = transaction.execute(sql, params![domain, text]);
            inserted.map(drop).map_err(unavailable)
        })
    }

    pub(crate) fn alert_remove(
        &mut self,
        audience: &Audience,
        number: u64,
    ) -> Result<(), ChangeError> {
        let number = i64::try_from(number).map_err(|_| ChangeError::NoSuchAlert)?;
        let domain = domain_of(audience);
        self.change(|transaction| {
            let sql = "DELETE FROM alerts WHERE number = ?1 AND domain IS ?2";
            let removed = transaction.execute(sql, params![number, domain]);
            match removed.map_err(unavailable)? {
                0 => Err(ChangeError::NoSuchAlert),
                _ => Ok(()),
            }
        })
    }
}

fn domain_of(audience: &Audience) -> Option<&str> {
    match audience {
        Audience::Server => None,
        Audience::Domain(domain) => Some(domain),
    }
}
