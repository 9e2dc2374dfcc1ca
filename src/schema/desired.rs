//! What the target should be, and how each source table's rows get there.

use std::{collections::BTreeSet, fmt, path::PathBuf};

use serde::Serialize;

use super::{FormerNames, PgType, Schema};
use crate::{mapping::OnInvalid, value::Reading};

/// The outcome of resolving a mapping against an audit. Pure data; `verify` and `apply` read it, nobody changes it.
#[derive(Debug, Clone, Serialize)]
pub struct Desired {
    /// The target schema.
    pub schema: Schema,
    /// One a source table that is carried over, in the order of `schema.tables`.
    pub tables: Vec<TableCopy>,
    /// What the target may still call some of the tables and their columns.
    pub former: Vec<FormerNames>,
    /// What was found on the way: blockers, warnings, notes.
    pub findings: Vec<Finding>,
    /// What becomes of every object of `sqlite_schema`.
    pub fates: Vec<Fate>,
    /// Whether what the target's tables have beside this goes (`prune` in the mapping).
    pub prune: bool,
    /// Where versions are kept, if the mapping names a folder.
    pub versions_dir: Option<PathBuf>,
    /// What identifies the mapping.
    pub mapping_digest: String,
}

impl Desired {
    /// The names under which the target may have the tables: those that they should have, and former ones.
    #[must_use]
    pub fn table_names(&self) -> Vec<String> {
        let names = self.schema.tables.iter().map(|table| &table.name);
        names.chain(self.former.iter().flat_map(|former| &former.of_table)).cloned().collect()
    }

    /// Whether a target table is to have a foreign key.
    #[must_use]
    pub fn refers(&self, table: &str) -> bool {
        self.schema.tables.iter().any(|known| known.name == table && !known.foreign_keys.is_empty())
    }
}

/// How one source table's rows become the target table's.
#[derive(Debug, Clone, Serialize)]
pub struct TableCopy {
    /// The source table.
    pub source: String,
    /// The target table.
    pub target: String,
    /// What happens to a row that the server refuses ([`OnInvalid::Fail`] or [`OnInvalid::Reject`]).
    pub on_invalid: OnInvalid,
    /// The columns that are copied, in the target's order. Columns added by the mapping are not among them.
    pub columns: Vec<ColumnCopy>,
    /// Positions in `columns` that identify a row on both sides (the primary key, else a unique key without NULL). Empty:
    /// the table has no key that both sides share, and is a multiset.
    pub key: Vec<usize>,
    /// How the rowid is read in the source, for naming rows of a table without a key.
    pub rowid_name: Option<String>,
    /// Rows in the source.
    pub rows: u64,
    /// Rowids at which a new chunk begins, from the audit.
    pub chunk_starts: Vec<i64>,
    /// The identity column's next value must be past this; `None`: no identity column.
    pub sequence: Option<Sequence>,
    /// What columns that the source does not have are filled with, once the rows are there.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fills: Vec<Fill>,
}

/// A part of a digest: where a column comes from and where it goes.
fn way(source: &str, target: &str) -> String {
    short(&format!("{source:?} {target:?}"))
}

/// Whether a part of a digest is one of a [`way`]; what is not is told by a letter that no digit is.
fn is_way(part: &str) -> bool {
    !part.contains(['r', 'n'])
}

fn short(text: &str) -> String {
    format!("{:012x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()) >> 16)
}

fn joined(content_digest: &str, parts: impl Iterator<Item = String>) -> String {
    let parts: BTreeSet<String> = parts.collect();
    parts.into_iter().fold(content_digest.to_owned(), |digest, part| digest + "-" + &part)
}

/// What a new column's rows get, where they hold nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fill {
    /// The target column.
    pub column: String,
    /// Its type.
    #[serde(rename = "type")]
    pub pg_type: PgType,
    /// A PostgreSQL expression over the row's other columns.
    pub expression: String,
}

impl TableCopy {
    /// What identifies the rows that this copy writes: the source's content, and of each column where it is, where it goes, how
    /// it is read where that is not plainly, and of which type is what became NULL.
    ///
    /// Other types are not in it: what the target has is its catalogue's to say, and a type that is altered makes of
    /// the rows what a new copy would hold ([`super::Conversion`]). [`OnInvalid::Reject`] counts as [`OnInvalid::Fail`]: the
    /// rows that are written are the same, so that a run that stopped at a row goes on once the mapping rejects it.
    #[must_use]
    pub fn digest(&self, content_digest: &str) -> String {
        let ways = self.columns.iter().map(|column| way(&column.source, &column.target));
        joined(content_digest, ways.chain(self.readings()))
    }

    /// Whether rows of a finished copy of this digest, of which some were `rejected`, are those of this copy, in a table of these
    /// types. A column may have had another of its `former` names, and may have been read more plainly, if nothing was left out
    /// on the way: what is read plainly is not ambiguous, so that whoever gave its column the type that it has must have read it
    /// as this copy does.
    #[must_use]
    pub fn accepts(&self, content_digest: &str, digest: &str, former: &FormerNames, rejected: bool) -> bool {
        let Some(told) = digest.strip_prefix(content_digest) else { return false };
        let told: BTreeSet<&str> = told.split('-').filter(|part| !part.is_empty()).collect();
        let (ways, readings): (BTreeSet<&str>, BTreeSet<&str>) =
            told.into_iter().partition(|part| is_way(part));
        let goes_there = |column: &ColumnCopy| {
            let names = std::iter::once(&column.target).chain(former.of_column(&column.target));
            names.into_iter().any(|name| ways.contains(way(&column.source, name).as_str()))
        };
        let wanted = self.readings();
        let added = wanted.iter().filter(|reading| !readings.contains(reading.as_str()));
        // A value that became NULL says nothing any more.
        let is_sound = |reading: &String| {
            let nulled = format!("{}n", reading.split(['r', 'n']).next().unwrap_or_default());
            !rejected && !readings.iter().any(|told| told.starts_with(&nulled))
        };
        ways.len() == self.columns.len()
            && self.columns.iter().all(goes_there)
            && readings.iter().all(|told| wanted.iter().any(|wanted| wanted == told))
            && added.into_iter().all(is_sound)
    }

