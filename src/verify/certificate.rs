//! The certificate: the rows' comparison, and beside it whether schema and sequences are what the plan chose.

use std::sync::Arc;

use serde::Serialize;
use sqlx::AssertSqlSafe;

use super::{Progress, Readers, RefusedRows, TableComparison, VerifyError, compare_rows_but};
use crate::{
    audit::{Audit, Fingerprint},
    diff::{self, Difference},
    inspect::{Catalogue, Live},
    schema::{Desired, TableCopy, render},
    target::Target,
};

/// What was compared, and how it came out.
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    /// Whether nothing differs.
    pub equal: bool,
    /// The source file as it was named.
    pub source: String,
    /// What identifies its content.
    pub fingerprint: Fingerprint,
    /// What identifies the mapping.
    pub mapping_digest: String,
    /// The target schema.
    pub target_schema: String,
    /// The server's version, as it says it.
    pub server_version: String,
    /// This program's version.
    pub mtm_version: &'static str,
    /// Every table's rows.
    pub tables: Vec<TableComparison>,
    /// What of the schema is not as desired: a missing or invalid index or constraint, a sequence behind.
    pub schema_differences: Vec<String>,
}

/// Both sides of a proof, and what the earlier stages found out about them.
#[derive(Debug, Clone, Copy)]
pub struct Sides<'a> {
    /// What the source holds.
    pub audit: &'a Audit,
    /// What the target should be.
    pub desired: &'a Desired,
    /// The same in PostgreSQL's words.
    pub normal: &'a Catalogue,
    /// What the target is.
    pub live: &'a Live,
}

/// Proves that the target holds what the source holds: rows and cells, then keys, indexes, constraints, sequences.
///
/// # Errors
/// [`VerifyError`]: a side cannot be read. What differs is no error; it is in the certificate.
pub async fn prove<R: Readers>(
    sides: Sides<'_>,
    readers: Arc<R>,
    target: &Target,
    jobs: usize,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Certificate, VerifyError> {
    let Sides { audit, desired, normal, live } = sides;
    let refused = RefusedRows::read(target, &desired.tables).await?;
    let schema = &desired.schema.name;
    let tables =
        compare_rows_but(&desired.tables, &refused, schema, readers, &target.pool, jobs, progress).await?;
    let mut schema_differences = schema_differences(desired, normal, live);
    for table in &desired.tables {
        // A missing table has been told already.
        if live.catalogue.tables.contains_key(&table.target) {
            schema_differences.extend(sequence_behind(target, table).await?);
        }
    }
    Ok(Certificate {
        equal: schema_differences.is_empty() && tables.iter().all(TableComparison::is_equal),
        source: audit.path.clone(),
        fingerprint: audit.fingerprint.clone(),
        mapping_digest: desired.mapping_digest.clone(),
        target_schema: desired.schema.name.clone(),
        server_version: target.server.version.clone(),
        mtm_version: env!("CARGO_PKG_VERSION"),
        tables,
        schema_differences,
    })
}

fn schema_differences(desired: &Desired, normal: &Catalogue, live: &Live) -> Vec<String> {
    let Difference { changes, beyond } = diff::between(&desired.schema, normal, &live.catalogue);
    changes.iter().map(|change| format!("{}: it is missing", change.summary())).chain(beyond).collect()
}

/// Whether the next value of an identity column could be one that is taken; in words, if so.
async fn sequence_behind(target: &Target, table: &TableCopy) -> Result<Option<String>, VerifyError> {
    let Some(sequence) = &table.sequence else { return Ok(None) };
    let failed = |error: &sqlx::Error| {
        VerifyError::target(format!("the sequence of table `{}` could not be read", table.target), error)
    };
    let name = format!("{}.{}", render::quoted(&target.schema), render::quoted(&table.target));
    let of: Option<String> = sqlx::query_scalar("SELECT pg_get_serial_sequence($1, $2)")
        .bind(&name)
        .bind(&sequence.column)
        .fetch_one(&target.pool)
        .await
        .map_err(|error| failed(&error))?;
    let column = format!("{}.{}", table.target, sequence.column);
    let Some(of) = of else { return Ok(Some(format!("{column}: it has no sequence"))) };
    // pg_get_serial_sequence quotes the name where it needs quotes.
    let sql = format!(
        "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END, \
         (SELECT max({})::bigint FROM {name}) FROM {of}",
        render::quoted(&sequence.column)
    );
    let (used, highest): (i64, Option<i64>) =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&target.pool).await.map_err(|error| failed(&error))?;
    let needed = highest.unwrap_or(0).max(sequence.last_value);
    Ok((used < needed).then(|| format!("{column}: its sequence stands at {used}, and {needed} is taken")))
}
