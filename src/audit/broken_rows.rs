//! Whether the rows obey a check that the mapping asks for, found before anything is written.
//!
//! The check is PostgreSQL's SQL, and SQLite is asked in its own. Where both can read it (`rank > 0`), they agree on the plain
//! comparisons that checks are made of; where SQLite cannot, PostgreSQL will say when the rows come.

use rusqlite::Connection;

use super::{TableAudit, Violation, keys::shown};
use crate::source::{Source, quoted};

/// The rows of a table that break an expression; `None`: none does, or SQLite cannot say.
#[must_use]
pub fn rows_that_break(source: &Source, table: &TableAudit, expression: &str) -> Option<Violation> {
    let reader = source.reader();
    let of = format!("FROM main.{} NOT INDEXED WHERE NOT ({expression})", quoted(&table.name));
    let rows: i64 = reader.query_row(&format!("SELECT count(*) {of}"), [], |row| row.get(0)).ok()?;
    (rows > 0).then(|| {
        let first_key = first_key(&reader, table, &of).unwrap_or_else(|_| "a row without a key".to_owned());
        Violation { rows: rows.unsigned_abs(), first_key }
    })
}

fn first_key(reader: &Connection, table: &TableAudit, of: &str) -> rusqlite::Result<String> {
    let rowid = table.rowid_name.iter().filter(|_| table.primary_key.is_empty());
    let names: Vec<&String> = table.primary_key.iter().chain(rowid).collect();
    let columns: Vec<String> = names.iter().map(|name| quoted(name)).collect();
    reader.query_row(&format!("SELECT {} {of} LIMIT 1", columns.join(", ")), [], |row| {
        let parts: rusqlite::Result<Vec<String>> = names
            .iter()
            .enumerate()
            .map(|(at, name)| Ok(format!("{name}={}", shown(row.get_ref(at)?))))
            .collect();
        Ok(parts?.join(", "))
    })
}
