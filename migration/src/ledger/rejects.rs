//! Rows that did not go into the target: recorded with their chunk, so that what is not in the table is here.

use sqlx::{PgConnection, Row, postgres::PgRow};

use super::{Ledger, LedgerError, chunks::as_integer, database};

/// Bytes of rows that are sent in one statement.
const BATCH_BYTES: usize = 4 << 20;

/// Who did not take a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusedBy {
    /// A column's type cannot hold a value.
    Type,
    /// The server, for a constraint, a trigger, a domain of the target's.
    Server,
}

impl RefusedBy {
    fn word(self) -> &'static str {
        match self {
            RefusedBy::Type => "type",
            RefusedBy::Server => "server",
        }
    }
}

/// A row that is not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Its position among the rows of its chunk, from 0.
    pub row_number: u64,
    /// Its key for people.
    pub key: String,
    /// The column that it is about, where that is known.
    pub column: Option<String>,
    /// Why, without a value.
    pub reason: String,
    /// Who refused it.
    pub refused_by: RefusedBy,
    /// All of its cells: a JSON object, by the source's column names.
    pub source_row: String,
}

/// A rejected row as the ledger has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedReject {
    /// The target table.
    pub table: String,
    /// The source table.
    pub source_table: String,
    /// What identifies the copy that it belongs to.
    pub source_digest: String,
    /// Its chunk.
    pub chunk: u32,
    /// The row.
    pub reject: Reject,
}

impl Ledger {
    /// Records rows that are not written, in the transaction of their chunk.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn record_rejects(
        &self,
        transaction: &mut PgConnection,
        table: &str,
        source_table: &str,
        chunk: u32,
        rejects: &[Reject],
    ) -> Result<(), LedgerError> {
        let mut rest = rejects;
        while !rest.is_empty() {
            let mut bytes = 0;
            let fits = rest.iter().take_while(|reject| {
                bytes += reject.source_row.len();
                bytes <= BATCH_BYTES
            });
            let (batch, later) = rest.split_at(fits.count().max(1));
            rest = later;
            let texts = |of: fn(&Reject) -> &str| batch.iter().map(of).collect::<Vec<&str>>();
            let numbers: Vec<i64> = batch.iter().map(|reject| as_position(reject.row_number)).collect();
            let columns: Vec<Option<&str>> = batch.iter().map(|reject| reject.column.as_deref()).collect();
            sqlx::query(self.sql(include_str!("sql/record_rejects.sql")))
                .bind(&self.target_schema)
                .bind(table)
                .bind(as_integer(chunk))
                .bind(source_table)
                .bind(numbers)
                .bind(texts(|reject| &reject.key))
                .bind(columns)
                .bind(texts(|reject| &reject.reason))
                .bind(texts(|reject| reject.refused_by.word()))
                .bind(texts(|reject| &reject.source_row))
                .execute(&mut *transaction)
                .await
                .map_err(database("recording rejected rows"))?;
        }
        Ok(())
    }

    /// The rejected rows of these target tables, one after the other in the order in which they were read. None where the
    /// ledger is older than rejects are.
    ///
    /// # Errors
    /// [`LedgerError::Database`], and whatever `each` gives.
    pub async fn for_each_reject<E: From<LedgerError>>(
        &self,
        tables: &[String],
        mut each: impl FnMut(RecordedReject) -> Result<(), E>,
    ) -> Result<(), E> {
        use futures_util::TryStreamExt;

        let failed = database("reading the rejected rows");
        let known: bool = sqlx::query_scalar("SELECT to_regclass($1) IS NOT NULL")
            .bind(self.place.table("reject"))
            .fetch_one(&self.pool)
            .await
            .map_err(&failed)?;
        if !known {
            return Ok(());
        }
        let mut rows = sqlx::query(self.sql(include_str!("sql/rejects.sql")))
            .bind(&self.target_schema)
            .bind(tables)
            .fetch(&self.pool);
        while let Some(row) = rows.try_next().await.map_err(&failed)? {
            each(recorded(&row).map_err(&failed)?)?;
        }
        Ok(())
    }
}

fn recorded(row: &PgRow) -> Result<RecordedReject, sqlx::Error> {
    let by: String = row.try_get("refused_by")?;
    Ok(RecordedReject {
        table: row.try_get("table_name")?,
        source_table: row.try_get("source_table")?,
        source_digest: row.try_get("source_digest")?,
        chunk: row.try_get::<i32, _>("chunk")?.unsigned_abs(),
        reject: Reject {
            row_number: row.try_get::<i64, _>("row_number")?.unsigned_abs(),
            key: row.try_get("key")?,
            column: row.try_get("column_name")?,
            reason: row.try_get("reason")?,
            refused_by: if by == "type" { RefusedBy::Type } else { RefusedBy::Server },
            source_row: row.try_get("source_row")?,
        },
    })
}

/// PostgreSQL has no unsigned integers; SQLite has no more rows than this.
fn as_position(row: u64) -> i64 {
    i64::try_from(row).unwrap_or(i64::MAX)
}
