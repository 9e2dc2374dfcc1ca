//! Two catalogues side by side, object by object: what a saved plan saw and what is there now, what the versions say and
//! what is there. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{Catalogue, Definition, LiveColumn, LiveEnum, LiveTable};

/// One object in which two catalogues differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ObjectDifference {
    /// `type`, `table`, `column`, `constraint`, `index`, `partition`, `table-comment` or `column-comment`.
    pub kind: ObjectKind,
    /// The table; of a type, its own name.
    pub table: String,
    /// The object's name; a table's is its own.
    pub name: String,
    /// What the first catalogue has; `None`: it lacks the object.
    pub before: Option<String>,
    /// What the second one has.
    pub after: Option<String>,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ObjectKind {
    /// An enumerated type.
    Type,
    /// A table as a whole.
    Table,
    /// A column.
    Column,
    /// A key, a foreign key or a check.
    Constraint,
    /// An index that no constraint owns.
    Index,
    /// A partition; by the table's own name, what it is partitioned by.
    Partition,
    /// What is said of a table.
    TableComment,
    /// What is said of a column, by the column's name.
    ColumnComment,
}

impl ObjectDifference {
    /// The object for people: `column tracks.name`, `index tracks_by_name on tracks`.
    #[must_use]
    pub fn object(&self) -> String {
        let ObjectDifference { kind, table, name, .. } = self;
        match kind {
            ObjectKind::Type => format!("type {name}"),
            ObjectKind::Table => format!("table {table}"),
            ObjectKind::Column => format!("column {table}.{name}"),
            ObjectKind::Constraint => format!("constraint {name} on {table}"),
            ObjectKind::Index => format!("index {name} on {table}"),
            ObjectKind::Partition if name == table => format!("partitioning of {table}"),
            ObjectKind::Partition => format!("partition {name} of {table}"),
            ObjectKind::TableComment => format!("comment on table {table}"),
            ObjectKind::ColumnComment => format!("comment on column {table}.{name}"),
        }
    }
}

impl fmt::Display for ObjectDifference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let object = self.object();
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(f, "{object} was {before}, and is {after}"),
            (Some(_), None) => write!(f, "{object} is gone"),
            (None, Some(_)) if self.kind == ObjectKind::Table => write!(f, "{object} was added"),
            (None, after) => write!(f, "{object} was added: {}", after.as_deref().unwrap_or_default()),
        }
    }
}

/// Every object in which two catalogues differ, types first, then by table. Of a table that one of them lacks, the table alone is named.
#[must_use]
pub fn differences(before: &Catalogue, after: &Catalogue) -> Vec<ObjectDifference> {
    let names: BTreeSet<&String> = before.tables.keys().chain(after.tables.keys()).collect();
    let of_table = |name: &String| match (before.tables.get(name), after.tables.get(name)) {
        (Some(before), Some(after)) => of_objects(name, before, after),
        (before, after) => vec![ObjectDifference {
            kind: ObjectKind::Table,
            table: name.clone(),
            name: name.clone(),
            before: before.map(|_| "a table".to_owned()),
            after: after.map(|_| "a table".to_owned()),
        }],
    };
    of_types(before, after).into_iter().chain(names.into_iter().flat_map(of_table)).collect()
}

/// The enumerated types in which two catalogues differ.
fn of_types(before: &Catalogue, after: &Catalogue) -> Vec<ObjectDifference> {
    let names: BTreeSet<&String> = before.types.keys().chain(after.types.keys()).collect();
    let differing = names.into_iter().filter(|name| before.types.get(*name) != after.types.get(*name));
    differing
        .map(|name| ObjectDifference {
            kind: ObjectKind::Type,
            table: name.clone(),
            name: name.clone(),
            before: before.types.get(name).map(LiveEnum::words),
            after: after.types.get(name).map(LiveEnum::words),
        })
        .collect()
}

/// An object's name and what it is, in the server's words.
type Object<'a> = (&'a str, String);

fn of_objects(table: &str, before: &LiveTable, after: &LiveTable) -> Vec<ObjectDifference> {
    let of_kind = |kind: ObjectKind, before: Vec<Object<'_>>, after: Vec<Object<'_>>| {
        let find = |objects: &[Object<'_>], name: &str| {
            objects.iter().find(|(known, _)| *known == name).map(|(_, definition)| definition.clone())
        };
        let added = after.iter().filter(|(name, _)| find(&before, name).is_none());
        let names: Vec<&str> = before.iter().chain(added).map(|(name, _)| *name).collect();
        let compared: Vec<ObjectDifference> = names
            .into_iter()
            .map(|name| ObjectDifference {
                kind,
                table: table.to_owned(),
                name: name.to_owned(),
                before: find(&before, name),
                after: find(&after, name),
            })
            .filter(|object| object.before != object.after)
            .collect();
        compared
    };
    [
        of_kind(ObjectKind::Column, columns(before), columns(after)),
        of_kind(
            ObjectKind::Constraint,
            definitions(&before.constraints, "NOT VALID"),
            definitions(&after.constraints, "NOT VALID"),
        ),
        of_kind(
            ObjectKind::Index,
            definitions(&before.indexes, "(invalid)"),
            definitions(&after.indexes, "(invalid)"),
        ),
        of_kind(ObjectKind::Partition, partitions(table, before), partitions(table, after)),
        of_kind(ObjectKind::TableComment, comment(table, before), comment(table, after)),
        of_kind(ObjectKind::ColumnComment, column_comments(before, after), column_comments(after, before)),
    ]
    .concat()
}

