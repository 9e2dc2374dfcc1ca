//! A schema as PostgreSQL's catalogue has it: definitions in the server's own words, so that two of them compare.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use sqlx::{PgConnection, Row};

use super::InspectError;
use crate::schema::{EnumType, literal, render};

/// Some tables of one schema, as the catalogue has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// By relation name.
    pub tables: BTreeMap<String, LiveTable>,
    /// The enumerated types that were asked for, and those that columns of the tables are of, by name as `format_type` writes it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub types: BTreeMap<String, LiveEnum>,
}

impl Catalogue {
    /// The enumerated types that columns of these tables are of.
    #[must_use]
    pub(super) fn types_of(&self, tables: &[String]) -> BTreeMap<String, LiveEnum> {
        let of_tables = tables.iter().filter_map(|name| self.tables.get(name));
        let names: BTreeSet<&String> =
            of_tables.flat_map(|table| &table.columns).map(|column| &column.type_name).collect();
        let used = self.types.iter().filter(|(name, _)| names.contains(name));
        used.map(|(name, of)| (name.clone(), of.clone())).collect()
    }

    /// Whether every table, column, constraint and index of another catalogue is here, as it is there.
    #[must_use]
    pub fn holds(&self, other: &Catalogue) -> bool {
        let types = other.types.iter().all(|(name, wanted)| self.types.get(name) == Some(wanted));
        let holds = |(name, wanted): (&String, &LiveTable)| {
            self.tables.get(name).is_some_and(|table| {
                let partitions = &table.partitions;
                let all = |here: &BTreeMap<String, Definition>, there: &BTreeMap<String, Definition>| {
                    there.iter().all(|(name, wanted)| here.get(name) == Some(wanted))
                };
                table.defines(wanted)
                    && all(&table.constraints, &wanted.constraints)
                    && all(&table.indexes, &wanted.indexes)
                    && wanted.partitions.iter().all(|(name, bounds)| partitions.get(name) == Some(bounds))
            })
        };
        types && other.tables.iter().all(holds)
    }
}

impl LiveTable {
    /// Whether every column, constraint and index of another table is here, by the same definition, and the rows lie on
    /// partitions by the same key. Not asked is which partitions there are, and whether what is defined holds.
    #[must_use]
    pub fn defines(&self, wanted: &LiveTable) -> bool {
        let all = |here: &BTreeMap<String, Definition>, there: &BTreeMap<String, Definition>| {
            there.iter().all(|(name, wanted)| here.get(name).is_some_and(|found| found.sql == wanted.sql))
        };
        wanted.columns.iter().all(|column| self.columns.iter().any(|found| found.is(column)))
            && (wanted.comment.is_none() || wanted.comment == self.comment)
            && all(&self.constraints, &wanted.constraints)
            && all(&self.indexes, &wanted.indexes)
            && self.partition_key == wanted.partition_key
    }
}

/// An enumerated type as the catalogue has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveEnum {
    /// Its labels, in their order.
    pub labels: Vec<String>,
}

impl LiveEnum {
    /// As the catalogue has this type.
    #[must_use]
    pub fn of(wanted: EnumType) -> LiveEnum {
        LiveEnum { labels: wanted.labels().to_vec() }
    }

    /// The type as `CREATE TYPE` has it, but for its name.
    #[must_use]
    pub fn words(&self) -> String {
        let literals: Vec<String> = self.labels.iter().map(|label| literal(label)).collect();
        format!("ENUM ({})", literals.join(", "))
    }
}

/// A table as the catalogue has it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveTable {
    /// Its columns, in order.
    pub columns: Vec<LiveColumn>,
    /// Its constraints, by name.
    pub constraints: BTreeMap<String, Definition>,
    /// Its indexes that no constraint owns, by name.
    pub indexes: BTreeMap<String, Definition>,
    /// The tables that its foreign keys refer to, itself among them where one does.
    pub parents: BTreeSet<String>,
    /// What it is partitioned by (`pg_get_partkeydef`); `None`: it is an ordinary table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_key: Option<String>,
    /// Its partitions by name, each with its bounds in the server's words.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub partitions: BTreeMap<String, String>,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A column as the catalogue has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveColumn {
    /// Its name.
    pub name: String,
    /// Its type, as `format_type` writes it.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Its collation, where it is not the type's own.
    pub collation: Option<String>,
    /// `NOT NULL`.
    pub not_null: bool,
    /// Its default.
    pub default: Option<String>,
    /// `GENERATED … AS IDENTITY`: `a`, `d` or empty (`pg_attribute.attidentity`).
    pub identity: String,
    /// `GENERATED ALWAYS AS (…)`: `s` where it is stored, `v` where it is virtual, or empty (`pg_attribute.attgenerated`).
    pub generated: String,
    /// What is said of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl LiveColumn {
    /// The column as CREATE TABLE would say it, but for its name.
    #[must_use]
    pub fn words(&self) -> String {
        let mut words = self.type_name.clone();
        if let Some(collation) = &self.collation {
            words.push_str(" COLLATE ");
            words.push_str(&render::quoted(collation));
        }
        if self.not_null {
            words.push_str(" NOT NULL");
        }
        match (&self.default, self.generated.as_str()) {
            (Some(expression), "") => words.push_str(&format!(" DEFAULT {expression}")),
            (expression, "s") => {
                let expression = expression.as_deref().unwrap_or_default();
                words.push_str(&format!(" GENERATED ALWAYS AS ({expression}) STORED"));
            }
            (Some(expression), _) => words.push_str(&format!(" GENERATED ALWAYS AS ({expression}) VIRTUAL")),
            (None, _) => {}
        }
        words.push_str(match self.identity.as_str() {
            "a" => " GENERATED ALWAYS AS IDENTITY",
            "d" => " GENERATED BY DEFAULT AS IDENTITY",
            _ => "",
        });
        words
    }

    /// Whether it is what another one is. What is said of it beside that is no difference.
    fn is(&self, wanted: &LiveColumn) -> bool {
        match wanted.comment {
            Some(_) => self == wanted,
            None => LiveColumn { comment: None, ..self.clone() } == *wanted,
        }
    }
}

