//! The certificate for people.

use std::io::{self, Write};

use super::text::{Grid, Paint, count, rows};
use crate::verify::{Certificate, Difference, DifferenceKind, TableComparison};

/// Writes what was compared, and every difference by table, key and column.
///
/// # Errors
/// Whatever the writer says.
pub fn certificate_text(certificate: &Certificate, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::default();
    for table in &certificate.tables {
        let verdict = if table.is_equal() { "equal".to_owned() } else { differences(table) };
        let nulled = (table.exceptions > 0)
            .then(|| format!("{} values are NULL, as the mapping says", count(table.exceptions)));
        let rejected = (table.rejected > 0).then(|| format!("{} rejected", rows(table.rejected)));
        let exceptions = nulled.into_iter().chain(rejected).collect::<Vec<_>>().join(", ");
        grid.push([
            table.target.clone(),
            format!("source {}", rows(table.source_rows)),
            format!("target {}", rows(table.target_rows)),
            verdict,
            exceptions,
        ]);
    }
    grid.write("  ", out)?;
    for difference in certificate.tables.iter().flat_map(|table| &table.differences) {
        writeln!(out, "  {} {}", paint.red("differs:"), difference_line(difference))?;
    }
    for table in certificate.tables.iter().filter(|t| t.differences_total > t.differences.len() as u64) {
        let more = table.differences_total - table.differences.len() as u64;
        writeln!(out, "  {} {}: {} more", paint.red("differs:"), table.target, count(more))?;
    }
    for difference in &certificate.schema_differences {
        writeln!(out, "  {} {difference}", paint.red("differs:"))?;
    }
    let compared: u64 = certificate.tables.iter().map(|table| table.source_rows).sum();
    let rejected: u64 = certificate.tables.iter().map(|table| table.rejected).sum();
    if rejected > 0 {
        writeln!(
            out,
            "{}",
            paint.yellow(&format!(
                "{} rejected: the target does not have them, as the mapping says.",
                rows(rejected)
            ))
        )?;
    }
    if certificate.equal {
        let line =
            format!("Proven: {} in {} tables, every cell equal.", rows(compared), certificate.tables.len());
        writeln!(out, "{}", paint.green(&line))
    } else {
        writeln!(out, "{}", paint.red("Source and target differ."))
    }
}

fn differences(table: &TableComparison) -> String {
    let least = if table.differences_at_least { "at least " } else { "" };
    let word = if table.differences_total == 1 { "difference" } else { "differences" };
    format!("{least}{} {word}", count(table.differences_total))
}

fn difference_line(Difference { table, key, kind }: &Difference) -> String {
    match kind {
        DifferenceKind::TableMissing => format!("{table}: the target has no such table"),
        DifferenceKind::ColumnMissing { column } => {
            format!("{table}.{column}: the target has no such column")
        }
        DifferenceKind::ColumnType { column, expected, found } => {
            format!("{table}.{column}: it is {found}, and should be {expected}")
        }
        DifferenceKind::MissingInTarget => format!("{table} {key}: missing in the target"),
        DifferenceKind::ExtraInTarget => format!("{table} {key}: not in the source"),
        DifferenceKind::RejectedNotInSource => {
            format!("{table} {key}: the ledger has it among the rejected rows, and the source has it not")
        }
        DifferenceKind::CellsDiffer { columns } => format!("{table} {key}: {}", columns.join(", ")),
    }
}
