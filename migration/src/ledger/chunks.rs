//! Where a copy stands: key ranges of tables, and tables that are done.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Ledger, LedgerError, database};

/// A range of rowids, half open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChunkRange {
    /// The first rowid; `None`: from the lowest.
    pub lower: Option<i64>,
    /// The rowid before which the range ends; `None`: to the highest.
    pub upper: Option<i64>,
}

/// A chunk that is planned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chunk {
    /// Its number in its table, from 0.
    pub number: u32,
    /// Its rows.
    pub range: ChunkRange,
}

/// A table whose copy has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Started {
    /// The source's fingerprint.
    pub source_digest: String,
    /// Rows of the chunks that are finished.
    pub rows_written: u64,
    /// Rows of those chunks that were rejected.
    pub rows_rejected: u64,
}

/// What became of a chunk's rows. Read are as many as were written and rejected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ChunkCounts {
    /// Rows written.
    pub written: u64,
    /// Values of them that their type could not hold, written as NULL.
    pub nulled: u64,
    /// Rows that were recorded as rejected instead.
    pub rejected: u64,
}

/// A table whose rows are all there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// The target table.
    pub table: String,
    /// The source table.
    pub source_table: String,
    /// The source's fingerprint.
    pub source_digest: String,
    /// Rows written.
    pub rows_written: u64,
    /// Rows in which a value that its type could not hold was written as NULL.
    pub rows_nulled: u64,
    /// Rows that were rejected: the ledger has them, the table has not.
    pub rows_rejected: u64,
    /// When, in UTC (RFC 3339).
    pub finished_at: String,
}

type CopiedRow = (String, String, String, i64, i64, i64, String);

