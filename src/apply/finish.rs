//! After the rows: identity sequences past the highest value ever used, and fresh statistics.

use std::sync::Arc;

use futures_util::{TryStreamExt, stream};
use sqlx::{AssertSqlSafe, Executor};

use super::ApplyError;
use crate::{
    schema::{TableCopy, render},
    target::Target,
};

/// Gathers these tables' statistics, several at the same time.
pub(super) async fn statistics_of(
    target: &Target,
    copies: impl Iterator<Item = Arc<TableCopy>>,
    jobs: usize,
) -> Result<(), ApplyError> {
    stream::iter(copies.map(Ok)).try_for_each_concurrent(jobs, |copy| statistics(target, copy)).await
}

/// Sets a table's identity sequence. Before the table is closed: a run that is cut off later has done it.
pub(super) async fn sequence(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    let name = format!("{}.{}", render::quoted(&target.schema), render::quoted(&copy.target));
    if let Some(sequence) = &copy.sequence {
        let what = format!("the sequence of {}.{} could not be set", copy.target, sequence.column);
        // setval's third argument says whether the value has been used (PostgreSQL's manual, 9.17).
        sqlx::query("SELECT setval(pg_get_serial_sequence($1, $2), greatest($3, 1), $3 > 0)")
            .bind(&name)
            .bind(&sequence.column)
            .bind(sequence.last_value)
            .execute(&target.pool)
            .await
            .map_err(ApplyError::server(what))?;
    }
    Ok(())
}

async fn statistics(target: &Target, copy: Arc<TableCopy>) -> Result<(), ApplyError> {
    let name = format!("{}.{}", render::quoted(&target.schema), render::quoted(&copy.target));
    target
        .pool
        .execute(AssertSqlSafe(format!("ANALYZE {name}")))
        .await
        .map_err(ApplyError::server(format!("{} could not be analysed", copy.target)))?;
    Ok(())
}
