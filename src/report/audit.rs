//! The audit for people.

use std::io::{self, Write};

use super::text::{Grid, Paint, count, counted, rows};
use crate::audit::{Audit, ColumnAudit, TableAudit};

/// Writes what the file holds, a table at a time.
///
/// # Errors
/// Whatever the writer says.
pub fn audit_text(audit: &Audit, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(
        out,
        "{}: {} in {} tables; {}, journal mode {}",
        paint.bold(&audit.path),
        rows(audit.fingerprint.rows),
        audit.tables.len(),
        audit.encoding,
        audit.journal_mode
    )?;
    writeln!(out, "content {}", audit.fingerprint.content_digest)?;
    match audit.quick_check.as_deref().unwrap_or_default() {
        [] => writeln!(out, "quick_check: ok")?,
        faults => {
            for fault in faults {
                writeln!(out, "{} {fault}", paint.red("quick_check:"))?;
            }
        }
    }
    for table in &audit.tables {
        writeln!(out)?;
        table_text(table, paint, out)?;
    }
    if !audit.others.is_empty() {
        writeln!(out, "\n{}", paint.bold("Other objects"))?;
        let mut grid = Grid::default();
        for other in &audit.others {
            let of = other.belongs_to.as_ref().map(|owner| format!("of {owner}")).unwrap_or_default();
            grid.push([other.kind.to_owned(), other.name.clone(), of]);
        }
        grid.write("  ", out)?;
    }
    Ok(())
}

fn table_text(table: &TableAudit, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let key = if table.primary_key.is_empty() {
        "no primary key".to_owned()
    } else {
        format!("primary key ({})", table.primary_key.join(", "))
    };
    let traits: String = [
        (table.without_rowid, ", WITHOUT ROWID"),
        (table.strict, ", STRICT"),
        (table.autoincrement, ", AUTOINCREMENT"),
    ]
    .iter()
    .filter(|(has, _)| *has)
    .map(|(_, word)| *word)
    .collect();
    writeln!(out, "{}: {}, {key}{traits}", paint.bold(&table.name), rows(table.rows))?;
    let mut grid = Grid::default();
    for column in &table.columns {
        let declared = if column.declared_type.is_empty() {
            "(no type)".to_owned()
        } else {
            column.declared_type.clone()
        };
        grid.push([
            column.name.clone(),
            format!("{declared}{}", if column.not_null { " NOT NULL" } else { "" }),
            storage(column),
            ranges(column),
            column.default.as_ref().map(|default| format!("default {default}")).unwrap_or_default(),
        ]);
    }
    grid.write("  ", out)?;
    for column in &table.columns {
        if let Some(sample) = &column.json_sample {
            writeln!(out, "  {} {sample}", paint.dim(&format!("sample of {}:", column.name)))?;
        }
    }
    if let Some(nulls) = &table.primary_key_nulls {
        let what = format!("{} with NULL in the primary key, first at {}", rows(nulls.rows), nulls.first_key);
        writeln!(out, "  {}", paint.yellow(&what))?;
    }
    for index in table.indexes.iter().filter(|index| index.origin == "c") {
        let parts: Vec<String> = index
            .parts
            .iter()
            .map(|part| {
                let name = part.column.clone().unwrap_or_else(|| "(expression)".to_owned());
                if part.descending { format!("{name} DESC") } else { name }
            })
            .collect();
        let kind = if index.unique { "unique index" } else { "index" };
        let partial = if index.partial { ", partial" } else { "" };
        writeln!(out, "  {kind} {} ({}){partial}", index.name, parts.join(", "))?;
    }
    for foreign_key in &table.foreign_keys {
        let parent = format!("{} ({})", foreign_key.parent_table, foreign_key.parent_columns.join(", "));
        let state = match (&foreign_key.orphans, foreign_key.parent_exists) {
            (_, false) => paint.yellow("the table does not exist"),
            (None, true) if let Some(why) = &foreign_key.unchecked => {
                paint.yellow(&format!("not checked: {why}"))
            }
            (None, true) => "no orphans".to_owned(),
            (Some(orphans), true) => paint.yellow(&format!(
                "{} without a parent, first at {}",
                rows(orphans.rows),
                orphans.first_key
            )),
        };
        writeln!(out, "  foreign key ({}) to {parent}: {state}", foreign_key.columns.join(", "))?;
    }
    for check in &table.checks {
        let unmet = table.unmet_checks.get(check);
        let state = unmet.map(|why| format!(": {}", paint.yellow(why))).unwrap_or_default();
        writeln!(out, "  check {check}{state}")?;
    }
    Ok(())
}

/// The storage classes that occur, with their counts.
pub(super) fn storage(column: &ColumnAudit) -> String {
    let storage = column.storage;
    let classes = [
        (storage.integer, "integer"),
        (storage.real, "real"),
        (storage.text, "text"),
        (storage.blob, "blob"),
        (storage.null, "null"),
    ];
    let present: Vec<String> = classes
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, class)| format!("{} {class}", count(*number)))
        .collect();
    if present.is_empty() { "empty".to_owned() } else { present.join(", ") }
}

/// The ends of the numbers, and the length of the longest text or blob.
pub(super) fn ranges(column: &ColumnAudit) -> String {
    let mut words = Vec::new();
    if let Some((low, high)) = column.integer_range {
        words.push(format!("{low} to {high}"));
    }
    if let Some((low, high)) = column.real_range {
        words.push(format!("{low:?} to {high:?}"));
    }
    match (column.longest_text_chars, column.longest_bytes) {
        (Some(characters), _) => words.push(format!("at most {}", counted(characters, "character"))),
        (None, Some(bytes)) => words.push(format!("at most {}", counted(bytes, "byte"))),
        (None, None) => {}
    }
    words.join("; ")
}
