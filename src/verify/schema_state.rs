//! The objects of the target's schema: what each should be, in PostgreSQL's words, and what is wrong with it.
//!
//! In: the desired schema in the server's words, or a certificate's list of it, and the target's catalogue. Out: the
//! list, each object with its problem where it has one. It is held against the catalogue alone, so that a certificate
//! can be checked again where neither source nor mapping is at hand. It asks for more than a plan does: a key whose
//! index is invalid, a check that old rows are not bound by, a foreign key whose triggers are off.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use sqlx::PgPool;

use super::VerifyError;
use crate::{
    inspect::{Catalogue, LiveColumn, LiveEnum, LiveTable},
    schema::{Desired, render},
};

/// One object of the target's schema, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaObject {
    /// Its table.
    pub table: String,
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// What it should be, in the server's own words.
    pub definition: String,
    /// Whether it should hold for the rows that are there; a foreign key may be wanted `NOT VALID`.
    pub valid: bool,
    /// What is not as it should be.
    pub problem: Option<String>,
}

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A column.
    Column,
    /// An enumerated type; it stands under its own name, in place of a table's.
    Type,
    /// A primary key.
    PrimaryKey,
    /// A unique constraint.
    UniqueConstraint,
    /// A check.
    Check,
    /// A foreign key.
    ForeignKey,
    /// An index that no constraint owns.
    Index,
    /// What the table is partitioned by; its name is the table's.
    Partitioning,
}

impl ObjectKind {
    /// The words for people.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            ObjectKind::Column => "column",
            ObjectKind::Type => "type",
            ObjectKind::PrimaryKey => "primary key",
            ObjectKind::UniqueConstraint => "unique constraint",
            ObjectKind::Check => "check",
            ObjectKind::ForeignKey => "foreign key",
            ObjectKind::Index => "index",
            ObjectKind::Partitioning => "partitioning",
        }
    }

    /// From how `pg_get_constraintdef` begins.
    fn of_constraint(definition: &str) -> ObjectKind {
        let kinds = [
            ("PRIMARY KEY", ObjectKind::PrimaryKey),
            ("UNIQUE", ObjectKind::UniqueConstraint),
            ("FOREIGN KEY", ObjectKind::ForeignKey),
        ];
        let found = kinds.iter().find(|(word, _)| definition.starts_with(word));
        found.map_or(ObjectKind::Check, |(_, kind)| *kind)
    }

    /// Whether there is an index by its name.
    pub(super) fn has_index(self) -> bool {
        matches!(self, ObjectKind::PrimaryKey | ObjectKind::UniqueConstraint | ObjectKind::Index)
    }
}

/// What the target's schema should be, `normal` being the desired one in the server's words.
pub(super) fn expected(desired: &Desired, normal: &Catalogue) -> Vec<SchemaObject> {
    let types = desired.schema.enums.iter().filter_map(|of| Some((of.name(), normal.types.get(of.name())?)));
    let mut objects: Vec<SchemaObject> = types
        .map(|(name, found)| SchemaObject {
            table: name.to_owned(),
            kind: ObjectKind::Type,
            name: name.to_owned(),
            definition: found.words(),
            valid: true,
            problem: None,
        })
        .collect();
    for table in &desired.schema.tables {
        let Some(words) = normal.tables.get(&table.name) else { continue };
        let mut push = |kind, name: &str, definition: String, valid| {
            let (table, name) = (table.name.clone(), name.to_owned());
            objects.push(SchemaObject { table, kind, name, definition, valid, problem: None });
        };
        for column in &words.columns {
            push(ObjectKind::Column, &column.name, column.words(), true);
        }
        for (name, constraint) in &words.constraints {
            // In scratch no foreign key is validated.
            let not_valid = table.foreign_keys.iter().any(|key| key.name == *name && !key.valid);
            push(ObjectKind::of_constraint(&constraint.sql), name, constraint.sql.clone(), !not_valid);
        }
        for (name, index) in &words.indexes {
            push(ObjectKind::Index, name, index.sql.clone(), true);
        }
        if let Some(key) = &words.partition_key {
            push(ObjectKind::Partitioning, &table.name, key.clone(), true);
        }
    }
    objects
}

/// Holds the objects against the target, and gives what is wrong in sentences. `told`: tables whose rows' comparison says
/// already that they are missing.
///
/// # Errors
/// The catalogue cannot be read.
pub(super) async fn judge(
    pool: &PgPool,
    schema: &str,
    live: &Catalogue,
    told: &BTreeSet<&str>,
    objects: &mut [SchemaObject],
) -> Result<Vec<String>, VerifyError> {
    let hindrances = hindrances(pool, schema, live).await?;
    let mut sentences = Vec::new();
    let mut without_table = BTreeSet::new();
    for object in &mut *objects {
        if object.kind == ObjectKind::Type {
            object.problem = match live.types.get(&object.name).map(LiveEnum::words) {
                None => Some("it is missing, or no column is of it".to_owned()),
                Some(found) if found != object.definition => {
                    Some(format!("it is {found}, and should be {}", object.definition))
                }
                Some(_) => None,
            };
            sentences.extend(object.problem.as_ref().map(|problem| sentence(object, problem)));
            continue;
        }
        let Some(table) = live.tables.get(&object.table) else {
            object.problem = Some("its table is missing".to_owned());
            // Rows can be read from a view too, so their comparison need not say so.
            if !told.contains(object.table.as_str()) && without_table.insert(object.table.clone()) {
                sentences.push(format!("{}: there is no such table", object.table));
            }
            continue;
        };
        let hindrance = hindrances.get(&(object.table.clone(), object.name.clone()));
        object.problem = problem(object, table, hindrance);
        sentences.extend(object.problem.as_ref().map(|problem| sentence(object, problem)));
    }
    sentences.extend(unfillable(objects, live));
    Ok(sentences)
}

