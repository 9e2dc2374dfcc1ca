//! A mapping file as a value: each part with the place where it stands, so that a later complaint can point there.

use std::path::PathBuf;

use crate::schema::{EnumType, IndexPart, Period, PgType, ReferentialAction};

/// A value with the place in the mapping file where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub place: Place,
}

/// A place in a mapping file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, serde::Serialize)]
pub struct Place {
    /// The file as it was named; empty for the built-in rules.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

/// A mapping file as a value.
#[derive(Debug, Clone, Default)]
pub struct Mapping {
    /// The file it came from; `None`: the built-in rules alone (`--mapping none`).
    pub path: Option<PathBuf>,
    /// XXH3-128 of the file's bytes, 32 hexadecimal digits.
    pub digest: String,
    /// `prune`: whether columns, constraints and indexes go that a mapped table has and the mapping does not ask for.
    pub prune: bool,
    /// `versions_dir`, relative to the mapping file, made absolute or relative to the working directory by the parser.
    pub versions_dir: Option<PathBuf>,
    /// `schema`: the target schema, unless `--schema` names another.
    pub schema: Option<SchemaEntry>,
    /// `identifiers`.
    pub identifiers: IdentifierPolicy,
    /// `assume_tz`.
    pub assume_zone: Option<String>,
    /// `enums`, each at the place of its name.
    pub enums: Vec<Placed<EnumType>>,
    /// `tables`, in the order of the file.
    pub tables: Vec<TableEntry>,
    /// `rules` of the file, followed by the built-in ones.
    pub rules: Vec<Rule>,
    /// The file's text, so that a later mistake can be shown where it stands ([`super::MappingError::from_mistakes`]).
    pub text: String,
}

impl Mapping {
    /// The enumerated types, in the order of the file.
    #[must_use]
    pub fn enum_types(&self) -> Vec<EnumType> {
        self.enums.iter().map(|placed| placed.value).collect()
    }
}

/// `schema`.
#[derive(Debug, Clone)]
pub struct SchemaEntry {
    /// `name`, or the entry itself.
    pub name: Placed<String>,
    /// `moved_from`: the schema in which the target may still have the tables.
    pub moved_from: Option<Placed<String>>,
}

/// How names are carried over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum IdentifierPolicy {
    /// As they are.
    #[default]
    Preserve,
    /// In lower case.
    Lower,
    /// `camelCase` and `Some Name` as `camel_case` and `some_name`.
    Snake,
}

/// `tables.NAME`.
#[derive(Debug, Clone)]
pub struct TableEntry {
    /// The source table's name; where the source still has one out of `renamed_from`, the target's.
    pub name: Placed<String>,
    /// `renamed_from`: what the table was called, in the source or in the target, the latest name first.
    pub renamed_from: Vec<Placed<String>>,
    /// `on_invalid`: [`OnInvalid::Fail`] or [`OnInvalid::Reject`]; the columns' own goes before it.
    pub on_invalid: Option<Placed<OnInvalid>>,
    /// `partition_by`.
    pub partition_by: Option<PartitionEntry>,
    /// `comment`.
    pub comment: Option<String>,
    /// `columns`.
    pub columns: Vec<ColumnEntry>,
    /// `add_columns`.
    pub add_columns: Vec<AddColumn>,
    /// `indexes`; `None`: the source's own are carried over. `Some` replaces nothing: these are added to the source's.
    pub indexes: Vec<IndexEntry>,
    /// `checks`: name and expression.
    pub checks: Vec<CheckEntry>,
    /// `foreign_keys`: added where the source declares none over the same columns, else they replace that one.
    pub foreign_keys: Vec<ForeignKeyEntry>,
}

/// `tables.NAME.partition_by`.
#[derive(Debug, Clone)]
pub struct PartitionEntry {
    /// `range`: the source column.
    pub column: Placed<String>,
    /// `every`.
    pub every: Period,
}

