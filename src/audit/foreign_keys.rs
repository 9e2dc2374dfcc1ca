//! Foreign keys against the rows: SQLite does not enforce them unless asked, so orphans are common.
//!
//! `PRAGMA foreign_key_check` would say the same, but it names no row of a WITHOUT ROWID table, and fails where the
//! parent's key has no index; so each foreign key is asked as a query of its own. Where an index brings equal values
//! together, each value is looked up once, not once a row: a quarter of the time where a parent has ten children.

use rusqlite::Connection;

use super::{Affinity, ForeignKeyAudit, Violation, catalogue::Table, keys};
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
            if has_values_together(table, &foreign_key.columns)
                && is_without_orphans(reader, table, &foreign_key.columns, &condition)
            {
                return Ok(None);
            }
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

/// Whether an index has equal values of these columns side by side, so that DISTINCT is a scan of it, and whether equal
/// means the same: under BINARY only texts of the same bytes are, and only without an affinity (BLOB) may 1 and 1.0
/// stand in one column.
fn has_values_together(table: &Table, columns: &[String]) -> bool {
    let is_among = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let loose =
        table.columns.iter().any(|column| is_among(&column.name) && column.affinity == Affinity::Blob);
    let together = table.indexes.iter().any(|index| {
        !index.partial
            && index.parts.len() >= columns.len()
            && index.parts.iter().all(|part| part.collation.eq_ignore_ascii_case("BINARY"))
            && index.parts.iter().take(columns.len()).all(|part| part.column.as_deref().is_some_and(is_among))
    });
    together && !loose
}

/// Whether no value of these columns meets the condition. `false` where SQLite cannot tell; counting will say why.
fn is_without_orphans(reader: &Connection, table: &Table, columns: &[String], condition: &str) -> bool {
    // The column's own collation may take more for equal than the index does.
    let value = |column: &String| format!("{0} COLLATE BINARY AS {0}", quoted(column));
    let columns: Vec<String> = columns.iter().map(value).collect();
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM (SELECT DISTINCT {} FROM {}) AS c WHERE {condition})",
        columns.join(", "),
        quoted(&table.name)
    );
    reader.query_row(&sql, [], |row| row.get(0)).is_ok_and(|exists: bool| !exists)
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
