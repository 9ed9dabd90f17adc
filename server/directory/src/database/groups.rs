//! Who is in which group.

use rusqlite::params;

use super::{Database, unavailable};
use crate::account::AccountId;
use crate::error::ChangeError;
use crate::group::{GroupMember, GroupName};
use crate::limits::{ACCOUNT_GROUPS_MAX, LIST_PAGE_MAX};
use crate::name::AccountName;

impl Database {
    /// Puts an account into a group, which is there from its first member on.
    pub(crate) fn group_add(
        &mut self,
        group: &GroupName,
        member: &AccountName,
    ) -> Result<(), ChangeError> {
        self.change(|transaction| {
            let sql = "SELECT EXISTS (SELECT 1 FROM domains WHERE name = ?1)";
            let is_known: bool = transaction
                .query_row(sql, [group.domain()], |row| row.get(0))
                .map_err(unavailable)?;
            if !is_known {
                return Err(ChangeError::NoSuchDomain);
            }
            let sql = "INSERT INTO group_members (domain, name, member)
                       SELECT ?1, ?2, id FROM accounts
                       WHERE domain = ?3 AND local = ?4 AND state = 'active'
                       ON CONFLICT DO UPDATE SET member = member
                       RETURNING member";
            let values = [
                group.domain(),
                group.local(),
                member.domain(),
                member.local(),
            ];
            let added = transaction.query_row(sql, values, |row| row.get(0));
            let id: [u8; 16] = match added {
                Err(rusqlite::Error::QueryReturnedNoRows) => {
                    return Err(ChangeError::NoSuchAccount);
                }
                added => added.map_err(unavailable)?,
            };
            let sql = "SELECT count(*) FROM group_members WHERE member = ?1";
            let count: i64 = transaction
                .query_row(sql, [id], |row| row.get(0))
                .map_err(unavailable)?;
            match usize::try_from(count) {
                Ok(count) if count <= ACCOUNT_GROUPS_MAX => Ok(()),
                Ok(_) | Err(_) => Err(ChangeError::TooLarge("the account is in too many groups")),
            }
        })
    }

    /// Takes an account out of a group.
    pub(crate) fn group_remove(
        &mut self,
        group: &GroupName,
        member: &AccountName,
    ) -> Result<(), ChangeError> {
        self.change(|transaction| {
            let sql = "DELETE FROM group_members WHERE domain = ?1 AND name = ?2 AND member IN
                       (SELECT id FROM accounts WHERE domain = ?3 AND local = ?4)";
            let values = [
                group.domain(),
                group.local(),
                member.domain(),
                member.local(),
            ];
            match transaction.execute(sql, values).map_err(unavailable)? {
                0 => Err(ChangeError::NotInGroup),
                _ => Ok(()),
            }
        })
    }

    /// A page of members.
    pub(crate) fn group_list(
        &self,
        group: Option<&GroupName>,
        after: Option<(&GroupName, &AccountName)>,
    ) -> rusqlite::Result<Vec<GroupMember>> {
        let sql = "SELECT g.name, g.domain, a.local, a.domain
                   FROM group_members AS g JOIN accounts AS a ON a.id = g.member
                   WHERE (?1 IS NULL OR (g.domain = ?1 AND g.name = ?2))
                   AND (g.domain, g.name, a.domain, a.local) > (?3, ?4, ?5, ?6)
                   ORDER BY g.domain, g.name, a.domain, a.local LIMIT ?7";
        let of = group.map(|group| (group.domain(), group.local()));
        let begin = after.map_or(("", "", "", ""), |(group, account)| {
            let account = (account.domain(), account.local());
            (group.domain(), group.local(), account.0, account.1)
        });
        let values = params![
            of.map(|of| of.0),
            of.map(|of| of.1),
            begin.0,
            begin.1,
            begin.2,
            begin.3,
            LIST_PAGE_MAX as i64
        ];
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map(values, |row| {
            let parts: [String; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
            let [group, group_domain, local, domain] = parts;
            Ok(GroupMember {
                group: format!("{group}@{group_domain}"),
                account: format!("{local}@{domain}"),
            })
        })?;
        rows.collect()
    }

    /// The groups that an account is in, as `name@domain`.
    pub(crate) fn groups_of(&self, account: AccountId) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT name || '@' || domain FROM group_members
                   WHERE member = ?1 ORDER BY 1 LIMIT ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let values = params![account.to_bytes(), ACCOUNT_GROUPS_MAX as i64];
        let rows = statement.query_map(values, |row| row.get(0))?;
        rows.collect()
    }
}
