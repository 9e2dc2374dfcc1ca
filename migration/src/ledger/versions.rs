//! Versions that were applied, with their SQL, and the steps of those that are half done.
//!
//! Some of these statements run inside sea-orm's transactions; for them there is the SQL alone.

use std::collections::BTreeSet;

use sqlx::PgConnection;

use super::{Ledger, LedgerError, database};
use crate::version::{Section, Step, Version};

/// A version as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedVersion {
    /// Its SQL.
    pub version: Version,
    /// Its checksum when it was applied.
    pub checksum: String,
    /// When it was applied, in UTC (RFC 3339).
    pub applied_at: String,
}

/// A version as a row: name, three sections as JSON, checksum.
pub(crate) struct VersionRow {
    pub(crate) sections: [String; 3],
    pub(crate) checksum: String,
}

impl VersionRow {
    pub(crate) fn of(version: &Version) -> Result<VersionRow, LedgerError> {
        let json = |steps: &Vec<Step>| {
            serde_json::to_string(steps)
                .map_err(|source| LedgerError::Unreadable { name: version.name.clone(), source })
        };
        let sections = [json(&version.pre_data)?, json(&version.post_data)?, json(&version.down)?];
        Ok(VersionRow { sections, checksum: version.checksum() })
    }
}

impl Ledger {
    /// The versions that were applied, oldest first.
    ///
    /// # Errors
    /// [`LedgerError::Unreadable`] when one was changed by hand.
    pub async fn versions(&self) -> Result<Vec<RecordedVersion>, LedgerError> {
        type Row = (String, String, String, String, String, String);
        let rows: Vec<Row> = sqlx::query_as(self.sql(include_str!("sql/versions.sql")))
            .bind(&self.target_schema)
            .fetch_all(&self.pool)
            .await
            .map_err(database("reading the versions that were applied"))?;
        let recorded = |(name, pre_data, post_data, down, checksum, applied_at): Row| {
            let steps = |json: &str| {
                serde_json::from_str::<Vec<Step>>(json)
                    .map_err(|source| LedgerError::Unreadable { name: name.clone(), source })
            };
            let (pre_data, post_data, down) = (steps(&pre_data)?, steps(&post_data)?, steps(&down)?);
            let version = Version { name, pre_data, post_data, down };
            Ok(RecordedVersion { version, checksum, applied_at })
        };
        rows.into_iter().map(recorded).collect()
    }

    /// Records that a version is applied, with its SQL and checksum.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn record_version(
        &self,
        transaction: &mut PgConnection,
        version: &Version,
    ) -> Result<(), LedgerError> {
        let VersionRow { sections: [pre_data, post_data, down], checksum } = VersionRow::of(version)?;
        sqlx::query(self.sql(include_str!("sql/record_version.sql")))
            .bind(&self.target_schema)
            .bind(&version.name)
            .bind(pre_data)
            .bind(post_data)
            .bind(down)
            .bind(checksum)
            .execute(transaction)
            .await
            .map_err(database("recording a version"))?;
        Ok(())
    }

    /// The numbers, from 0, of the steps of a version's section that are done.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn steps_done(&self, version: &str, section: Section) -> Result<BTreeSet<u32>, LedgerError> {
        let numbers: Vec<i32> = sqlx::query_scalar(self.sql(include_str!("sql/steps_done.sql")))
            .bind(&self.target_schema)
            .bind(version)
            .bind(section.as_str())
            .fetch_all(&self.pool)
            .await
            .map_err(database("reading which steps are done"))?;
        Ok(numbers.into_iter().map(i32::unsigned_abs).collect())
    }

    /// Records in the step's own transaction that it is done.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn record_step(
        &self,
        transaction: &mut PgConnection,
        version: &str,
        section: Section,
        number: u32,
    ) -> Result<(), LedgerError> {
        sqlx::query(self.sql(include_str!("sql/record_step.sql")))
            .bind(&self.target_schema)
            .bind(version)
            .bind(section.as_str())
            .bind(i32::try_from(number).unwrap_or(i32::MAX))
            .execute(transaction)
            .await
            .map_err(database("recording a step"))?;
        Ok(())
    }

    /// `$1` schema, `$2` name, `$3` to `$5` sections, `$6` checksum.
    pub(crate) fn record_version_sql(&self) -> String {
        self.sql_text(include_str!("sql/record_version.sql"))
    }

    /// `$1` schema, `$2` version, `$3` section, `$4` number.
    pub(crate) fn record_step_sql(&self) -> String {
        self.sql_text(include_str!("sql/record_step.sql"))
    }

    /// `$1` schema, `$2` version, `$3` section, `$4` number.
    pub(crate) fn begin_step_sql(&self) -> String {
        self.sql_text(include_str!("sql/begin_step.sql"))
    }

    /// `$1` schema, `$2` version, `$3` section, `$4` number.
    pub(crate) fn was_begun_sql(&self) -> String {
        self.sql_text(include_str!("sql/was_begun.sql"))
    }

    /// `$1` schema, `$2` version.
    pub(crate) fn forget_version_sql(&self) -> [String; 2] {
        [
            self.sql_text("DELETE FROM {version} WHERE target_schema = $1 AND name = $2"),
            self.sql_text("DELETE FROM {step} WHERE target_schema = $1 AND version = $2"),
        ]
    }

    /// `$1` schema, `$2` table: forgets what was copied into it.
    pub(crate) fn forget_table_sql(&self) -> [String; 3] {
        let delete = |table| format!("DELETE FROM {{{table}}} WHERE target_schema = $1 AND table_name = $2");
        ["chunk", "copied", "reject"].map(|table| self.sql_text(&delete(table)))
    }

    /// `$1` schema, `$2` the table's name before, `$3` its name now: what was copied into it goes by the new one.
    pub(crate) fn rename_table_sql(&self) -> [String; 3] {
        let update = |table| {
            format!("UPDATE {{{table}}} SET table_name = $3 WHERE target_schema = $1 AND table_name = $2")
        };
        ["chunk", "copied", "reject"].map(|table| self.sql_text(&update(table)))
    }

    /// `$1` schema: forgets the copies into tables that are no longer there.
    pub(crate) fn forget_dropped_sql(&self) -> [String; 3] {
        ["chunk", "copied", "reject"].map(|table| {
            let sql = include_str!("sql/forget_dropped.sql").replace("{table}", &format!("{{{table}}}"));
            self.sql_text(&sql)
        })
    }
}
