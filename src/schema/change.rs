//! One difference between what the target is and what it should be.

use serde::Serialize;

use super::{Check, Column, ForeignKey, Index, IndexPart, Key, Table};

/// A change of the target's schema, as `diff` finds it and [`super::render`] writes it.
///
/// What `diff` finds and no variant here can express is a blocker of the plan, never a silent no.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Makes a table with its columns and checks; keys, indexes and foreign keys are changes of their own.
    CreateTable(Table),
    /// Adds a column to a table that is there.
    AddColumn {
        /// The table.
        table: String,
        /// The column.
        column: Column,
    },
    /// Adds a check to a table that is there.
    AddCheck {
        /// The table.
        table: String,
        /// The check.
        check: Check,
    },
    /// Adds a primary key or a unique constraint.
    AddKey {
        /// The table.
        table: String,
        /// The key.
        key: Key,
    },
    /// Makes an index.
    CreateIndex {
        /// The table.
        table: String,
        /// The index.
        index: Index,
    },
    /// Adds a foreign key that binds new rows only (`NOT VALID`).
    AddForeignKey {
        /// The table.
        table: String,
        /// The foreign key.
        foreign_key: ForeignKey,
    },
    /// Checks the rows that are there against a foreign key (`VALIDATE CONSTRAINT`).
    ValidateForeignKey {
        /// The table.
        table: String,
        /// The constraint's name.
        name: String,
    },
}

/// When a change is made, in pg_dump's sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Section {
    /// Before the rows: relations and their columns.
    PreData,
    /// After the rows: keys, indexes, foreign keys, which are cheaper to build at once.
    PostData,
}

impl Change {
    /// When it is made.
    #[must_use]
    pub fn section(&self) -> Section {
        match self {
            Change::CreateTable(_) | Change::AddColumn { .. } | Change::AddCheck { .. } => Section::PreData,
            Change::AddKey { .. }
            | Change::CreateIndex { .. }
            | Change::AddForeignKey { .. }
            | Change::ValidateForeignKey { .. } => Section::PostData,
        }
    }

    /// The table that it is about.
    #[must_use]
    pub fn table(&self) -> &str {
        match self {
            Change::CreateTable(table) => &table.name,
            Change::AddColumn { table, .. }
            | Change::AddCheck { table, .. }
            | Change::AddKey { table, .. }
            | Change::CreateIndex { table, .. }
            | Change::AddForeignKey { table, .. }
            | Change::ValidateForeignKey { table, .. } => table,
        }
    }

    /// A line for people, without its sign: `table tracks`, `index tracks_payload on tracks using gin (raw_json)`.
    #[must_use]
    pub fn summary(&self) -> String {
        match self {
            Change::CreateTable(table) => format!("table {}", table.name),
            Change::AddColumn { table, column } => {
                format!("column {table}.{} {}", column.name, column.pg_type)
            }
            Change::AddCheck { table, check } => {
                format!("check {} on {table}: {}", check.name, check.expression)
            }
            Change::AddKey { table, key } => {
                let kind = if key.primary { "primary key" } else { "unique constraint" };
                format!("{kind} {} on {table} ({})", key.name, key.columns.join(", "))
            }
            Change::CreateIndex { table, index } => {
                let kind = if index.unique { "unique index" } else { "index" };
                let part = |part: &IndexPart| {
                    let words =
                        [Some(part.key.text()), part.opclass.as_deref(), part.descending.then_some("DESC")];
                    words.into_iter().flatten().collect::<Vec<_>>().join(" ")
                };
                let parts: Vec<String> = index.parts.iter().map(part).collect();
                let only = index.predicate.as_ref().map(|rows| format!(" where {rows}")).unwrap_or_default();
                let Index { name, method, .. } = index;
                format!("{kind} {name} on {table} using {method} ({}){only}", parts.join(", "))
            }
            Change::AddForeignKey { table, foreign_key } => format!(
                "foreign key {} on {table} ({}) to {} ({}){}",
                foreign_key.name,
                foreign_key.columns.join(", "),
                foreign_key.parent_table,
                foreign_key.parent_columns.join(", "),
                if foreign_key.valid { "" } else { ", not valid" }
            ),
            Change::ValidateForeignKey { table, name } => {
                format!("validation of foreign key {name} on {table}")
            }
        }
    }
}

impl Change {
    /// When a change can be made, relative to others: tables, columns, checks, keys, indexes, foreign keys, validations.
    #[must_use]
    pub fn rank(&self) -> u8 {
        match self {
            Change::CreateTable(_) => 0,
            Change::AddColumn { .. } => 1,
            Change::AddCheck { .. } => 2,
            Change::AddKey { .. } => 3,
            Change::CreateIndex { .. } => 4,
            Change::AddForeignKey { .. } => 5,
            Change::ValidateForeignKey { .. } => 6,
        }
    }

    /// Whether a change says what an object is; a validation only says that it holds.
    #[must_use]
    pub fn defines(&self) -> bool {
        !matches!(self, Change::ValidateForeignKey { .. })
    }
}
