//! What the SQLite file holds, found by reading every row once, not by believing its declarations.
//!
//! In: a [`Source`]. Out: an [`Audit`], the only thing later stages know of the source. Tables are read in parallel, one
//! reader each; `PRAGMA quick_check`, the checks and the foreign keys are jobs beside them.

mod broken_rows;
mod catalogue;
mod checks;
mod column;
mod days;
mod declarations;
mod evidence;
mod fingerprint;
mod fits;
mod foreign_keys;
mod keys;
mod labels;
mod model;
mod rows;

use std::{
    collections::BTreeMap,
    sync::{
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc,
    },
};

use rusqlite::Connection;

use crate::{schema::EnumType, source::Source};

pub use broken_rows::rows_that_break;
pub use model::{
    Affinity, Audit, CHUNK_BYTES, ColumnAudit, CounterExample, EXAMPLES, Evidence, Fingerprint,
    ForeignKeyAudit, IndexAudit, IndexPartAudit, Misfits, OtherObject, Probe, StorageClasses, TableAudit,
    Violation,
};

/// How far a scan has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The table that was just read from.
    pub table: String,
    /// Rows of this table so far.
    pub rows: u64,
    /// Bytes of cells of all tables so far.
    pub cell_bytes: u64,
    /// Bytes of the file: roughly what `cell_bytes` will come to, or somewhat more.
    pub file_bytes: u64,
}

/// Why a file could not be audited.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// The schema could not be read.
    #[error("the schema cannot be read")]
    Schema(#[source] rusqlite::Error),
    /// A table could not be read to its end.
    #[error(
        "{path}: table {table} cannot be read (after {rows} rows); if the file is damaged, save what is left with the sqlite3 shell's .recover"
    )]
    Table {
        /// The file as it was named.
        path: String,
        /// The table.
        table: String,
        /// Rows that were read before.
        rows: u64,
        /// What SQLite says.
        #[source]
        source: rusqlite::Error,
    },
    /// A thread of the scan died: a bug.
    #[error("the scan of table {table} ended without a result; please report this")]
    Lost {
        /// The table.
        table: String,
    },
}

/// How much of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Schema, rows, and by `PRAGMA quick_check` whether the file's own structure is sound.
    Whole,
    /// Schema and rows: for a second look at a file that the whole was seen of.
    Rows,
}

/// A part of the scan that one reader does by itself; a table comes with its position.
enum Job<'a> {
    Rows(usize, &'a catalogue::Table),
    QuickCheck,
    Checks(usize, &'a catalogue::Table),
    ForeignKeys(usize, &'a catalogue::Table),
}

impl Job<'_> {
    /// The jobs of a scan, the long ones first.
    fn all(tables: &[catalogue::Table], depth: Depth) -> Vec<Job<'_>> {
        let each = || tables.iter().enumerate();
        each()
            .map(|(at, table)| Job::Rows(at, table))
            .chain((depth == Depth::Whole).then_some(Job::QuickCheck))
            .chain(
                each()
                    .filter(|(_, table)| !declarations::checks(&table.sql).is_empty())
                    .map(|(at, table)| Job::Checks(at, table)),
            )
            .chain(
                each()
                    .filter(|(_, table)| !table.foreign_keys.is_empty())
                    .map(|(at, table)| Job::ForeignKeys(at, table)),
            )
            .collect()
    }
}

/// What a job found.
enum Found {
    Rows(usize, Box<rows::TableRows>),
    QuickCheck(Vec<String>),
    Checks(usize, BTreeMap<String, String>),
    ForeignKeys(usize, Vec<ForeignKeyAudit>),
    Failed(usize, AuditError),
    Progress(Progress),
}