/// A constraint or an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Definition {
    /// What it is, in the server's words.
    pub sql: String,
    /// Whether it holds for all rows (a constraint), or can be used (an index).
    pub valid: bool,
}

/// The columns of tables.
const COLUMNS: &str = include_str!("columns.sql");
/// Their constraints.
const CONSTRAINTS: &str = include_str!("constraints.sql");
/// Their indexes.
const INDEXES: &str = include_str!("indexes.sql");
/// How their rows lie on partitions.
const PARTITIONS: &str = include_str!("partitions.sql");
/// All that is asked of the catalogue, and so what a [`LiveTable`] means.
pub(super) const QUESTIONS: [&str; 4] = [COLUMNS, CONSTRAINTS, INDEXES, PARTITIONS];

/// A namespace whose relations are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Namespace<'a> {
    /// The session's temporary schema, where scratch copies are made.
    Scratch,
    /// A schema by name.
    Schema(&'a str),
}

/// The namespace's oid; `None`: there is none of that name.
pub(super) async fn oid(
    connection: &mut PgConnection,
    namespace: Namespace<'_>,
) -> Result<Option<sqlx::postgres::types::Oid>, InspectError> {
    let row = match namespace {
        Namespace::Scratch => sqlx::query("SELECT pg_my_temp_schema()").fetch_optional(connection).await?,
        Namespace::Schema(name) => {
            sqlx::query("SELECT oid FROM pg_namespace WHERE nspname = $1")
                .bind(name)
                .fetch_optional(connection)
                .await?
        }
    };
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// Reads the named tables, the named enumerated types, and those that the tables' columns are of.
pub(super) async fn read(
    connection: &mut PgConnection,
    namespace: Namespace<'_>,
    tables: &[String],
    types: &[String],
) -> Result<Catalogue, InspectError> {
    let mut catalogue = Catalogue::default();
    let Some(oid) = oid(connection, namespace).await? else { return Ok(catalogue) };
    for row in sqlx::query(COLUMNS).bind(oid).bind(tables).fetch_all(&mut *connection).await? {
        let table = catalogue.tables.entry(row.try_get("table_name")?).or_default();
        table.comment = row.try_get("table_comment")?;
        table.columns.push(LiveColumn {
            name: row.try_get("column_name")?,
            type_name: row.try_get("type")?,
            collation: row.try_get("collation")?,
            not_null: row.try_get("not_null")?,
            default: row.try_get("default_expression")?,
            identity: row.try_get("identity")?,
            generated: row.try_get("generated")?,
            comment: row.try_get("comment")?,
        });
    }
    for row in sqlx::query(CONSTRAINTS).bind(oid).bind(tables).fetch_all(&mut *connection).await? {
        let table = catalogue.tables.entry(row.try_get("table_name")?).or_default();
        let definition = Definition { sql: row.try_get("definition")?, valid: row.try_get("valid")? };
        table.constraints.insert(row.try_get("name")?, definition);
        table.parents.extend(row.try_get::<Option<String>, _>("parent")?);
    }
    for row in sqlx::query(INDEXES).bind(oid).bind(tables).fetch_all(&mut *connection).await? {
        let table = catalogue.tables.entry(row.try_get("table_name")?).or_default();
        let definition = Definition { sql: row.try_get("definition")?, valid: row.try_get("valid")? };
        table.indexes.insert(row.try_get("name")?, definition);
    }
    for row in sqlx::query(PARTITIONS).bind(oid).bind(tables).fetch_all(&mut *connection).await? {
        let table = catalogue.tables.entry(row.try_get("table_name")?).or_default();
        table.partition_key = row.try_get("partition_key")?;
        let partition: (Option<String>, Option<String>) = (row.try_get("name")?, row.try_get("bounds")?);
        table.partitions.extend(partition.0.zip(partition.1));
    }
    for row in sqlx::query(include_str!("types.sql"))
        .bind(oid)
        .bind(tables)
        .bind(types)
        .fetch_all(&mut *connection)
        .await?
    {
        catalogue.types.insert(row.try_get("name")?, LiveEnum { labels: row.try_get("labels")? });
    }
    Ok(catalogue)
}
