//! Starting over: rows of an earlier copy go, so that those of today can come.

use sqlx::{AssertSqlSafe, Executor};

use super::ApplyError;
use crate::{
    plan::StartOver,
    schema::render,
    target::{Ledger, Target},
};

/// Empties tables that an earlier run has filled, and forgets that it did, in one transaction.
///
/// # Errors
/// [`ApplyError::Server`], where a table that is not among them refers to one, or the role may not truncate.
pub async fn start_over(target: &Target, tables: &StartOver) -> Result<(), ApplyError> {
    let StartOver { emptied, forgotten } = tables;
    let what = || format!("{} could not be emptied", emptied.join(", "));
    if Ledger::find(target).await?.is_none() {
        return Ok(());
    }
    // It may be an older one, which knows of less that is to be forgotten.
    let ledger = Ledger::install(target).await?;
    let mut transaction = target.pool.begin().await.map_err(ApplyError::server(what()))?;
    if !emptied.is_empty() {
        let schema = render::quoted(&target.schema);
        let names: Vec<String> =
            emptied.iter().map(|table| format!("{schema}.{}", render::quoted(table))).collect();
        // All in one statement, since they may refer to one another (PostgreSQL's manual, "TRUNCATE").
        let sql = format!("TRUNCATE {}", names.join(", "));
        transaction.execute(AssertSqlSafe(sql)).await.map_err(ApplyError::server(what()))?;
    }
    for table in emptied.iter().chain(forgotten) {
        ledger.forget_table(&mut transaction, table).await?;
    }
    transaction.commit().await.map_err(ApplyError::server(what()))
}
