//! What an audit found, as values.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::schema::{EnumType, ReferentialAction};

/// Everything that one full scan found.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    /// The file as it was named.
    pub path: String,
    /// What identifies the content.
    pub fingerprint: Fingerprint,
    /// `PRAGMA encoding`: `UTF-8`, `UTF-16le`, `UTF-16be`.
    pub encoding: String,
    /// `PRAGMA journal_mode`: `delete`, `wal`, …
    pub journal_mode: String,
    /// Lines of `PRAGMA quick_check` other than `ok`; `None`: it was not made.
    pub quick_check: Option<Vec<String>>,
    /// Ordinary tables, in `sqlite_schema` order; no virtual, shadow or `sqlite_…` table.
    pub tables: Vec<TableAudit>,
    /// Every other object of `sqlite_schema`: views, triggers, virtual tables and their shadow tables, `sqlite_…` tables.
    pub others: Vec<OtherObject>,
}

/// The content's identity: equal for equal rows and schema, whatever the file's pages look like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct Fingerprint {
    /// XXH3-128 over the schema's SQL and every cell of every table, 32 hexadecimal digits. Independent of row order,
    /// of VACUUM and of checkpoints.
    pub content_digest: String,
    /// All rows of all ordinary tables.
    pub rows: u64,
}

/// An object that is not an ordinary table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OtherObject {
    /// `view`, `trigger`, `virtual table`, `shadow table`, `internal table`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// For a trigger, its table; for a shadow table, its virtual table.
    pub belongs_to: Option<String>,
    /// Its SQL, where it has one.
    pub sql: Option<String>,
}

/// One ordinary table.
#[derive(Debug, Clone, Serialize)]
pub struct TableAudit {
    /// The table's name.
    pub name: String,
    /// Its `CREATE TABLE` statement.
    pub sql: String,
    /// `WITHOUT ROWID`.
    pub without_rowid: bool,
    /// `STRICT`.
    pub strict: bool,
    /// `AUTOINCREMENT`.
    pub autoincrement: bool,
    /// The column that is an alias of the rowid (`INTEGER PRIMARY KEY`), if any.
    pub rowid_alias: Option<String>,
    /// The name under which the rowid can be read (`rowid`, `_rowid_` or `oid`, or the alias); `None`: it cannot.
    pub rowid_name: Option<String>,
    /// `sqlite_sequence.seq` for this table: the highest rowid ever used.
    pub sequence: Option<i64>,
    /// Row count.
    pub rows: u64,
    /// The highest rowid present.
    pub max_rowid: Option<i64>,
    /// Rowids at which a new chunk begins (the first chunk begins at the lowest rowid): about
    /// [`CHUNK_BYTES`] of cells lie between two. Empty where the rowid cannot be read or the table is small.
    pub chunk_starts: Vec<i64>,
    /// Bytes of all cells (text and blob bytes, 8 for a number).
    pub cell_bytes: u64,
    /// The columns, generated ones included.
    pub columns: Vec<ColumnAudit>,
    /// The primary key's columns, in key order; empty: none. From `PRAGMA table_xinfo`.
    pub primary_key: Vec<String>,
    /// Rows with NULL in a column of the primary key, and the first one's key.
    pub primary_key_nulls: Option<Violation>,
    /// Indexes, those of UNIQUE and PRIMARY KEY constraints too (`origin`).
    pub indexes: Vec<IndexAudit>,
    /// Foreign keys, checked against the rows.
    pub foreign_keys: Vec<ForeignKeyAudit>,
    /// `CHECK` expressions as written in the SQL (best effort; SQLite has no pragma for them).
    pub checks: Vec<String>,
    /// Those of `checks` that some row does not meet, or that could not be tried on the rows, each with the reason.
    pub unmet_checks: BTreeMap<String, String>,
}

/// Bytes of cells in one chunk: large enough that a chunk's transaction costs nothing beside its rows, small enough
/// that a killed run loses little.
pub const CHUNK_BYTES: u64 = 16 << 20;

/// How many rows break something, and where the first one is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// How many rows.
    pub rows: u64,
    /// The first one's key, as [`CounterExample::key`].
    pub first_key: String,
}

/// One column: what it declares and what it holds.
#[derive(Debug, Clone, Serialize)]
pub struct ColumnAudit {
    /// The column's name.
    pub name: String,
    /// The declared type, as written; empty where there is none.
    pub declared_type: String,
    /// The affinity that follows from it (SQLite, "Datatypes", 3.1).
    pub affinity: Affinity,
    /// `NOT NULL`.
    pub not_null: bool,
    /// The default's SQL text.
    pub default: Option<String>,
    /// Whether the column is computed (`GENERATED ALWAYS AS`).
    pub generated: bool,
    /// Cells by storage class. (In a UTF-16 file a text without a UTF-8 form counts as a blob; see
    /// [`Source::cell`](crate::source::Source::cell).)
    pub storage: StorageClasses,
    /// Lowest and highest integer, where there are integers.
    pub integer_range: Option<(i64, i64)>,
    /// Lowest and highest real, where there are reals.
    pub real_range: Option<(f64, f64)>,
    /// The longest text in characters, where there are texts of valid UTF-8.
    pub longest_text_chars: Option<u64>,
    /// The longest text or blob in bytes, where there are any.
    pub longest_bytes: Option<u64>,
    /// A short sample of a JSON object or array, at most 200 characters, where the column holds them.
    pub json_sample: Option<String>,
    /// What every value of the column was tried as; a type that is not here was never in question.
    #[serde(skip)]
    pub evidence: Evidence,
}

