//! How a row is named in messages: by its primary key, else by its rowid.
//!
//! The scan remembers only where a row stands (its [`Place`]), since in a column that only grows each row would be the
//! highest so far. The names are fetched afterwards.

use std::collections::HashMap;

use rusqlite::{Connection, Row, types::ValueRef};

use super::catalogue::Table;
use crate::source::{Source, quoted};

/// Where a row stands: its rowid, or where that cannot be read, its number in the scan from 1. Ascends with the scan.
pub(super) type Place = i64;

/// Characters of a key's value that a message shows.
const VALUE_CHARACTERS: usize = 80;

/// The columns that name a row of a table, as a list for SELECT.
pub(super) fn selection(source: &Source, table: &Table) -> String {
    let rowid = if table.rowid_alias.is_some() { None } else { table.rowid() };
    let columns: Vec<String> =
        table.primary_key.iter().map(|column| source.cell(column)).chain(rowid).collect();
    if columns.is_empty() { "NULL".to_owned() } else { columns.join(", ") }
}

/// The name of a row, from the columns of [`selection`], which begin at `first`.
pub(super) fn name(table: &Table, row: &Row<'_>, first: usize) -> rusqlite::Result<String> {
    let mut parts = Vec::new();
    let mut has_null = table.primary_key.is_empty();
    for (at, column) in table.primary_key.iter().enumerate() {
        let cell = row.get_ref(first + at)?;
        has_null |= cell == ValueRef::Null;
        parts.push(format!("{column}={}", shown(cell)));
    }
    // SQLite lets NULL into most primary keys; the rowid then tells such rows apart.
    if has_null
        && table.rowid_alias.is_none()
        && let Some(rowid) = &table.rowid_name
    {
        parts.push(format!("{rowid}={}", shown(row.get_ref(first + table.primary_key.len())?)));
    }
    Ok(parts.join(", "))
}

/// A key's value for people, on one line and cut.
pub(super) fn shown(cell: ValueRef<'_>) -> String {
    let cut = |text: String, was_cut: bool| if was_cut { text + "…" } else { text };
    match cell {
        ValueRef::Null => "NULL".to_owned(),
        ValueRef::Integer(integer) => integer.to_string(),
        ValueRef::Real(real) => format!("{real:?}"),
        ValueRef::Text(bytes) => {
            // A character has at most four bytes, so the rest need not be decoded.
            let start = bytes.get(..VALUE_CHARACTERS * 4).unwrap_or(bytes);
            let text = String::from_utf8_lossy(start);
            let shown: String = text
                .chars()
                .take(VALUE_CHARACTERS)
                .map(|character| if character.is_control() { '\u{fffd}' } else { character })
                .collect();
            let was_cut = start.len() < bytes.len() || text.chars().nth(VALUE_CHARACTERS).is_some();
            cut(shown, was_cut)
        }
        ValueRef::Blob(bytes) => {
            let start = bytes.get(..VALUE_CHARACTERS / 2).unwrap_or(bytes);
            let digits: String = start.iter().map(|byte| format!("{byte:02x}")).collect();
            cut(format!("x'{digits}'"), start.len() < bytes.len())
        }
    }
}

/// The names of the rows at some places.
pub(super) struct Names(HashMap<Place, String>);

impl Names {
    /// Fetches the names. A table without a readable rowid is read again, as far as the last of the places.
    pub(super) fn fetch(
        source: &Source,
        reader: &Connection,
        table: &Table,
        mut places: Vec<Place>,
    ) -> rusqlite::Result<Names> {
        places.sort_unstable();
        places.dedup();
        let mut names = HashMap::new();
        let from = format!("SELECT {} FROM {} NOT INDEXED", selection(source, table), quoted(&table.name));
        if let Some(rowid) = table.rowid() {
            let mut statement = reader.prepare(&format!("{from} WHERE {rowid} = ?1"))?;
            for place in places {
                let found = statement.query_row([place], |row| name(table, row, 0))?;
                names.insert(place, found);
            }
            return Ok(Names(names));
        }
        let mut wanted = places.into_iter().peekable();
        let mut statement = reader.prepare(&from)?;
        let mut rows = statement.query([])?;
        let mut place = 0;
        while wanted.peek().is_some() {
            let Some(row) = rows.next()? else { break };
            place += 1;
            if wanted.next_if_eq(&place).is_some() {
                let found = name(table, row, 0)?;
                names.insert(place, if found.is_empty() { format!("row {place}") } else { found });
            }
        }
        Ok(Names(names))
    }

    /// The name of the row at a place that was fetched.
    pub(super) fn of(&self, place: Place) -> String {
        self.0.get(&place).cloned().unwrap_or_else(|| format!("row {place}"))
    }
}