fn sentence(object: &SchemaObject, problem: &str) -> String {
    let SchemaObject { table, kind, name, .. } = object;
    match kind {
        ObjectKind::Column => format!("{table}.{name}: {problem}"),
        ObjectKind::Partitioning => format!("partitioning of {table}: {problem}"),
        ObjectKind::Type => format!("type {name}: {problem}"),
        kind => format!("{} {name} on {table}: {problem}", kind.words()),
    }
}

/// What keeps a constraint from holding.
#[derive(Debug)]
struct Hindrance {
    index_invalid: bool,
    switched_off: bool,
}

async fn hindrances(
    pool: &PgPool,
    schema: &str,
    live: &Catalogue,
) -> Result<HashMap<(String, String), Hindrance>, VerifyError> {
    let names: Vec<&String> = live.tables.keys().collect();
    let rows: Vec<(String, String, bool, bool)> = sqlx::query_as(include_str!("hindrances.sql"))
        .bind(schema)
        .bind(&names)
        .fetch_all(pool)
        .await
        .map_err(|error| VerifyError::target("the target's constraints cannot be read", &error))?;
    let hindrance = |(table, name, index_invalid, switched_off)| {
        ((table, name), Hindrance { index_invalid, switched_off })
    };
    Ok(rows.into_iter().map(hindrance).collect())
}

fn problem(object: &SchemaObject, table: &LiveTable, hindrance: Option<&Hindrance>) -> Option<String> {
    let (found, valid) = match object.kind {
        ObjectKind::Column => {
            let column = table.columns.iter().find(|column| column.name == object.name);
            (column.map(LiveColumn::words), true)
        }
        ObjectKind::Partitioning => (table.partition_key.clone(), true),
        ObjectKind::Index => {
            let index = table.indexes.get(&object.name);
            (index.map(|index| index.sql.clone()), index.is_none_or(|index| index.valid))
        }
        _ => {
            let constraint = table.constraints.get(&object.name);
            (constraint.map(|found| found.sql.clone()), constraint.is_none_or(|found| found.valid))
        }
    };
    let Some(found) = found else { return Some("it is missing".to_owned()) };
    if found != object.definition {
        return Some(format!("it is {found}, and should be {}", object.definition));
    }
    let name = render::quoted(&object.name);
    if object.kind == ObjectKind::Index && !valid || hindrance.is_some_and(|found| found.index_invalid) {
        return Some(format!("its index is invalid; `REINDEX INDEX CONCURRENTLY {name}` builds it anew"));
    }
    let table = render::quoted(&object.table);
    if object.valid && !valid {
        return Some(format!(
            "it is NOT VALID, so it does not bind the rows that were there before it; `ALTER TABLE {table} VALIDATE \
             CONSTRAINT {name}`"
        ));
    }
    hindrance.is_some_and(|found| found.switched_off).then(|| {
        format!("its triggers are disabled, so nothing enforces it; `ALTER TABLE {table} ENABLE TRIGGER ALL`, on both tables")
    })
}

/// Columns of the target's own that would refuse every new row.
fn unfillable(objects: &[SchemaObject], live: &Catalogue) -> Vec<String> {
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for object in objects.iter().filter(|object| object.kind == ObjectKind::Column) {
        known.entry(&object.table).or_default().insert(&object.name);
    }
    let mut sentences = Vec::new();
    for (table, names) in known {
        let columns = live.tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
        for column in columns {
            let fills_itself = !column.not_null
                || column.default.is_some()
                || !column.identity.is_empty()
                || !column.generated.is_empty();
            if !names.contains(column.name.as_str()) && !fills_itself {
                sentences.push(format!(
                    "{table}.{}: the target has this column NOT NULL without a default, and the source has nothing for it",
                    column.name
                ));
            }
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_reads_as_create_table_would_say_it() {
        let plain = LiveColumn {
            name: "x".to_owned(),
            type_name: "text".to_owned(),
            collation: None,
            not_null: false,
            default: None,
            identity: String::new(),
            generated: String::new(),
            comment: None,
        };
        let some = |text: &str| Some(text.to_owned());
        for (column, words) in [
            (plain.clone(), "text"),
            (
                LiveColumn { collation: some("C"), not_null: true, ..plain.clone() },
                "text COLLATE \"C\" NOT NULL",
            ),
            (LiveColumn { default: some("now()"), ..plain.clone() }, "text DEFAULT now()"),
            (
                LiveColumn { identity: "d".to_owned(), ..plain.clone() },
                "text GENERATED BY DEFAULT AS IDENTITY",
            ),
            (
                LiveColumn { default: some("a + 1"), generated: "s".to_owned(), ..plain },
                "text GENERATED ALWAYS AS (a + 1) STORED",
            ),
        ] {
            assert_eq!(column.words(), words);
        }
    }

    #[test]
    fn a_constraint_is_known_by_how_it_begins() {
        for (definition, kind) in [
            ("PRIMARY KEY (a)", ObjectKind::PrimaryKey),
            ("UNIQUE NULLS NOT DISTINCT (a)", ObjectKind::UniqueConstraint),
            ("FOREIGN KEY (a) REFERENCES b(a)", ObjectKind::ForeignKey),
            ("CHECK ((a > 0))", ObjectKind::Check),
        ] {
            assert_eq!(ObjectKind::of_constraint(definition), kind, "{definition}");
        }
    }
}
