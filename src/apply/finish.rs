//! After the rows: identity sequences past the highest value ever used, and fresh statistics.
//!
//! A table counts as copied only once its sequence is set: so a run that is cut off in between sets it the next time.

use sqlx::{AssertSqlSafe, Executor};

use super::ApplyError;
use crate::{
    schema::{TableCopy, render},
    target::Target,
};

fn name(target: &Target, copy: &TableCopy) -> String {
    format!("{}.{}", render::quoted(&target.schema), render::quoted(&copy.target))
}

/// Sets the table's sequence, if it has one; never back.
pub(super) async fn sequence(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    if let Some(sequence) = &copy.sequence {
        let what = format!("the sequence of {}.{} could not be set", copy.target, sequence.column);
        // setval's third argument says whether the value has been used (PostgreSQL's manual, 9.17).
        let sql = "SELECT setval(of, greatest($3, used, 1), $3 > 0 OR used IS NOT NULL) \
                   FROM (SELECT pg_get_serial_sequence($1, $2)::regclass) AS sequence (of), \
                   pg_sequence_last_value(of) AS used";
        sqlx::query(sql)
            .bind(name(target, copy))
            .bind(&sequence.column)
            .bind(sequence.last_value)
            .execute(&target.pool)
            .await
            .map_err(ApplyError::server(what))?;
    }
    Ok(())
}

/// Gathers the table's statistics.
pub(super) async fn analyse(target: &Target, copy: &TableCopy) -> Result<(), ApplyError> {
    target
        .pool
        .execute(AssertSqlSafe(format!("ANALYZE {}", name(target, copy))))
        .await
        .map_err(ApplyError::server(format!("{} could not be analysed", copy.target)))?;
    Ok(())
}
