//! The routing table in the database; all of it is read at once.

use rusqlite::params;

use super::rows::invalid;
use super::{Database, unavailable};
use crate::error::ChangeError;
use crate::limits::{LIST_PAGE_MAX, ROUTES_MAX};
use crate::route::{RouteRecord, RouteSource, RouteTable, RouteTarget};

impl Database {
    /// The table as it is now.
    pub(crate) fn route_table(&self) -> rusqlite::Result<RouteTable> {
        let domains = self.domain_list()?;
        let mut statement = self
            .connection
            .prepare_cached("SELECT source, target FROM routes")?;
        let records = statement
            .query_map([], record_of)?
            .collect::<rusqlite::Result<Vec<RouteRecord>>>()?;
        Ok(RouteTable::new(domains, records))
    }

    /// A page of records in the order of their sources.
    pub(crate) fn route_list(&self, after: &str) -> rusqlite::Result<Vec<RouteRecord>> {
        let sql = "SELECT source, target FROM routes WHERE source > ?1 ORDER BY source LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(params![after, LIST_PAGE_MAX as i64], record_of)?;
        rows.collect()
    }

    /// Adds a record, or replaces the one of the same source.
    pub(crate) fn route_set(&mut self, record: &RouteRecord) -> Result<(), ChangeError> {
        let (source, target) = (record.source.to_string(), record.target.to_string());
        self.change(|transaction| {
            let sql = "INSERT INTO routes (source, target) VALUES (?1, ?2)
                       ON CONFLICT DO UPDATE SET target = excluded.target";
            transaction
                .execute(sql, [&source, &target])
                .map_err(unavailable)?;
            let count: i64 = transaction
                .query_row("SELECT count(*) FROM routes", [], |row| row.get(0))
                .map_err(unavailable)?;
            match usize::try_from(count) {
                Ok(count) if count <= ROUTES_MAX => Ok(()),
                _ => Err(ChangeError::TooLarge("the routing table is full")),
            }
        })
    }

    /// Removes the record of a source.
    pub(crate) fn route_remove(&mut self, source: &RouteSource) -> Result<(), ChangeError> {
        let source = source.to_string();
        self.change(|transaction| {
            let removed = transaction.execute("DELETE FROM routes WHERE source = ?1", [&source]);
            match removed.map_err(unavailable)? {
                0 => Err(ChangeError::NoSuchRoute),
                _ => Ok(()),
            }
        })
    }
}

fn record_of(row: &rusqlite::Row<'_>) -> rusqlite::Result<RouteRecord> {
    let (source, target): (String, String) = (row.get(0)?, row.get(1)?);
    // Both are kept whole, so that no default is needed to read them.
    let source = RouteSource::parse(&source, "").map_err(|error| invalid(0, error))?;
    let target = RouteTarget::parse(&target, source.domain()).map_err(|error| invalid(1, error))?;
    Ok(RouteRecord { source, target })
}