/// Reads the schema and every row of every ordinary table, with all the source's readers, and reports how far it is. Every
/// value is tried as each of `enums` too, the enumerated types of a mapping.
///
/// # Errors
/// [`AuditError`] where SQLite cannot read the schema or a table. What is merely wrong with the data is no error but a part
/// of the [`Audit`].
pub fn scan(
    source: &Source,
    depth: Depth,
    enums: &[EnumType],
    progress: &dyn Fn(Progress),
) -> Result<Audit, AuditError> {
    let catalogue = catalogue::read(&source.reader()).map_err(AuditError::Schema)?;
    let tables = &catalogue.tables;
    let jobs = Job::all(tables, depth);
    let next = AtomicUsize::new(0);
    let cell_bytes = AtomicU64::new(0);
    let (sender, receiver) = mpsc::channel();
    let mut found = Findings::default();
    std::thread::scope(|scope| {
        for _ in 0..source.readers().min(jobs.len()) {
            let sender = sender.clone();
            let (jobs, next, cell_bytes) = (&jobs, &next, &cell_bytes);
            scope.spawn(move || {
                let reader = source.reader();
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let report = |table: &str, rows, more_bytes| {
                        let cell_bytes = cell_bytes.fetch_add(more_bytes, Ordering::Relaxed) + more_bytes;
                        let progress = Progress {
                            table: table.to_owned(),
                            rows,
                            cell_bytes,
                            file_bytes: source.file_bytes(),
                        };
                        let _ = sender.send(Found::Progress(progress));
                    };
                    // The receiver outlives the threads, so sending cannot fail.
                    let _ = sender.send(run(job, source, &reader, (tables, enums), &report));
                }
            });
        }
        drop(sender);
        for message in receiver {
            match message {
                Found::Progress(step) => progress(step),
                message => found.take(message),
            }
        }
    });
    found.into_audit(source, catalogue)
}

/// Does one job.
fn run(
    job: &Job<'_>,
    source: &Source,
    reader: &Connection,
    (tables, enums): (&[catalogue::Table], &[EnumType]),
    report: &dyn Fn(&str, u64, u64),
) -> Found {
    match *job {
        Job::QuickCheck => Found::QuickCheck(catalogue::quick_check(reader)),
        Job::Rows(at, table) => match rows::scan(source, reader, (table, enums), report) {
            Ok(rows) => Found::Rows(at, Box::new(rows)),
            Err(error) => Found::Failed(at, error),
        },
        Job::Checks(at, table) => Found::Checks(at, checks::unmet(reader, table)),
        Job::ForeignKeys(at, table) => {
            Found::ForeignKeys(at, foreign_keys::check(source, reader, table, tables))
        }
    }
}

/// What the jobs found so far.
#[derive(Default)]
struct Findings {
    rows: BTreeMap<usize, Box<rows::TableRows>>,
    foreign_keys: BTreeMap<usize, Vec<ForeignKeyAudit>>,
    unmet_checks: BTreeMap<usize, BTreeMap<String, String>>,
    quick_check: Option<Vec<String>>,
    /// Of several failures the one of the first table is told, so that the message is always the same.
    failures: BTreeMap<usize, AuditError>,
}

impl Findings {
    fn take(&mut self, found: Found) {
        match found {
            Found::Rows(at, rows) => {
                self.rows.insert(at, rows);
            }
            Found::ForeignKeys(at, checked) => {
                self.foreign_keys.insert(at, checked);
            }
            Found::Checks(at, unmet) => {
                self.unmet_checks.insert(at, unmet);
            }
            Found::QuickCheck(lines) => self.quick_check = Some(lines),
            Found::Failed(at, error) => {
                self.failures.insert(at, error);
            }
            Found::Progress(_) => {}
        }
    }

    fn into_audit(mut self, source: &Source, catalogue: catalogue::Catalogue) -> Result<Audit, AuditError> {
        if let Some((_, error)) = self.failures.pop_first() {
            return Err(error);
        }
        let mut fingerprint = fingerprint::Content::of(&catalogue);
        let mut tables = Vec::new();
        for (at, table) in catalogue.tables.into_iter().enumerate() {
            let Some(rows) = self.rows.remove(&at) else {
                return Err(AuditError::Lost { table: table.name });
            };
            fingerprint.add_table(&table.name, rows.rows, rows.digest, table.sequence);
            let foreign_keys = self.foreign_keys.remove(&at).unwrap_or_default();
            let unmet_checks = self.unmet_checks.remove(&at).unwrap_or_default();
            tables.push(table.into_audit(*rows, foreign_keys, unmet_checks));
        }
        Ok(Audit {
            path: source.path().display().to_string(),
            fingerprint: fingerprint.finish(),
            encoding: source.encoding().to_owned(),
            journal_mode: source.journal_mode().to_owned(),
            quick_check: self.quick_check,
            tables,
            others: catalogue.others,
        })
    }
}

#[cfg(test)]
mod tests;
