//! After the rows: identity sequences past the highest value ever used, and fresh statistics.

use sqlx::{AssertSqlSafe, Executor};

use super::ApplyError;
use crate::{
    schema::{TableCopy, render},
    target::Target,
};

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

/// Gathers a table's statistics.
pub(super) async fn statistics(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    let name = format!("{}.{}", render::quoted(&target.schema), render::quoted(&copy.target));
    target
        .pool
        .execute(AssertSqlSafe(format!("ANALYZE {name}")))
        .await
        .map_err(ApplyError::server(format!("{} could not be analysed", copy.target)))?;
    Ok(())
}
