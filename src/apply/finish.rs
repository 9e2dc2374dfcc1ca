//! What a table needs beside its rows: its identity sequence past the highest value ever used, and fresh statistics.

use std::sync::Arc;

use futures_util::{TryStreamExt, stream};
use sqlx::{AssertSqlSafe, Executor};

use super::ApplyError;
use crate::{
    schema::{TableCopy, render},
    target::Target,
};

/// Sets a table's identity sequence past the highest value that the source has ever used; never back. Done before the
/// ledger says that the table is copied: a run that is cut off later has done it.
pub(super) async fn advance_sequence(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
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
    copies: impl Iterator<Item = Arc<TableCopy>>,
    jobs: usize,
) -> Result<(), ApplyError> {
    stream::iter(copies.map(Ok))
        .try_for_each_concurrent(jobs, |copy| async move {
            let sql = format!("ANALYZE {}", qualified(target, &copy));
            let what = format!("{} could not be analysed", copy.target);
            target.pool.execute(AssertSqlSafe(sql)).await.map_err(ApplyError::server(what))?;
            Ok(())
        })
        .await
}

fn qualified(target: &Target, copy: &TableCopy) -> String {
    format!("{}.{}", render::quoted(&target.schema), render::quoted(&copy.target))
}
