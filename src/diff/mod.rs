//! The difference between the target as it should be and as it is. Pure.
//!
//! Both sides come in PostgreSQL's own words ([`Catalogue`]), so that equal means equal; what a difference asks for is
//! taken from the [`Schema`], which can be written as SQL.

use crate::{
    inspect::{Catalogue, LiveTable},
    schema::{Change, Schema, Table},
};

/// What separates the target from the desired schema.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Changes, in the order in which they can be made.
    pub changes: Vec<Change>,
    /// Differences that no change here can mend, each a sentence with its table and column.
    pub beyond: Vec<String>,
}

/// Finds the changes that make the target what it should be.
///
/// `normal` is `schema` in PostgreSQL's words. Columns, constraints and indexes that the target has beside the desired
/// ones are its own business and stay.
#[must_use]
pub fn between(schema: &Schema, normal: &Catalogue, live: &Catalogue) -> Difference {
    let mut difference = Difference::default();
    for table in &schema.tables {
        match (normal.tables.get(&table.name), live.tables.get(&table.name)) {
            (_, None) => difference.changes.extend(creation(table)),
            (Some(normal), Some(live)) => alterations(table, normal, live, &mut difference),
            (None, Some(_)) => {
                difference
                    .beyond
                    .push(format!("table {} could not be put in PostgreSQL's words", table.name));
            }
        }
    }
    difference.changes.sort_by_key(Change::rank);
    difference
}

/// All changes that make a table out of nothing.
#[must_use]
pub fn creation(table: &Table) -> Vec<Change> {
    let name = || table.name.clone();
    let mut changes = vec![Change::CreateTable(table.clone())];
    changes.extend(table.keys.iter().map(|key| Change::AddKey { table: name(), key: key.clone() }));
    changes.extend(
        table.indexes.iter().map(|index| Change::CreateIndex { table: name(), index: index.clone() }),
    );
    for foreign_key in &table.foreign_keys {
        changes.push(Change::AddForeignKey { table: name(), foreign_key: foreign_key.clone() });
        if foreign_key.valid {
            changes.push(Change::ValidateForeignKey { table: name(), name: foreign_key.name.clone() });
        }
    }
    changes
}

/// What a table that is there lacks.
fn alterations(table: &Table, normal: &LiveTable, live: &LiveTable, difference: &mut Difference) {
    columns(table, normal, live, difference);
    let checks =
        table.checks.iter().map(|check| Change::AddCheck { table: table.name.clone(), check: check.clone() });
    for change in checks.chain(creation(table)) {
        let (kind, name) = match &change {
            Change::CreateTable(_) | Change::AddColumn { .. } => continue,
            Change::AddCheck { check, .. } => ("check", &check.name),
            Change::AddKey { key, .. } => ("key", &key.name),
            Change::AddForeignKey { foreign_key, .. } => ("foreign key", &foreign_key.name),
            Change::ValidateForeignKey { name, .. } => ("foreign key", name),
            Change::CreateIndex { index, .. } => ("index", &index.name),
        };
        let (wanted, found) = if matches!(change, Change::CreateIndex { .. }) {
            (normal.indexes.get(name), live.indexes.get(name))
        } else {
            (normal.constraints.get(name), live.constraints.get(name))
        };
        let Some(found) = found else {
            difference.changes.push(change);
            continue;
        };
        let is_as_wanted = wanted.is_some_and(|wanted| wanted.sql == found.sql);
        match change {
            Change::ValidateForeignKey { .. } if is_as_wanted && !found.valid => {
                difference.changes.push(change)
            }
            // Its foreign key has been told already.
            Change::ValidateForeignKey { .. } => {}
            Change::CreateIndex { .. } if is_as_wanted && !found.valid => difference.beyond.push(format!(
                "index {name} on {} is invalid: a build of it has failed; drop it, and plan again",
                table.name
            )),
            _ if is_as_wanted => {}
            _ => difference.beyond.push(format!(
                "{kind} {name} on {}: it is {}, and should be {}",
                table.name,
                found.sql,
                wanted.map_or("none", |wanted| wanted.sql.as_str())
            )),
        }
    }
}

/// Columns that are missing, or not as they should be; columns that nothing would fill.
fn columns(table: &Table, normal: &LiveTable, live: &LiveTable, difference: &mut Difference) {
    for (column, wanted) in table.columns.iter().zip(&normal.columns) {
        let Some(found) = live.columns.iter().find(|found| found.name == wanted.name) else {
            let table = table.name.clone();
            difference.changes.push(Change::AddColumn { table, column: column.clone() });
            continue;
        };
        let aspects = [
            ("type", Some(wanted.type_name.clone()), Some(found.type_name.clone())),
            ("collation", wanted.collation.clone(), found.collation.clone()),
            ("default", wanted.default.clone(), found.default.clone()),
            ("NOT NULL", Some(wanted.not_null.to_string()), Some(found.not_null.to_string())),
            ("identity", Some(wanted.identity.clone()), Some(found.identity.clone())),
            ("generation", Some(wanted.generated.clone()), Some(found.generated.clone())),
        ];
        for (aspect, wanted, found) in aspects.into_iter().filter(|(_, wanted, found)| wanted != found) {
            let word =
                |value: Option<String>| value.filter(|v| !v.is_empty()).unwrap_or_else(|| "none".to_owned());
            difference.beyond.push(format!(
                "{}.{}: its {aspect} is {}, and should be {}",
                table.name,
                column.name,
                word(found),
                word(wanted)
            ));
        }
    }
    for found in &live.columns {
        let known = normal.columns.iter().any(|wanted| wanted.name == found.name);
        let fills_itself = !found.not_null
            || found.default.is_some()
            || !found.identity.is_empty()
            || !found.generated.is_empty();
        if !known && !fills_itself {
            difference.beyond.push(format!(
                "{}.{}: the target has this column NOT NULL without a default, and the source has nothing for it",
                table.name, found.name
            ));
        }
    }
}
