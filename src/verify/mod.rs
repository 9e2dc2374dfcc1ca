//! The proof that source and target hold the same rows.
//!
//! In: how each table was to be copied ([`TableCopy`]), connections to both sides. Out: for each table a
//! [`TableComparison`], with the rows and columns that differ by name. It shares no conversion code with the writer:
//! the source's cells are read by readers of its own, dates by another library, and the target's rows are decoded
//! from PostgreSQL's binary COPY format.
//!
//! Each side is read once, in whatever order is cheapest, in parallel: SQLite by ranges of rowids, PostgreSQL by
//! ranges of blocks, over sessions that share one snapshot. A row in normal form becomes a 128-bit digest under a
//! secret of the run, and is added into a bucket; a bucket is a count and a sum, so neither side is sorted, and memory
//! does not grow with the rows. Buckets that differ are read again, and compared row by row, cell by cell.
//!
//! The bucket is chosen by the digest of the row's key, not by key ranges: one way for every table, with whatever
//! types in its key or none, without a binary search a row, without a sample of the keys to begin with, and without a
//! word on how the two engines order text. What key ranges would give beyond that, reading again only a part of the
//! table, costs an index scan in key order where the table is not stored so. A table without a key is a multiset: its
//! whole row is its key.
//!
//! What is read as equal is PostgreSQL's own notion where it has one form a value (`jsonb`: members in any order,
//! `1e2` is `100`, but `1.0` is not `1.00`, since it prints them apart; `numeric`: `1.0` is `1.00`), and bits elsewhere
//! (`double precision`: -0.0 is not 0.0).

mod against;
mod certificate;
mod compared_column;
mod copy_rows;
mod decimal;
mod digest;
mod document;
mod error;
mod index_questions;
pub mod jsonb;
mod key_text;
mod locate;
mod moment;
mod pass;
mod rejected;
mod row;
mod schema_state;
mod sequences;
mod shape;
mod source_cell;
mod source_side;
mod target_side;
#[cfg(test)]
mod tests;
mod writers;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use serde::{Deserialize, Serialize};
use sqlx::PgPool;

pub use self::{
    against::recheck,
    certificate::{Against, Certificate, ProofOptions, Sides, prove},
    digest::Seed,
    document::{CERTIFICATE_FORMAT, CertificateError},
    error::VerifyError,
    index_questions::{IndexUse, Verdict},
    rejected::RefusedRows,
    schema_state::{ObjectKind, SchemaObject},
    sequences::SequenceState,
    source_side::Readers,
    writers::Writers,
};
use self::{
    digest::Digester,
    locate::{Gather, Selection},
    pass::{Report, Tally},
    shape::TableShape,
    source_side::SourcePiece,
    target_side::{Sessions, TargetPiece},
};
use crate::schema::{PgType, TableCopy};

/// The most differences of a table that are named; the others are counted.
pub const NAMED_DIFFERENCES: usize = 20;

/// How one table's two sides compare.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableComparison {
    /// The source table.
    pub source: String,
    /// The target table.
    pub target: String,
    /// Rows in the source that the target is to have: all but the rejected ones.
    pub source_rows: u64,
    /// Rows in the target.
    pub target_rows: u64,
    /// The columns that were compared, in the order in which a row is digested.
    pub columns: Vec<ComparedColumn>,
    /// Digest of the source's rows, 32 hexadecimal digits. Made under the run's seed: the same rows have another digest
    /// in another run.
    pub digest: String,
    /// Digest of the target's rows; equal to `digest` if and only if the rows are.
    pub target_digest: String,
    /// What differs, by key; at most [`NAMED_DIFFERENCES`].
    pub differences: Vec<Difference>,
    /// How many differences there are, named or not.
    pub differences_total: u64,
    /// Whether `differences_total` is only the least that it can be: too many rows differ to look at all of them.
    pub differences_at_least: bool,
    /// Values of the source that were written as NULL because the mapping says `on_invalid: set_null`.
    pub exceptions: u64,
    /// Rows of the source that were rejected, because the mapping says `on_invalid: reject`.
    #[serde(default)]
    pub rejected: u64,
}

