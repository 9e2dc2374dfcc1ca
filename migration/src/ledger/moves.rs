//! What the ledger knows of tables that move to another schema moves along.

use sqlx::{AssertSqlSafe, Executor, PgConnection};

use super::{Ledger, LedgerError, Place, database};
use crate::quote_identifier;

/// What the ledger's tables are called, without their prefix: all that a ledger in a target schema takes along.
const TABLES: [&str; 10] = [
    "run",
    "backend",
    "version",
    "step",
    "chunk",
    "copied",
    "reject",
    "normal_form",
    "certificate",
    "seaql_migrations",
];

impl Ledger {
    /// Says of these tables and versions that they are another schema's, in the transaction that moves them. A ledger that is
    /// in the target schema itself goes there too.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn move_to(
        &self,
        transaction: &mut PgConnection,
        schema: &str,
        tables: &[String],
        versions: &[String],
    ) -> Result<(), LedgerError> {
        let failed = database("moving what the ledger knows to another schema");
        let mut there = self.clone();
        if let Place::TargetSchema { .. } = &self.place {
            for table in TABLES {
                let sql = format!(
                    "ALTER TABLE IF EXISTS {} SET SCHEMA {}",
                    self.place.table(table),
                    quote_identifier(schema)
                );
                transaction.execute(AssertSqlSafe(sql)).await.map_err(&failed)?;
            }
            there.place = Place::TargetSchema { schema: schema.to_owned() };
        }
        // What is known of tables of these names that were there before says nothing: they are gone.
        let of_tables = ["chunk", "copied", "reject"].map(|table| {
            [
                format!("DELETE FROM {{{table}}} WHERE target_schema = $2 AND $1 <> $2 AND table_name = ANY ($3)"),
                format!("UPDATE {{{table}}} SET target_schema = $2 WHERE target_schema = $1 AND table_name = ANY ($3)"),
            ]
        });
        let of_versions = [("version", "name"), ("step", "version")].map(|(table, column)| {
            format!(
                "UPDATE {{{table}}} SET target_schema = $2 WHERE target_schema = $1 AND {column} = ANY ($3)"
            )
        });
        let of_tables = of_tables.into_iter().flatten().map(|sql| (sql, tables));
        for (sql, names) in of_tables.chain(of_versions.into_iter().map(|sql| (sql, versions))) {
            sqlx::query(there.sql(&sql))
                .bind(&self.target_schema)
                .bind(schema)
                .bind(names)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        // Runs are history and stay; but that one has come to its end holds for the new schema as well.
        sqlx::query(there.sql(include_str!("sql/run_of_schema.sql")))
            .bind(&self.target_schema)
            .bind(schema)
            .execute(&mut *transaction)
            .await
            .map_err(&failed)?;
        Ok(())
    }
}
