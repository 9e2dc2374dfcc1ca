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
        return rejects_text(report, paint, out);
    }
    writeln!(out, "\n{}", paint.bold("Done"))?;
    for version in &report.versions {
        writeln!(out, "  version {version}")?;
    }
    let mut grid = Grid::default();
    for table in &report.tables {
        let nulled = (table.nulled > 0).then(|| format!("{} values set to NULL", count(table.nulled)));
        let rejected = (table.rejected > 0).then(|| format!("{} rejected", rows(table.rejected)));
        let exceptions: Vec<String> = nulled.into_iter().chain(rejected).collect();
        grid.push([table.target.clone(), rows(table.rows), exceptions.join(", ")]);
    }
    grid.write("  ", out)?;
    if report.tables.is_empty() {
        return rejects_text(report, paint, out);
    }
    if let Some(snapshot) = &report.snapshot {
        writeln!(out, "  one snapshot of the source ({snapshot})")?;
    }
    let all: u64 = report.tables.iter().map(|table| table.rows).sum();
    writeln!(out, "{} `mtm verify` proves them.", paint.green(&format!("{} are there.", rows(all))))?;
    rejects_text(report, paint, out)
}

/// Says how many rows the target does not have, and where they are.
fn rejects_text(report: &Report, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Some(rejects) = &report.rejects else { return Ok(()) };
    let tables: Vec<String> =
        rejects.tables.iter().map(|table| format!("{} of {}", count(table.rows), table.target)).collect();
    writeln!(
        out,
        "{} ({}): they are in {}, each with the reason, and in the ledger ({}).",
        paint.yellow(&format!("{} rejected", rows(rejects.rows))),
        tables.join(", "),
        rejects.file.display(),
        rejects.ledger
    )?;
    writeln!(out, "What refuses them put right, `mtm apply --restart` copies these tables anew.")
}