impl TableComparison {
    /// Whether both sides hold the same.
    pub fn is_equal(&self) -> bool {
        self.differences_total == 0
    }
}

/// A column that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "compared_column::Kept", into = "compared_column::Kept")]
pub struct ComparedColumn {
    /// The target's name for it.
    pub name: String,
    /// The type that it is read as.
    pub pg_type: PgType,
}

/// Something that is not the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// The target table.
    pub table: String,
    /// The row's key, by the target's column names: `track_id=…, snapshot_date=…`. Without a key `rowid=…` in the
    /// source, `ctid=…` in the target. Empty where it is not about a row.
    pub key: String,
    /// What is not the same.
    #[serde(flatten)]
    pub kind: DifferenceKind,
}

/// What is not the same.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum DifferenceKind {
    /// The target lacks the table.
    TableMissing,
    /// The target lacks the column; the others are compared.
    ColumnMissing {
        /// The target's name for it.
        column: String,
    },
    /// The target's column is of another type; the others are compared.
    ColumnType {
        /// The target's name for it.
        column: String,
        /// The type that was planned.
        expected: String,
        /// The type that it has.
        found: String,
    },
    /// The source has the row, the target has not.
    MissingInTarget,
    /// The target has the row, the source has not.
    ExtraInTarget,
    /// The ledger has the row among those that the server refused, and the source has not.
    RejectedNotInSource,
    /// The types refuse another number of the source's rows than the ledger has of them: some are in neither place.
    RejectsNotRecorded {
        /// Rows that the types refuse, as the source is read.
        source_rows: u64,
        /// Rows that the ledger has among those that a type refused.
        recorded_rows: u64,
    },
    /// Both have the row, with other values in these columns.
    CellsDiffer {
        /// The target's names for them.
        columns: Vec<String>,
    },
    /// The target's rows are not those of a certificate; which ones, only the source could tell.
    RowsDiffer {
        /// Rows in the source, as the certificate has it.
        certified_rows: u64,
        /// Rows in the target.
        found_rows: u64,
    },
}

/// One of the two sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// SQLite.
    Source,
    /// PostgreSQL.
    Target,
}

/// Rows were read. A table whose sides differ is read twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// On which side.
    pub side: Side,
    /// Of which table, by its position.
    pub table: usize,
    /// How many since the last time.
    pub rows: u64,
}

/// Stops the source's readers when the comparison is given up.
struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// One comparison under way.
struct Comparison<R> {
    readers: Arc<R>,
    sessions: Sessions,
    shapes: Arc<Vec<TableShape>>,
    schema: String,
    digester: Arc<Digester>,
    jobs: usize,
    report: Report,
    stop: StopOnDrop,
}