impl Ledger {
    /// Stores a table's chunks before its first row, all in one transaction. Chunks that are there for the same source
    /// stay as they are: they may be half done.
    ///
    /// # Errors
    /// [`LedgerError::OtherSource`] when chunks are there for another source.
    pub async fn plan_chunks(
        &self,
        table: &str,
        source_digest: &str,
        ranges: &[ChunkRange],
    ) -> Result<(), LedgerError> {
        let failed = database("storing the chunks of a table");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        let known: Vec<String> = sqlx::query_scalar(self.sql(include_str!("sql/chunk_digests.sql")))
            .bind(&self.target_schema)
            .bind(table)
            .fetch_all(&mut *transaction)
            .await
            .map_err(&failed)?;
        if known.iter().any(|digest| digest != source_digest) {
            return Err(LedgerError::OtherSource { table: table.to_owned() });
        }
        if known.is_empty() {
            let lower: Vec<Option<i64>> = ranges.iter().map(|range| range.lower).collect();
            let upper: Vec<Option<i64>> = ranges.iter().map(|range| range.upper).collect();
            sqlx::query(self.sql(include_str!("sql/plan_chunks.sql")))
                .bind(&self.target_schema)
                .bind(table)
                .bind(source_digest)
                .bind(lower)
                .bind(upper)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
        transaction.commit().await.map_err(&failed)
    }

    /// Says of tables whose rows are all there that they are another copy: for each the digest before, and the one from now
    /// on. A table whose digest is neither is left as it is. All in one transaction.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn rename_copies<'a>(
        &self,
        tables: impl IntoIterator<Item = (&'a str, [&'a str; 2])>,
    ) -> Result<(), LedgerError> {
        let failed = database("writing how the rows of a table are read");
        let mut transaction = self.pool.begin().await.map_err(&failed)?;
        for (table, [before, after]) in tables {
            for sql in [include_str!("sql/rename_chunks.sql"), include_str!("sql/rename_copy.sql")] {
                sqlx::query(self.sql(sql))
                    .bind(&self.target_schema)
                    .bind(table)
                    .bind(before)
                    .bind(after)
                    .execute(&mut *transaction)
                    .await
                    .map_err(&failed)?;
            }
        }
        transaction.commit().await.map_err(&failed)
    }

    /// The chunks of a table that are not copied yet, in their order.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn pending_chunks(&self, table: &str) -> Result<Vec<Chunk>, LedgerError> {
        let rows: Vec<(i32, Option<i64>, Option<i64>)> =
            sqlx::query_as(self.sql(include_str!("sql/pending_chunks.sql")))
                .bind(&self.target_schema)
                .bind(table)
                .fetch_all(&self.pool)
                .await
                .map_err(database("reading the chunks of a table"))?;
        let chunk = |(number, lower, upper): (i32, _, _)| Chunk {
            number: number.unsigned_abs(),
            range: ChunkRange { lower, upper },
        };
        Ok(rows.into_iter().map(chunk).collect())
    }

    /// The target tables whose copy has begun, by name, finished ones too.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn started_tables(&self) -> Result<BTreeMap<String, Started>, LedgerError> {
        let rows: Vec<(String, String, i64, i64)> =
            sqlx::query_as(self.sql(include_str!("sql/started_tables.sql")))
                .bind(&self.target_schema)
                .fetch_all(&self.pool)
                .await
                .map_err(database("reading how far the copies are"))?;
        let started = |(table, source_digest, written, rejected): (String, String, i64, i64)| {
            let (rows_written, rows_rejected) = (written.unsigned_abs(), rejected.unsigned_abs());
            (table, Started { source_digest, rows_written, rows_rejected })
        };
        Ok(rows.into_iter().map(started).collect())
    }

    /// Takes a chunk for this transaction: the first statement of the transaction that copies it. A session of a dead
    /// run that is still at work on it is waited for. Returns whether there is work: `false` if it is already copied.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchChunk`] when the ledger has no such chunk of this copy.
    pub async fn claim_chunk(
        &self,
        transaction: &mut PgConnection,
        table: &str,
        source_digest: &str,
        number: u32,
    ) -> Result<bool, LedgerError> {
        let pending: Option<bool> = sqlx::query_scalar(self.sql(include_str!("sql/claim_chunk.sql")))
            .bind(&self.target_schema)
            .bind(table)
            .bind(as_integer(number))
            .bind(source_digest)
            .fetch_optional(transaction)
            .await
            .map_err(database("taking a chunk"))?;
        pending.ok_or_else(|| LedgerError::NoSuchChunk { table: table.to_owned(), number })
    }

    /// Records in the chunk's own transaction that it is copied.
    ///
    /// # Errors
    /// [`LedgerError::NoSuchChunk`] when the ledger has no such chunk, or has it as copied.
    pub async fn finish_chunk(
        &self,
        transaction: &mut PgConnection,
        table: &str,
        number: u32,
        counts: ChunkCounts,
    ) -> Result<(), LedgerError> {
        let done = sqlx::query(self.sql(include_str!("sql/finish_chunk.sql")))
            .bind(&self.target_schema)
            .bind(table)
            .bind(as_integer(number))
            .bind(as_bigint(counts.written))
            .bind(as_bigint(counts.nulled))
            .bind(as_bigint(counts.rejected))
            .execute(transaction)
            .await
            .map_err(database("recording a copied chunk"))?;
        if done.rows_affected() == 1 {
            return Ok(());
        }
        Err(LedgerError::NoSuchChunk { table: table.to_owned(), number })
    }

    /// Records that a table is copied, with the sums of its chunks.
    ///
    /// # Errors
    /// [`LedgerError::Unfinished`] while a chunk is pending.
    pub async fn finish_table(
        &self,
        transaction: &mut PgConnection,
        table: &str,
        source_table: &str,
        source_digest: &str,
    ) -> Result<Copied, LedgerError> {
        let failed = database("recording a copied table");
        let pending: i64 = sqlx::query_scalar(self.sql(include_str!("sql/count_pending.sql")))
            .bind(&self.target_schema)
            .bind(table)
            .fetch_one(&mut *transaction)
            .await
            .map_err(&failed)?;
        if pending > 0 {
            return Err(LedgerError::Unfinished { table: table.to_owned(), pending: pending.unsigned_abs() });
        }
        let row: CopiedRow = sqlx::query_as(self.sql(include_str!("sql/finish_table.sql")))
            .bind(&self.target_schema)
            .bind(table)
            .bind(source_table)
            .bind(source_digest)
            .fetch_one(transaction)
            .await
            .map_err(&failed)?;
        Ok(copied(row))
    }

    /// The tables whose rows are all there, by name.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn copied_tables(&self) -> Result<Vec<Copied>, LedgerError> {
        let rows: Vec<CopiedRow> = sqlx::query_as(self.sql(include_str!("sql/copied_tables.sql")))
            .bind(&self.target_schema)
            .fetch_all(&self.pool)
            .await
            .map_err(database("reading which tables are copied"))?;
        Ok(rows.into_iter().map(copied).collect())
    }

    /// Forgets what was copied into a table: for one that was dropped, or is to be copied anew.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn forget_table(&self, transaction: &mut PgConnection, table: &str) -> Result<(), LedgerError> {
        for sql in self.forget_table_sql() {
            sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(&self.target_schema)
                .bind(table)
                .execute(&mut *transaction)
                .await
                .map_err(database("forgetting a table"))?;
        }
        Ok(())
    }
}

fn copied((table, source_table, source_digest, written, nulled, rejected, finished_at): CopiedRow) -> Copied {
    Copied {
        table,
        source_table,
        source_digest,
        rows_written: written.unsigned_abs(),
        rows_nulled: nulled.unsigned_abs(),
        rows_rejected: rejected.unsigned_abs(),
        finished_at,
    }
}

/// PostgreSQL has no unsigned integers; no table has that many chunks.
pub(super) fn as_integer(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

/// PostgreSQL has no unsigned integers; SQLite has no more rows than this.
fn as_bigint(rows: u64) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}
