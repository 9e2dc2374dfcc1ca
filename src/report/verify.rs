//! The certificate on the terminal, and as JSON.

use std::io::{self, Write};

use super::text::{Grid, Paint, count, counted, rows};
use crate::verify::{Certificate, Difference, DifferenceKind, TableComparison, Verdict, Writers};

/// Writes the certificate as the document that `--against` reads.
///
/// # Errors
/// Whatever the writer says.
pub fn certificate_json(certificate: &Certificate, out: &mut dyn Write) -> io::Result<()> {
    let document = certificate.document().map_err(io::Error::other)?;
    serde_json::to_writer_pretty(&mut *out, &document)?;
    writeln!(out)
}

/// Writes what was compared, and every difference by table, key and column.
///
/// # Errors
/// Whatever the writer says.
pub fn certificate_text(certificate: &Certificate, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut grid = Grid::default();
    for table in &certificate.tables {
        let verdict = if table.is_equal() { "equal".to_owned() } else { differences(table) };
        grid.push([
            table.target.clone(),
            format!("source {}", rows(table.source_rows)),
            format!("target {}", rows(table.target_rows)),
            verdict,
            exceptions(table),
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
    let asked = certificate.indexes.iter().filter(|index| index.verdict != Verdict::NotAsked);
    let (answered, asked): (Vec<_>, Vec<_>) = asked.partition(|index| index.verdict != Verdict::NotUsable);
    if !answered.is_empty() {
        let questions = counted((answered.len() + asked.len()) as u64, "question");
        writeln!(out, "  indexes: {questions}, {} answered by an index", count(answered.len() as u64))?;
    }
    if let Some(writers) = &certificate.writers {
        let line = writers_line(writers);
        writeln!(out, "  {}", if writers.waited > 0 { paint.red(&line) } else { line })?;
    }
    let line = conclusion(certificate);
    writeln!(out, "{}", if certificate.equal { paint.green(&line) } else { paint.red(&line) })
}

/// What of a table is not in the target as it is, as the mapping says.
pub(super) fn exceptions(table: &TableComparison) -> String {
    let nulled = (table.exceptions > 0)
        .then(|| format!("{} values are NULL, as the mapping says", count(table.exceptions)));
    let rejected = (table.rejected > 0).then(|| format!("{} rejected", rows(table.rejected)));
    nulled.into_iter().chain(rejected).collect::<Vec<_>>().join(", ")
}

/// What it came to, in one sentence.
pub(super) fn conclusion(certificate: &Certificate) -> String {
    let compared: u64 = certificate.tables.iter().map(|table| table.source_rows).sum();
    let tables = counted(certificate.tables.len() as u64, "table");
    let rejected = match certificate.tables.iter().map(|table| table.rejected).sum() {
        0 => String::new(),
        some => format!("; {} rejected, as the mapping says", rows(some)),
    };
    match (certificate.equal, &certificate.against) {
        (true, None) => format!("Proven: {} in {tables}, every cell equal{rejected}.", rows(compared)),
        (true, Some(against)) => format!(
            "Unchanged: {} in {tables}, as the certificate of {} has them{rejected}.",
            rows(compared),
            against.finished_at
        ),
        (false, _) if same(certificate) => {
            "Every cell is equal, but writers had to wait for a lock that another session held.".to_owned()
        }
        (false, None) => "Source and target differ.".to_owned(),
        (false, Some(against)) => {
            format!("The target is not what the certificate of {} says.", against.finished_at)
        }
    }
}

/// Whether nothing differs, however the writers got on.
fn same(certificate: &Certificate) -> bool {
    certificate.schema_differences.is_empty() && certificate.tables.iter().all(TableComparison::is_equal)
}

/// How writers got on, in one line.
pub(super) fn writers_line(writers: &Writers) -> String {
    let Writers { asked, open_at_once, waited, longest_microseconds, left_out } = writers;
    let mut line = format!(
        "writers: {open_at_once} open at once, {waited} waited, longest {} ms",
        longest_microseconds.div_ceil(1000)
    );
    if open_at_once + waited < *asked {
        line.push_str(&format!("; {asked} were asked for, and there are no more rows"));
    }
    if !left_out.is_empty() {
        line.push_str(&format!(
            "; left out, since their triggers or rules would act: {}",
            left_out.join(", ")
        ));
    }
    line
}

pub(super) fn differences(table: &TableComparison) -> String {
    let least = if table.differences_at_least { "at least " } else { "" };
    let word = if table.differences_total == 1 { "difference" } else { "differences" };
    format!("{least}{} {word}", count(table.differences_total))
}

pub(super) fn difference_line(Difference { table, key, kind }: &Difference) -> String {
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
        DifferenceKind::RejectsNotRecorded { source_rows, recorded_rows } => {
            let recorded = if *recorded_rows == 0 { "none".to_owned() } else { count(*recorded_rows) };
            format!(
                "{table}: its types refuse {} of the source, and the ledger has {recorded} of them",
                rows(*source_rows)
            )
        }
        DifferenceKind::CellsDiffer { columns } => format!("{table} {key}: {}", columns.join(", ")),
        DifferenceKind::RowsDiffer { certified_rows, found_rows } => format!(
            "{table}: its rows are not those of the certificate ({} there, {} here); which ones, `mtm verify --source FILE` says",
            count(*certified_rows),
            count(*found_rows)
        ),
    }
}
