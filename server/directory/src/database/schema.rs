//! The tables, and how a file of an older program becomes one of this.

use rusqlite::Connection;

use crate::limits::BUSY_TIMEOUT;

/// Step i brings a file of version i to version i + 1. Steps are only ever added; an older program
/// refuses a file with more of them.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE domains (
        name     TEXT PRIMARY KEY NOT NULL,
        template TEXT,
        created  INTEGER NOT NULL DEFAULT (unixepoch())
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE accounts (
        id             BLOB PRIMARY KEY NOT NULL CHECK (length(id) = 16),
        local          TEXT NOT NULL,
        domain         TEXT NOT NULL REFERENCES domains (name),
        secret         TEXT NOT NULL,
        state          TEXT NOT NULL CHECK (state IN ('reserved', 'active', 'deleting')),
        quota_bytes    INTEGER,
        quota_messages INTEGER,
        created        INTEGER NOT NULL DEFAULT (unixepoch()),
        UNIQUE (domain, local)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX accounts_unfinished ON accounts (state) WHERE state <> 'active';
",
    "
    ALTER TABLE domains ADD COLUMN settings TEXT;
    ALTER TABLE accounts ADD COLUMN settings TEXT;
",
    "
    ALTER TABLE accounts ADD COLUMN external INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE accounts ADD COLUMN stable_id TEXT;
    CREATE UNIQUE INDEX accounts_stable_id ON accounts (stable_id) WHERE stable_id IS NOT NULL;
",
    "
    CREATE TABLE group_members (
        domain TEXT NOT NULL REFERENCES domains (name) ON DELETE CASCADE,
        name   TEXT NOT NULL,
        member BLOB NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        PRIMARY KEY (domain, name, member)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX group_members_member ON group_members (member);
",
    "
    CREATE TABLE alerts (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        domain TEXT REFERENCES domains (name) ON DELETE CASCADE,
        posted INTEGER NOT NULL DEFAULT (unixepoch()),
        text   TEXT NOT NULL
    ) STRICT;
",
    // A source is `name@domain`, `@domain` or `*@domain`, a target what `RouteTarget` prints.
    "
    CREATE TABLE routes (
        source TEXT PRIMARY KEY NOT NULL,
        target TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
",
];

/// The version of the files that this program writes.
pub(super) const VERSION: i64 = MIGRATIONS.len() as i64;

pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

pub(super) fn migrate(connection: &mut Connection, found: i64) -> rusqlite::Result<()> {
    let done = usize::try_from(found).unwrap_or(0);
    for (step, sql) in MIGRATIONS.iter().enumerate().skip(done) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(sql)?;
        transaction.pragma_update(None, "user_version", step as i64 + 1)?;
        transaction.commit()?;
    }
    Ok(())
}