    /// The digest of an accepted copy once its columns have been given the types in which this one reads them.
    #[must_use]
    pub fn read_so(&self, content_digest: &str, digest: &str) -> String {
        let ways = digest.split('-').skip(1).filter(|part| is_way(part)).map(str::to_owned);
        joined(content_digest, ways.chain(self.readings()))
    }

    /// How columns are read otherwise than plainly, and what is made of what does not fit, a part of a digest each.
    fn readings(&self) -> Vec<String> {
        let of = |column: &ColumnCopy| {
            let ColumnCopy { source, reading, on_invalid, pg_type, .. } = column;
            let source = short(source);
            let read =
                (*reading != Reading::Plain).then(|| format!("{source}r{}", short(&format!("{reading:?}"))));
            // What became NULL is what this type did not hold.
            let nulled = (*on_invalid == OnInvalid::SetNull)
                .then(|| format!("{source}n{}", short(&format!("{pg_type:?}"))));
            read.into_iter().chain(nulled)
        };
        self.columns.iter().flat_map(of).collect()
    }

    /// Whether a row, or a value of it, may be rejected.
    #[must_use]
    pub fn rejects(&self) -> bool {
        let mut all = self.columns.iter().map(|column| column.on_invalid).chain([self.on_invalid]);
        all.any(|on_invalid| on_invalid == OnInvalid::Reject)
    }
}

/// An identity column's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sequence {
    /// The identity column in the target.
    pub column: String,
    /// The highest value ever used in the source: the greater of max(rowid) and `sqlite_sequence.seq`; 0: none.
    pub last_value: i64,
}

/// How one source column becomes a target column.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnCopy {
    /// The source column.
    pub source: String,
    /// The target column.
    pub target: String,
    /// The target type.
    #[serde(rename = "type")]
    pub pg_type: PgType,
    /// How the cell is read.
    pub reading: Reading,
    /// What happens to a value that the type cannot hold ([`OnInvalid::Fail`], [`OnInvalid::SetNull`] or
    /// [`OnInvalid::Reject`]).
    pub on_invalid: OnInvalid,
    /// Whether the audit has found every value to fit. `apply` reads the same snapshot, so it need not parse JSON again.
    #[serde(skip)]
    pub proven: bool,
    /// Whether every cell that is not NULL is a text.
    #[serde(skip)]
    pub texts_alone: bool,
    /// Which rule gave the type, and why this rung: for people.
    pub reason: String,
    /// The same in its parts.
    #[serde(skip)]
    pub grounds: Grounds,
}

impl ColumnCopy {
    /// Whether the type is known to hold every value. Local times that a zone skips or shows twice show in the copy alone.
    #[must_use]
    pub fn holds_all(&self) -> bool {
        self.proven && !matches!(&self.reading, Reading::AssumeZone(zone) if zone != "UTC")
    }
}

/// Why a column has its type. Printed, it is a sentence's worth: the rule, then the remarks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grounds {
    /// The rule, or the mapping's line.
    pub rule: String,
    /// Why it is no better type, and why not the one that the rule alone would give.
    pub remarks: Vec<String>,
    /// The first row that a better type does not hold; where the mapping demands the type, that this one does not.
    pub counter_example: Option<Refusal>,
}

impl Grounds {
    /// Grounds that need no remark.
    #[must_use]
    pub fn new(rule: String) -> Grounds {
        Grounds { rule, ..Grounds::default() }
    }
}

impl fmt::Display for Grounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rule)?;
        self.remarks.iter().try_for_each(|remark| write!(f, "; {remark}"))
    }
}

/// A type that a column cannot have, and the first row that shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// The type.
    #[serde(rename = "type")]
    pub pg_type: PgType,
    /// The row's key for people, as the audit names it.
    pub key: String,
    /// What is wrong, without the value.
    pub reason: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not {}: {} {}", self.pg_type, self.key, self.reason)
    }
}

/// Something worth saying.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How grave.
    pub severity: Severity,
    /// A kebab-case slug: `type-does-not-fit`, `orphan-rows`, …
    pub code: &'static str,
    /// What, where (table, column, key) and the way out, in one or a few sentences.
    pub message: String,
}

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Forbids the plan.
    Blocker,
    /// Something is not carried over as it was.
    Warning,
    /// Good to know.
    Note,
}

/// What becomes of one object of `sqlite_schema`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fate {
    /// `table`, `index`, `view`, `trigger`, `virtual table`, `shadow table`, `internal table`.
    pub kind: &'static str,
    /// Its name in the source.
    pub name: String,
    /// What happens to it.
    pub outcome: Outcome,
}

/// The three fates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Carried over under this name.
    Migrated(String),
    /// Carried over in another shape, with a word on how.
    Translated(String),
    /// Not carried over, with the reason.
    LeftOut(String),
}
