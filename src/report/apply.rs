//! What a run has done, for people.

use std::io::{self, Write};

use super::text::{Grid, Paint, count, rows};
use crate::apply::Report;

/// Writes what was done.
///
/// # Errors
/// Whatever the writer says.
pub fn apply_text(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if report.versions.is_empty() && report.tables.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.bold("Done"))?;
    for version in &report.versions {
        writeln!(out, "  version {version}")?;
    }
    let mut grid = Grid::default();
    for table in &report.tables {
        let nulled = if table.nulled > 0 {
            format!("{} values set to NULL", count(table.nulled))
        } else {
            String::new()
        };
        grid.push([table.target.clone(), rows(table.rows), nulled]);
    }
    grid.write("  ", out)?;
    if report.tables.is_empty() {
        return Ok(());
    }
    if let Some(snapshot) = &report.snapshot {
        writeln!(out, "  one snapshot of the source ({snapshot})")?;
    }
    let all: u64 = report.tables.iter().map(|table| table.rows).sum();
    writeln!(out, "{} `mtm verify` proves them.", paint.green(&format!("{} are there.", rows(all))))
}
