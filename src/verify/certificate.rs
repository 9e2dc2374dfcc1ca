//! The certificate: the rows' comparison, and beside it whether schema, sequences and indexes are what the plan chose.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    DifferenceKind, IndexUse, Progress, Readers, RefusedRows, SchemaObject, SequenceState, TableComparison,
    VerifyError, Writers, compare_rows_under, digest::Seed, index_questions, schema_state, sequences,
    writers,
};
use crate::{
    audit::{Audit, Fingerprint},
    inspect::{Catalogue, Live},
    schema::Desired,
    target::Target,
};

/// What was compared, and how it came out.
///
/// It is also what a certificate's file holds ([`Certificate::document`]), so that the target can be checked again
/// without the source ([`super::recheck`]).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Certificate {
    /// Whether nothing differs.
    pub equal: bool,
    /// The source file as it was named.
    pub source: String,
    /// What identifies its content.
    pub fingerprint: Fingerprint,
    /// What identifies the mapping.
    pub mapping_digest: String,
    /// The target: `user@host:port/database`. No password.
    pub target: String,
    /// The target schema.
    pub target_schema: String,
    /// The server's version, as it says it.
    pub server_version: String,
    /// The version of the SQLite library that read the source.
    pub sqlite_version: String,
    /// This program's version.
    pub mtm_version: String,
    /// When the run began: UTC, RFC 3339.
    pub started_at: String,
    /// When it was done.
    pub finished_at: String,
    /// How long it took, in milliseconds.
    pub duration_milliseconds: u64,
    /// Under which the digests were made. Drawn anew for each proof, and public afterwards.
    pub seed: Seed,
    /// The certificate that the target was held against, in place of the source.
    pub against: Option<Against>,
    /// Every table's rows.
    pub tables: Vec<TableComparison>,
    /// Every column, constraint and index that the target should have, and how it stands.
    pub schema: Vec<SchemaObject>,
    /// Every identity sequence, and where it stands.
    pub sequences: Vec<SequenceState>,
    /// Every index, and whether the planner can use it for the question that it is there for.
    pub indexes: Vec<IndexUse>,
    /// How writers got on beside one another, where that was asked for.
    pub writers: Option<Writers>,
    /// What of schema, sequences and indexes is not as it should be, in sentences.
    pub schema_differences: Vec<String>,
}

/// Which certificate a target was held against.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Against {
    /// Its checksum.
    pub checksum: String,
    /// When it was made: UTC, RFC 3339.
    pub finished_at: String,
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

/// How a proof is made.
#[derive(Debug, Clone, Copy)]
pub struct ProofOptions {
    /// Readers on each side.
    pub jobs: usize,
    /// Writers that are let loose at once; 0: none.
    pub writers: usize,
    /// When the run began.
    pub started: Timestamp,
}

impl Certificate {
    /// Draws the conclusion from what was found.
    pub(super) fn conclude(mut self, options: &ProofOptions) -> Certificate {
        self.equal = self.schema_differences.is_empty()
            && self.tables.iter().all(TableComparison::is_equal)
            && self.writers.as_ref().is_none_or(|writers| writers.waited == 0);
        let finished = Timestamp::now();
        let took = finished.duration_since(options.started).as_millis();
        self.started_at = clock(options.started);
        self.finished_at = clock(finished);
        self.duration_milliseconds = u64::try_from(took).unwrap_or(0);
        self
    }

    /// Looks at what is beside the rows: schema, sequences, indexes.
    ///
    /// # Errors
    /// The target cannot be read.
    pub(super) async fn judge_beside_rows(
        &mut self,
        live: &Catalogue,
        target: &Target,
    ) -> Result<(), VerifyError> {
        let (pool, schema) = (&target.pool, target.schema.as_str());
        let missing = |table: &TableComparison| {
            table.differences.iter().any(|d| d.kind == DifferenceKind::TableMissing)
        };
        let told =
            self.tables.iter().filter(|table| missing(table)).map(|table| table.target.as_str()).collect();
        let mut sentences = schema_state::judge(pool, schema, live, &told, &mut self.schema).await?;
        sentences.extend(sequences::judge(pool, schema, live, &mut self.sequences).await?);
        let (indexes, unused) = index_questions::judge(pool, schema, &self.schema).await?;
        self.indexes = indexes;
        self.schema_differences = sentences;
        self.schema_differences.extend(unused);
        Ok(())
    }
}

/// Lets writers loose, where that is asked for. It comes first: a role that may not write should not learn so when all
/// rows have been read.
///
/// # Errors
/// The target cannot be written to.
pub(super) async fn try_writers(
    target: &Target,
    tables: &[&str],
    options: &ProofOptions,
) -> Result<Option<Writers>, VerifyError> {
    match options.writers {
        0 => Ok(None),
        count => Ok(Some(writers::at_once(target, tables, count).await?)),
    }
}

/// A moment to the second, in UTC.
fn clock(moment: Timestamp) -> String {
    moment.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Proves that the target holds what the source holds: rows and cells, then keys, indexes, constraints, sequences.
///
/// # Errors
/// [`VerifyError`]: a side cannot be read. What differs is no error; it is in the certificate.
pub async fn prove<R: Readers>(
    sides: Sides<'_>,
    readers: Arc<R>,
    target: &Target,
    options: ProofOptions,
    progress: Arc<dyn Fn(Progress) + Send + Sync>,
) -> Result<Certificate, VerifyError> {
    let Sides { audit, desired, normal, live } = sides;
    let names: Vec<&str> = desired.tables.iter().map(|table| table.target.as_str()).collect();
    let writers = try_writers(target, &names, &options).await?;
    let seed = Seed::random();
    let refused = RefusedRows::read(target, &desired.tables).await?;
    let rows = compare_rows_under(
        seed,
        (&desired.tables, &refused),
        &desired.schema.name,
        readers,
        &target.pool,
        options.jobs,
        progress,
    );
    let mut certificate = Certificate {
        equal: false,
        source: audit.path.clone(),
        fingerprint: audit.fingerprint.clone(),
        mapping_digest: desired.mapping_digest.clone(),
        target: target.display.clone(),
        target_schema: desired.schema.name.clone(),
        server_version: target.server.version.clone(),
        sqlite_version: rusqlite::version().to_owned(),
        mtm_version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: String::new(),
        finished_at: String::new(),
        duration_milliseconds: 0,
        seed,
        against: None,
        tables: rows.await?,
        schema: schema_state::expected(desired, normal),
        sequences: sequences::expected(&desired.tables),
        indexes: Vec::new(),
        writers,
        schema_differences: Vec::new(),
    };
    certificate.judge_beside_rows(&live.catalogue, target).await?;
    Ok(certificate.conclude(&options))
}