/// `tables.NAME.columns.NAME`.
#[derive(Debug, Clone)]
pub struct ColumnEntry {
    /// The source column's name; where the source still has one out of `renamed_from`, the target's.
    pub name: Placed<String>,
    /// `renamed_from`: what the column was called, in the source or in the target, the latest name first.
    pub renamed_from: Vec<Placed<String>>,
    /// `type`.
    pub pg_type: Option<Placed<PgType>>,
    /// `from`: `epoch_s`, `epoch_ms`, `epoch_us`.
    pub from: Option<Placed<EpochUnit>>,
    /// `on_invalid`.
    pub on_invalid: Option<Placed<OnInvalid>>,
    /// `collate`: a PostgreSQL collation (`C`).
    pub collate: Option<String>,
    /// `not_null`.
    pub not_null: Option<bool>,
    /// `default`: a PostgreSQL expression.
    pub default: Option<String>,
    /// `check`: a PostgreSQL expression.
    pub check: Option<Placed<String>>,
    /// `comment`.
    pub comment: Option<String>,
}

/// The unit of a number that is a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochUnit {
    /// `epoch_s`
    Seconds,
    /// `epoch_ms`
    Milliseconds,
    /// `epoch_us`
    Microseconds,
}

/// What to do with a value that the demanded type cannot hold, or, for a table, with a row that the server refuses.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// Refuse the plan, naming the rows.
    #[default]
    Fail,
    /// Write NULL instead; counted, reported, and expected by `verify`.
    SetNull,
    /// The column becomes text.
    Text,
    /// The whole row goes to the rejects instead of the target; counted, reported, and left out by `verify`.
    Reject,
}

/// `tables.NAME.add_columns.NAME`: a column that the source does not have.
#[derive(Debug, Clone)]
pub struct AddColumn {
    /// The column's name in the target.
    pub name: Placed<String>,
    /// `renamed_from`: what the column was called in the target, the latest name first.
    pub renamed_from: Vec<Placed<String>>,
    /// `type`.
    pub pg_type: Placed<PgType>,
    /// `default`: a PostgreSQL expression.
    pub default: Option<String>,
    /// `as`: a PostgreSQL expression that the rows which are there are filled with, once.
    pub fill: Option<String>,
    /// `generated`: a PostgreSQL expression, in place of a default.
    pub generated: Option<String>,
    /// `not_null`.
    pub not_null: bool,
    /// `comment`.
    pub comment: Option<String>,
}

/// `tables.NAME.indexes[]`.
#[derive(Debug, Clone)]
pub struct IndexEntry {
    /// `name`.
    pub name: Placed<String>,
    /// `method`, by default `btree`.
    pub method: String,
    /// `unique`.
    pub unique: bool,
    /// `columns` (each a column's name, or `{column, opclass, order, nulls}`) or `expression`. Column names are the source's.
    pub parts: Vec<Placed<IndexPart>>,
    /// `include`: the source's column names.
    pub include: Vec<Placed<String>>,
    /// `nulls_distinct: false`.
    pub nulls_not_distinct: bool,
    /// `where`.
    pub predicate: Option<String>,
}

/// `tables.NAME.checks[]`.
#[derive(Debug, Clone)]
pub struct CheckEntry {
    /// `name`.
    pub name: Placed<String>,
    /// `expression`.
    pub expression: Placed<String>,
}

/// `tables.NAME.foreign_keys[]`.
#[derive(Debug, Clone)]
pub struct ForeignKeyEntry {
    /// `name`; by default PostgreSQL's own pattern.
    pub name: Option<String>,
    /// `columns`.
    pub columns: Vec<Placed<String>>,
    /// `references.table`.
    pub parent_table: Placed<String>,
    /// `references.columns`; by default the parent's primary key.
    pub parent_columns: Vec<Placed<String>>,
    /// `on_update`.
    pub on_update: ReferentialAction,
    /// `on_delete`.
    pub on_delete: ReferentialAction,
}

/// A rule: which columns it is for, and the ladder of types to try.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where it stands.
    pub place: Place,
    /// `declared`: a glob over the declared type, any case (`DATETIME*`).
    pub declared: Option<String>,
    /// `column`: a glob over the column's name.
    pub column: Option<String>,
    /// `affinity`.
    pub affinity: Option<crate::audit::Affinity>,
    /// `to`: the ladder, best first.
    pub to: Vec<Rung>,
}

/// One rung of a ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rung {
    /// A type as it stands.
    Type(PgType),
    /// `numeric(declared)`: `numeric` with the precision and scale of the declared type, where it has them.
    NumericAsDeclared,
}
