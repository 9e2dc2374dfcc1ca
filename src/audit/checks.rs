//! `CHECK` constraints against the rows: SQLite enforces them only on what is written while they stand and are not ignored.
//!
//! `PRAGMA quick_check` does not try them here: SQLite forgets the checks of a file that it opens to read alone
//! (`sqlite3AddCheckConstraint` in its `build.c`). So they are asked as a query of their own.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::{catalogue::Table, declarations};
use crate::source::quoted;

/// The checks of a table that are not met by every row, each with the reason.
pub(super) fn unmet(reader: &Connection, table: &Table) -> BTreeMap<String, String> {
    let mut unmet = BTreeMap::new();
    let mut tried: Vec<String> = Vec::new();
    for check in declarations::checks(&table.sql) {
        // A line's end, in case a comment stands last. NULL meets a check.
        let column = format!("count(*) FILTER (WHERE NOT ({check}\n))");
        let outcome = if declarations::has_keyword(&check, "SELECT") {
            // Only a schema made by hand has one; it could take for ever.
            Err("it holds a query".to_owned())
        } else {
            let sql = format!("SELECT {column} FROM {}", quoted(&table.name));
            reader.prepare(&sql).map(drop).map_err(|error| error.to_string())
        };
        match outcome {
            Ok(()) => tried.push(check),
            Err(error) => drop(unmet.insert(check, format!("SQLite cannot try it on the rows: {error}"))),
        }
    }
    // One reading of the table for all of them, unless one cannot be computed in some row.
    if let Ok(counts) = broken(reader, table, &tried) {
        unmet.extend(tried.into_iter().zip(counts).filter_map(|(check, rows)| Some((check, told(rows)?))));
        return unmet;
    }
    for check in tried {
        let reason = match broken(reader, table, std::slice::from_ref(&check)) {
            Ok(counts) => counts.first().and_then(|rows| told(*rows)),
            Err(error) => Some(format!("SQLite cannot try it on the rows: {error}")),
        };
        unmet.extend(reason.map(|reason| (check, reason)));
    }
    unmet
}

fn told(rows: i64) -> Option<String> {
    match rows {
        0 => None,
        1 => Some("1 row breaks it".to_owned()),
        rows => Some(format!("{rows} rows break it")),
    }
}

/// How many rows break each of some checks.
fn broken(reader: &Connection, table: &Table, checks: &[String]) -> rusqlite::Result<Vec<i64>> {
    let columns: Vec<String> =
        checks.iter().map(|check| format!("count(*) FILTER (WHERE NOT ({check}\n))")).collect();
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!("SELECT {} FROM {} NOT INDEXED", columns.join(", "), quoted(&table.name));
    reader.query_row(&sql, [], |row| (0..columns.len()).map(|at| row.get(at)).collect())
}
