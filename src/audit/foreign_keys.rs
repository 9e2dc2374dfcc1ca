//! Foreign keys against the rows: SQLite does not enforce them unless asked, so orphans are common.
//!
//! `PRAGMA foreign_key_check` would say the same, but it names no row of a WITHOUT ROWID table, and fails where the
//! parent's key has no index; so each foreign key is asked as a query of its own.

use rusqlite::Connection;

use super::{ForeignKeyAudit, Violation, catalogue::Table, keys};
use crate::source::{Source, quoted};

/// Checks a table's foreign keys.
pub(super) fn check(
    source: &Source,
    reader: &Connection,
    table: &Table,
    tables: &[Table],
) -> Vec<ForeignKeyAudit> {
    let mut foreign_keys = table.foreign_keys.clone();
    for foreign_key in &mut foreign_keys {
        let parent = tables.iter().find(|other| other.name.eq_ignore_ascii_case(&foreign_key.parent_table));
        let outcome = condition(foreign_key, parent).and_then(|condition| {
            orphans(source, reader, table, &condition).map_err(|error| error.to_string())
        });
        match outcome {
            Ok(orphans) => foreign_key.orphans = orphans,
            Err(reason) => foreign_key.unchecked = Some(reason),
        }
    }
    foreign_keys
}

/// What holds of a row `c` whose parent is missing ("Foreign Key Support", 1 and 3): no NULL in its columns, and no row of
/// the parent that equals them under the parent's affinity and collation.
fn condition(foreign_key: &ForeignKeyAudit, parent: Option<&Table>) -> Result<String, String> {
    let mut terms: Vec<String> =
        foreign_key.columns.iter().map(|column| format!("c.{} IS NOT NULL", quoted(column))).collect();
    let Some(parent) = parent else { return Ok(terms.join(" AND ")) };
    if foreign_key.parent_columns.len() != foreign_key.columns.len() {
        return Err("the foreign key and the parent's key have different numbers of columns".to_owned());
    }
    let mut equal = Vec::new();
    for (child, parent_column) in foreign_key.columns.iter().zip(&foreign_key.parent_columns) {
        // SQLite would take a quoted name that is no column for a text.
        if !parent.columns.iter().any(|column| column.name.eq_ignore_ascii_case(parent_column)) {
            return Err(format!("the table {} has no column {parent_column}", parent.name));
        }
        // The plus takes the child's affinity away, so that the parent's decides; so does the left side's collation.
        equal.push(format!("p.{} = +c.{}", quoted(parent_column), quoted(child)));
    }
    terms.push(format!(
        "NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        quoted(&parent.name),
        equal.join(" AND ")
    ));
    Ok(terms.join(" AND "))
}

/// Counts the rows for which the condition holds, and names the first one.
fn orphans(
    source: &Source,
    reader: &Connection,
    table: &Table,
    condition: &str,
) -> rusqlite::Result<Option<Violation>> {
    let name = quoted(&table.name);
    let rows: i64 =
        reader.query_row(&format!("SELECT count(*) FROM {name} AS c WHERE {condition}"), [], |row| {
            row.get(0)
        })?;
    let Ok(rows @ 1..) = u64::try_from(rows) else { return Ok(None) };
    let first = format!(
        "SELECT {} FROM {name} AS c NOT INDEXED WHERE {condition} LIMIT 1",
        keys::selection(source, table)
    );
    let first_key = reader.query_row(&first, [], |row| keys::name(table, row, 0))?;
    Ok(Some(Violation { rows, first_key }))
}
