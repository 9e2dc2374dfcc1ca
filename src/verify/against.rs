//! A target checked again without its source: against the digests that a certificate kept.
//!
//! In: a certificate, and the target as it is. Out: a new certificate, about the same source. The target's rows are read
//! as a proof reads them, under the certificate's seed, so that the same rows give the same digests.
//!
//! What this can say is less than a proof says. A table whose digest differs is named, its rows are not: to name them
//! takes the source. And the seed is known to everybody who has the certificate, while XXH3 is no cryptographic hash and
//! a sum of 128-bit digests is no cryptographic set hash: who wants to can make other rows that add up to the same. It
//! finds what happens by accident, a row that was lost or changed, not what somebody forges on purpose; against that
//! helps a proof with the source, which draws a seed that nobody could know when the rows were written.

use std::sync::Arc;

use sqlx::PgPool;

use super::{
    Certificate, Difference, DifferenceKind, NAMED_DIFFERENCES, Progress, ProofOptions, TableComparison,
    VerifyError,
    certificate::{Against, try_writers},
    digest::Digester,
    pass::Tally,
    shape::{self, TableShape},
    target_side::{Sessions, TargetPiece},
};
use crate::{
    inspect::Catalogue,
    mapping::OnInvalid,
    schema::{ColumnCopy, Grounds, TableCopy},
    target::Target,
    value::Reading,
};

/// Checks that the target still holds what a certificate says of its source. `checksum` is the certificate's, `live` the
/// catalogue of its tables in the target.
///
/// # Errors
/// [`VerifyError`]: the target cannot be read. What differs is no error; it is in the new certificate.
pub async fn recheck(
    certificate: Certificate,
    checksum: String,
    live: &Catalogue,
    target: &Target,
    options: ProofOptions,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Certificate, VerifyError> {
    let against = Some(Against { checksum, finished_at: certificate.finished_at.clone() });
    let names: Vec<&str> = certificate.tables.iter().map(|table| table.target.as_str()).collect();
    let writers = try_writers(target, &names, &options).await?;
    let digester = Arc::new(Digester::new(certificate.seed.into()));
    let tables =
        compare(&certificate.tables, &digester, &target.schema, &target.pool, options.jobs, &progress)
            .await?;
    let mut recheck = Certificate {
        target: target.display.clone(),
        target_schema: target.schema.clone(),
        server_version: target.server.version.clone(),
        mtm_version: env!("CARGO_PKG_VERSION").to_owned(),
        against,
        tables,
        writers,
        ..certificate
    };
    recheck.judge_beside_rows(live, target).await?;
    Ok(recheck.conclude(&options))
}

/// Reads the target's tables and holds their digests against the certified ones.
async fn compare(
    certified: &[TableComparison],
    digester: &Arc<Digester>,
    schema: &str,
    pool: &PgPool,
    jobs: usize,
    progress: &Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Vec<TableComparison>, VerifyError> {
    let mut sessions = Sessions::open(pool, jobs.max(1)).await?;
    let copies: Vec<TableCopy> = certified.iter().map(copy).collect();
    let shapes = shape::table_shapes(sessions.first(), schema, &copies).await?;
    let tally = Arc::new(Tally::new(&shapes, digester, progress));
    let pieces = pieces(&sessions, &shapes);
    sessions.read(schema, &tally, pieces).await?;
    sessions.close().await;
    let found = certified.iter().zip(shapes.iter()).enumerate().map(|(at, (certified, shape))| {
        let buckets = tally.buckets(at);
        result(certified, shape, buckets.rows(), buckets.digest(digester))
    });
    Ok(found.collect())
}

fn pieces(sessions: &Sessions, shapes: &[TableShape]) -> Vec<TargetPiece> {
    // The largest first, so that no session is left alone with a large one at the end.
    let mut by_size: Vec<usize> = (0..shapes.len()).collect();
    by_size.sort_by_key(|&table| std::cmp::Reverse(shapes[table].bytes));
    by_size.into_iter().flat_map(|table| sessions.pieces(table, &shapes[table])).collect()
}

/// How the target's columns are read: by name and type. What a source's cells would need plays no part.
fn copy(table: &TableComparison) -> TableCopy {
    let column = |column: &super::ComparedColumn| ColumnCopy {
        source: column.name.clone(),
        target: column.name.clone(),
        pg_type: column.pg_type,
        reading: Reading::Plain,
        on_invalid: OnInvalid::Fail,
        proven: false,
        texts_alone: false,
        reason: String::new(),
        grounds: Grounds::default(),
    };
    TableCopy {
        source: table.source.clone(),
        target: table.target.clone(),
        on_invalid: OnInvalid::Fail,
        columns: table.columns.iter().map(column).collect(),
        key: Vec::new(),
        rowid_name: None,
        rows: table.source_rows,
        chunk_starts: Vec::new(),
        sequence: None,
        fills: Vec::new(),
    }
}

fn result(
    certified: &TableComparison,
    shape: &TableShape,
    target_rows: u64,
    target_digest: String,
) -> TableComparison {
    let mut differences = shape.differences.clone();
    // Where a column could not be read, the digest says nothing.
    if differences.is_empty() && target_digest != certified.digest {
        let kind =
            DifferenceKind::RowsDiffer { certified_rows: certified.source_rows, found_rows: target_rows };
        differences.push(Difference { table: certified.target.clone(), key: String::new(), kind });
    }
    let differences_total = differences.len() as u64;
    differences.truncate(NAMED_DIFFERENCES);
    TableComparison {
        target_rows,
        target_digest,
        differences,
        differences_total,
        // How many rows differ is not known.
        differences_at_least: differences_total > 0,
        ..certified.clone()
    }
}
