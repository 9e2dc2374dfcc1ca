//! What a table needs beside its rows: its identity sequence past the highest value ever used, its copy closed in the ledger,
//! and fresh statistics.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures_util::{TryStreamExt, stream};
use sqlx::{AssertSqlSafe, Executor};

use super::{ApplyError, TableReport, data::Run};
use crate::{
    audit::Fingerprint,
    schema::{TableCopy, render},
    target::{Copied, Ledger, Target},
};

/// Closes a table whose chunks are all there: as many rows must have been written and rejected as the audit
/// read. It may be done twice.
pub(super) async fn close(table: &TableCopy, run: Run<'_>) -> Result<TableReport, ApplyError> {
    fill(run.target, table).await?;
    advance_sequence(run.target, table).await?;
    let copied = record(run.ledger, run.target, table, run.fingerprint).await?;
    Ok(TableReport {
        source: table.source.clone(),
        target: table.target.clone(),
        rows: copied.rows_written,
        nulled: copied.rows_nulled,
        rejected: copied.rows_rejected,
    })
}

/// Records that all of a table's chunks are there.
async fn record(
    ledger: &Ledger,
    target: &Target,
    copy: &TableCopy,
    fingerprint: &Fingerprint,
) -> Result<Copied, ApplyError> {
    let what = || format!("the copy of {} could not be closed", copy.target);
    let mut transaction = target.pool.begin().await.map_err(ApplyError::server(what()))?;
    let copied = ledger
        .finish_table(&mut transaction, &copy.target, &copy.source, &copy.digest(&fingerprint.content_digest))
        .await?;
    // What is not all there is not closed: the transaction goes back.
    let accounted = copied.rows_written + copied.rows_rejected;
    if accounted != copy.rows {
        return Err(ApplyError::Miscounted {
            table: copy.source.clone(),
            read: copy.rows,
            written: accounted,
        });
    }
    transaction.commit().await.map_err(ApplyError::server(what()))?;
    Ok(copied)
}

/// Forgets an earlier copy of a table that has been emptied or dropped since.
pub(super) async fn forget(ledger: &Ledger, target: &Target, table: &str) -> Result<(), ApplyError> {
    let what = || format!("an earlier copy of {table} could not be forgotten");
    let mut transaction = target.pool.begin().await.map_err(ApplyError::server(what()))?;
    ledger.forget_table(&mut transaction, table).await?;
    transaction.commit().await.map_err(ApplyError::server(what()))
}

/// Fills the columns that the source does not have. Done before the ledger says that the table is copied, and it may be done
/// twice: what is filled stays.
async fn fill(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    for fill in &copy.fills {
        let what = format!("{}.{} could not be filled", copy.target, fill.column);
        let sql = render::fill_column(&copy.target, fill);
        let mut transaction = target.pool.begin().await.map_err(ApplyError::server(&what))?;
        let schema = format!("SET LOCAL search_path = {}, public", render::quoted(&target.schema));
        transaction.execute(AssertSqlSafe(schema)).await.map_err(ApplyError::server(&what))?;
        transaction.execute(AssertSqlSafe(sql)).await.map_err(ApplyError::server(&what))?;
        transaction.commit().await.map_err(ApplyError::server(what))?;
    }
    Ok(())
}

/// Sets a table's identity sequence past the highest value that the source has ever used; never back. Done before the
/// ledger says that the table is copied: a run that is cut off later has done it.
async fn advance_sequence(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    let Some(sequence) = &copy.sequence else { return Ok(()) };
    let what = format!("the sequence of {}.{} could not be set", copy.target, sequence.column);
    // setval's third argument says whether the value has been used (PostgreSQL's manual, 9.17).
    let sql = "SELECT setval(of, greatest($3, used, 1), $3 > 0 OR used IS NOT NULL) \
               FROM (SELECT pg_get_serial_sequence($1, $2)::regclass) AS sequence (of), \
               pg_sequence_last_value(of) AS used";
    sqlx::query(sql)
        .bind(qualified(target, copy))
        .bind(&sequence.column)
        .bind(sequence.last_value)
        .execute(&target.pool)
        .await
        .map_err(ApplyError::server(what))?;
    Ok(())
}

/// Gathers statistics of these tables, several at the same time.
pub(super) async fn analyze(
    target: &Target,
    copies: &[&Arc<TableCopy>],
    jobs: usize,
) -> Result<(), ApplyError> {
    stream::iter(copies.iter().map(Ok))
        .try_for_each_concurrent(jobs, |copy| analyze_table(target, copy))
        .await
}

/// Gathers a table's statistics.
pub(super) async fn analyze_table(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    let sql = format!("ANALYZE {}", qualified(target, copy));
    let what = format!("{} could not be analysed", copy.target);
    target.pool.execute(AssertSqlSafe(sql)).await.map_err(ApplyError::server(what))?;
    Ok(())
}

/// What was begun ahead of its stage.
#[derive(Debug, Clone, Default)]
pub(super) struct Ahead(Arc<Mutex<Begun>>);

#[derive(Debug, Default)]
struct Begun {
    /// The target tables whose statistics are gathered.
    analyzed: BTreeSet<String>,
    lost: bool,
}

impl Ahead {
    fn begun(&self) -> MutexGuard<'_, Begun> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_analyzed(&self, table: &TableCopy) {
        self.begun().analyzed.insert(table.target.clone());
    }

    /// Whether a table's statistics are gathered.
    pub(super) fn is_analyzed(&self, table: &TableCopy) -> bool {
        self.begun().analyzed.contains(&table.target)
    }

    pub(super) fn set_lost(&self) {
        self.begun().lost = true;
    }

    /// Whether something was lost with its connection, so that the server may still be at it.
    pub(super) fn is_lost(&self) -> bool {
        self.begun().lost
    }
}

fn qualified(target: &Target, copy: &TableCopy) -> String {
    format!("{}.{}", render::quoted(&target.schema), render::quoted(&copy.target))
}