/// Compares every row of the tables. `jobs` is the number of readers on each side; the pool may hold it lower. Results
/// are in the order of `tables`.
///
/// # Errors
/// [`VerifyError`]: a side cannot be read. What differs is no error.
pub async fn compare_rows<R: Readers>(
    tables: &[TableCopy],
    schema: &str,
    readers: Arc<R>,
    pool: &PgPool,
    jobs: usize,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Vec<TableComparison>, VerifyError> {
    let refused = RefusedRows::default();
    compare_rows_under(Seed::random(), (tables, &refused), schema, readers, pool, jobs, progress).await
}

/// Compares under a seed that the caller keeps, where the target is not to have the rows that the server refused.
async fn compare_rows_under<R: Readers>(
    seed: Seed,
    (tables, refused): (&[TableCopy], &RefusedRows),
    schema: &str,
    readers: Arc<R>,
    pool: &PgPool,
    jobs: usize,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Vec<TableComparison>, VerifyError> {
    let mut sessions = Sessions::open(pool, jobs.max(1)).await?;
    let shapes = shape::table_shapes(sessions.first(), schema, tables).await?;
    let mut comparison = Comparison {
        readers,
        sessions,
        shapes,
        schema: schema.to_owned(),
        digester: Arc::new(Digester::new(seed.into())),
        jobs: jobs.max(1),
        report: progress,
        stop: StopOnDrop(Arc::new(AtomicBool::new(false))),
    };
    let source = Arc::new(Tally::new(&comparison.shapes, &comparison.digester, &comparison.report));
    let target = Arc::new(Tally::new(&comparison.shapes, &comparison.digester, &comparison.report));
    comparison.read(&source, &target, 0..tables.len()).await?;
    let mut results = Vec::with_capacity(tables.len());
    for table in 0..tables.len() {
        results.push(comparison.result(table, refused, &source, &target).await?);
    }
    comparison.sessions.close().await;
    Ok(results)
}

impl<R: Readers> Comparison<R> {
    /// Reads the tables on both sides at once.
    async fn read<P: pass::Pass>(
        &mut self,
        source: &Arc<P>,
        target: &Arc<P>,
        tables: std::ops::Range<usize>,
    ) -> Result<(), VerifyError> {
        let shapes = &self.shapes;
        let source_pieces: Vec<SourcePiece> =
            tables.clone().flat_map(|table| source_side::pieces(table, &shapes[table])).collect();
        // The largest first, so that no session is left alone with a large one at the end.
        let mut by_size: Vec<usize> = tables.collect();
        by_size.sort_by_key(|&table| std::cmp::Reverse(shapes[table].bytes));
        let target_pieces: Vec<TargetPiece> =
            by_size.into_iter().flat_map(|table| self.sessions.pieces(table, &shapes[table])).collect();
        tokio::try_join!(
            source_side::read(&self.readers, source, source_pieces, self.jobs, &self.stop.0),
            self.sessions.read(&self.schema, target, target_pieces),
        )?;
        Ok(())
    }

    /// What one table came to; where its sides differ, it is read again.
    async fn result(
        &mut self,
        table: usize,
        refused: &RefusedRows,
        source: &Tally,
        target: &Tally,
    ) -> Result<TableComparison, VerifyError> {
        let shape = &self.shapes[table];
        let mut differences = shape.differences.clone();
        // Before others are counted with them.
        let by_type = source.buckets(table).exceptions.rejected;
        differences.extend(refused.not_recorded(shape, by_type));
        let refused = &refused.of(shape);
        let not_in_source = source.take_out(table, refused);
        let (mut comparison, selection) = {
            let (source, target) = (source.buckets(table), target.buckets(table));
            let comparison = TableComparison {
                source: shape.source.clone(),
                target: shape.target.clone(),
                source_rows: source.rows(),
                target_rows: target.rows(),
                columns: shape.compared(),
                digest: source.digest(&self.digester),
                target_digest: target.digest(&self.digester),
                differences: Vec::new(),
                differences_total: 0,
                differences_at_least: false,
                exceptions: source.exceptions.nulled,
                rejected: source.exceptions.rejected,
            };
            (comparison, Selection::new(table, shape, &source, &target))
        };
        // A bucket that is looked into names its own.
        let is_left = |key: u128| !selection.as_ref().is_some_and(|selection| selection.looks_into(key));
        let left = not_in_source.into_iter().filter(|(key, _)| is_left(*key));
        differences.extend(left.map(|(_, row)| rejected::not_in_source(shape, row)));
        if let Some(selection) = selection {
            let unseen = selection.unseen;
            let selection = Arc::new(selection);
            let gather = || Arc::new(Gather::new(&self.shapes, &self.digester, &selection, &self.report));
            let (source, target) = (gather(), gather());
            self.read(&source, &target, table..table + 1).await?;
            differences.extend(source.take_out(refused));
            differences.extend(locate::differences(&source, &target));
            comparison.differences_total = unseen;
            comparison.differences_at_least = unseen > 0;
        }
        comparison.differences_total += differences.len() as u64;
        differences.truncate(NAMED_DIFFERENCES);
        comparison.differences = differences;
        Ok(comparison)
    }
}