/// SQLite's five affinities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Affinity {
    /// `INTEGER`
    Integer,
    /// `TEXT`
    Text,
    /// `BLOB` (formerly "none")
    Blob,
    /// `REAL`
    Real,
    /// `NUMERIC`
    Numeric,
}

/// How many cells are of each storage class (SQLite, "Datatypes", 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StorageClasses {
    /// NULL
    pub null: u64,
    /// INTEGER
    pub integer: u64,
    /// REAL
    pub real: u64,
    /// TEXT
    pub text: u64,
    /// BLOB
    pub blob: u64,
}

/// A row that a type cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CounterExample {
    /// The row's key for people: `track_id=4uLU6hMCjMI75M1A2tKUQC`, `rowid=17`. Never another cell's value; key values
    /// are cut to 80 characters.
    pub key: String,
    /// What is wrong, without the value.
    pub reason: String,
}

/// What each candidate type made of the column's values.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// For each probe the first rows that do not fit (at most [`EXAMPLES`]) and how many there are.
    pub misfits: BTreeMap<Probe, Misfits>,
    /// For each enumerated type that was asked about the same.
    pub labels: BTreeMap<EnumType, Misfits>,
    /// The range over all values that read as `bigint`, with the keys of the rows that hold lowest and highest.
    pub bigint_range: Option<[(i64, String); 2]>,
    /// Most digits before the point, and most behind it, over all values that read as `numeric`, each with its row's key.
    pub numeric_digits: Option<[(u32, String); 2]>,
    /// The row with the longest text, in characters, over all values that read as `text`.
    pub longest_text: Option<(u64, String)>,
    /// The first rows with a text, whatever it reads as.
    pub texts: Vec<String>,
    /// The first rows with an infinite real.
    pub infinities: Vec<String>,
    /// The first rows with a number that is no midnight, counted in seconds, milliseconds, microseconds since 1970.
    pub not_midnight: [Option<String>; 3],
    /// The lowest and the highest of the texts that read as a date (in days), a timestamp, a timestamptz (in microseconds),
    /// since 2000.
    pub moments: BTreeMap<Probe, (i64, i64)>,
    /// The rows of [`ColumnAudit::integer_range`]'s ends.
    pub integer_keys: Option<[String; 2]>,
    /// The rows of [`ColumnAudit::real_range`]'s ends.
    pub real_keys: Option<[String; 2]>,
}

/// How many examples of a misfit are kept.
pub const EXAMPLES: usize = 5;

/// The values that one type cannot hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misfits {
    /// How many were found; once a probe is hopeless (more than [`EXAMPLES`]) it is tried no more, so this is a lower bound
    /// unless the probe is [`Probe::Jsonb`], [`Probe::Text`] or [`Probe::Date`], which count to the end.
    pub rows: u64,
    /// The first of them.
    pub examples: Vec<CounterExample>,
}

/// The types that every value is tried as. Narrower ones (`smallint`, `varchar(n)`, `numeric(p,s)`) follow from the ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Probe {
    /// `boolean`
    Boolean,
    /// `bigint`
    BigInt,
    /// `numeric`
    Numeric,
    /// `double precision`
    DoublePrecision,
    /// `text`
    Text,
    /// `jsonb`
    Jsonb,
    /// `date`
    Date,
    /// `time`
    Time,
    /// `timestamp`
    Timestamp,
    /// `timestamptz`, every value with an offset
    Timestamptz,
    /// `timestamptz`, where a text without an offset is taken in an assumed zone
    TimestamptzAssumed,
    /// `uuid`
    Uuid,
}

/// An index of SQLite's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexAudit {
    /// Its name.
    pub name: String,
    /// `c`: CREATE INDEX, `u`: UNIQUE constraint, `pk`: PRIMARY KEY (`PRAGMA index_list`).
    pub origin: String,
    /// `UNIQUE`.
    pub unique: bool,
    /// The key parts, in order: column (`None`: an expression), `DESC`, collation.
    pub parts: Vec<IndexPartAudit>,
    /// Whether it is partial.
    pub partial: bool,
    /// Its SQL, where it has one.
    pub sql: Option<String>,
}

/// One key part of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct IndexPartAudit {
    /// The column; `None`: an expression or the rowid.
    pub column: Option<String>,
    /// `DESC`.
    pub descending: bool,
    /// `BINARY`, `NOCASE`, `RTRIM` or an application's own.
    pub collation: String,
}

/// A foreign key of SQLite's, with what the rows say of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ForeignKeyAudit {
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The table referred to, as written.
    pub parent_table: String,
    /// The columns referred to; the parent's primary key where the declaration leaves them out; empty where the parent has
    /// none or is missing.
    pub parent_columns: Vec<String>,
    /// `ON UPDATE`.
    pub on_update: ReferentialAction,
    /// `ON DELETE`.
    pub on_delete: ReferentialAction,
    /// Whether the parent is an ordinary table of this file.
    pub parent_exists: bool,
    /// Rows whose parent is missing.
    pub orphans: Option<Violation>,
    /// Why the rows could not be checked (a collation that only the application has, a column that the parent lacks).
    pub unchecked: Option<String>,
}