fn columns(table: &LiveTable) -> Vec<Object<'_>> {
    table.columns.iter().map(|column| (column.name.as_str(), column_words(column))).collect()
}

fn comment<'a>(name: &'a str, table: &LiveTable) -> Vec<Object<'a>> {
    table.comment.iter().map(|comment| (name, comment.clone())).collect()
}

/// What is said of the columns that another table has too.
fn column_comments<'a>(table: &'a LiveTable, other: &LiveTable) -> Vec<Object<'a>> {
    let is_there = |column: &&LiveColumn| other.columns.iter().any(|known| known.name == column.name);
    let commented = table.columns.iter().filter(is_there);
    commented.filter_map(|column| Some((column.name.as_str(), column.comment.clone()?))).collect()
}

/// A column as `CREATE TABLE` has it, but for its name.
fn column_words(column: &LiveColumn) -> String {
    let LiveColumn { type_name, collation, not_null, default, identity, generated, .. } = column;
    let identity = match identity.as_str() {
        "a" => Some("GENERATED ALWAYS AS IDENTITY".to_owned()),
        "d" => Some("GENERATED BY DEFAULT AS IDENTITY".to_owned()),
        _ => None,
    };
    let default = default.as_ref().map(|expression| match generated.as_str() {
        "" => format!("DEFAULT {expression}"),
        "v" => format!("GENERATED ALWAYS AS ({expression}) VIRTUAL"),
        _ => format!("GENERATED ALWAYS AS ({expression}) STORED"),
    });
    let parts = [
        Some(type_name.clone()),
        collation.as_ref().map(|collation| format!("COLLATE {collation}")),
        not_null.then(|| "NOT NULL".to_owned()),
        default,
        identity,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn partitions<'a>(name: &'a str, table: &'a LiveTable) -> Vec<Object<'a>> {
    let key = table.partition_key.iter().map(|key| (name, key.clone()));
    key.chain(table.partitions.iter().map(|(name, bounds)| (name.as_str(), bounds.clone()))).collect()
}

/// Definitions, with a word on those that do not hold.
fn definitions<'a>(objects: &'a BTreeMap<String, Definition>, not_valid: &str) -> Vec<Object<'a>> {
    let words = |Definition { sql, valid }: &Definition| {
        if *valid { sql.clone() } else { format!("{sql} {not_valid}") }
    };
    objects.iter().map(|(name, definition)| (name.as_str(), words(definition))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, type_name: &str, default: Option<&str>) -> LiveColumn {
        LiveColumn {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            collation: None,
            not_null: false,
            default: default.map(str::to_owned),
            identity: String::new(),
            generated: String::new(),
            comment: None,
        }
    }

    fn catalogue(tables: &[(&str, LiveTable)]) -> Catalogue {
        let tables = tables.iter().map(|(name, table)| ((*name).to_owned(), table.clone()));
        Catalogue { tables: tables.collect(), ..Catalogue::default() }
    }

    fn index(name: &str, sql: &str, valid: bool) -> (String, Definition) {
        (name.to_owned(), Definition { sql: sql.to_owned(), valid })
    }

    #[test]
    fn each_object_is_named_once() {
        let before = LiveTable {
            columns: vec![column("a", "integer", None), column("b", "text", None)],
            indexes: [index("i", "CREATE INDEX i ON t (a)", true)].into(),
            constraints: [index("k", "CHECK (a > 0)", true)].into(),
            ..LiveTable::default()
        };
        let after = LiveTable {
            columns: vec![column("c", "text", None), column("a", "bigint", Some("1"))],
            indexes: [index("i", "CREATE INDEX i ON t (a)", false)].into(),
            constraints: [index("k", "CHECK (a > 0)", true), index("u", "UNIQUE (a)", true)].into(),
            ..LiveTable::default()
        };
        let empty = LiveTable::default();
        let one = catalogue(&[("old", empty.clone()), ("t", before)]);
        let other = catalogue(&[("new", empty), ("t", after)]);
        let told: Vec<String> = differences(&one, &other).iter().map(ToString::to_string).collect();
        let expected = [
            "table new was added",
            "table old is gone",
            "column t.a was integer, and is bigint DEFAULT 1",
            "column t.b is gone",
            "column t.c was added: text",
            "constraint u on t was added: UNIQUE (a)",
            "index i on t was CREATE INDEX i ON t (a), and is CREATE INDEX i ON t (a) (invalid)",
        ];
        assert_eq!(told, expected);
        assert_eq!(differences(&one, &one), []);
    }
}
