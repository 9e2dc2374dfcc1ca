//! The plan for people.

use std::io::{self, Write};

use super::text::{Grid, Paint, count, counted, rows};
use crate::{
    plan::{CopyPlan, Plan, VersionAction},
    schema::{Action, Change, Finding, Outcome, Severity},
};

/// Writes the plan: what changes, which rows go where, what is left out, what forbids it.
///
/// # Errors
/// Whatever the writer says.
pub fn plan_text(plan: &Plan, target: &str, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{} {} to {target}, schema {}", paint.bold("Plan:"), plan.source, plan.target_schema)?;
    if plan.is_empty() && plan.blockers().next().is_none() {
        writeln!(
            out,
            "\n{}",
            paint.green("Nothing to do: the target is what the mapping says, and holds this source's rows.")
        )?;
        let rejected: u64 = plan.tables.iter().map(|table| table.rejected_rows).sum();
        if rejected > 0 {
            let line = format!("{} rejected: `mtm apply` says where they are.", rows(rejected));
            writeln!(out, "{}", paint.yellow(&line))?;
        }
        // Where there is no table, nobody has been told yet what is left out.
        if plan.tables.is_empty() {
            fates_text(plan, paint, out)?;
        }
        return findings_text(plan, paint, out);
    }
    schema_text(plan, paint, out)?;
    if !plan.pending_versions.is_empty() {
        let what = match plan.version_action {
            VersionAction::Run => "made by versions of the folder",
            VersionAction::RunThenPlanAgain => {
                "versions that run first; what else is to change is planned after them"
            }
            VersionAction::Record => "the target is what these versions make; they are recorded as applied",
        };
        writeln!(out, "  {what}: {}", plan.pending_versions.join(", "))?;
    }
    rows_text(plan, paint, out)?;
    fates_text(plan, paint, out)?;
    findings_text(plan, paint, out)?;
    summary_text(plan, paint, out)
}

fn schema_text(plan: &Plan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if plan.changes.is_empty() && !plan.creates_schema {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.bold("Schema"))?;
    if plan.creates_schema {
        writeln!(out, "  {} schema {}", paint.green("+"), plan.target_schema)?;
    }
    for change in plan.changes.iter().filter(|change| !is_told_elsewhere(plan, &change.change)) {
        let sign = match change.action {
            Action::Add => paint.green(change.action.sign()),
            Action::Alter => paint.yellow(change.action.sign()),
            Action::Drop => paint.red(change.action.sign()),
        };
        writeln!(out, "  {sign} {}", change.summary)?;
        if !change.hazards.is_empty() {
            let slugs: Vec<&str> = change.hazards.iter().map(|hazard| hazard.slug()).collect();
            writeln!(out, "        {} {}", paint.yellow("hazards:"), slugs.join(", "))?;
        }
        if let Change::CreateTable(table) = &change.change {
            let mut grid = Grid::default();
            let copied = plan.tables.iter().find(|copied| copied.target == table.name);
            for column in &table.columns {
                let mut traits = Vec::new();
                if column.identity {
                    traits.push("identity".to_owned());
                }
                if column.not_null {
                    traits.push("NOT NULL".to_owned());
                }
                traits.extend(column.collation.as_ref().map(|collation| format!("COLLATE {collation}")));
                traits
                    .extend(column.generated.as_ref().map(|of| format!("GENERATED ALWAYS AS ({of}) STORED")));
                traits.extend(column.default.as_ref().map(|default| format!("DEFAULT {default}")));
                let reason = copied
                    .and_then(|copied| copied.columns.iter().find(|copy| copy.target == column.name))
                    .map_or("added by the mapping", |copy| copy.reason.as_str());
                grid.push([
                    column.name.clone(),
                    column.pg_type.to_string(),
                    traits.join(" "),
                    format!("({reason})"),
                ]);
            }
            grid.write("        ", out)?;
            if let Some(partitioning) = &table.partitioning {
                writeln!(
                    out,
                    "        partitioned by {}, one for each {} from the first to one beyond the last ({} in all), and one \
                     for all else",
                    partitioning.key(),
                    partitioning.every.word(),
                    count(table.partitions().len().saturating_sub(1) as u64)
                )?;
            }
            for check in &table.checks {
                writeln!(out, "        check {}: {}", check.name, check.expression)?;
            }
        }
    }
    Ok(())
}

/// Whether a change needs no line of its own: a validation, the partitions of a new table, and what becomes of partitions with
/// their table.
fn is_told_elsewhere(plan: &Plan, change: &Change) -> bool {
    let is_new = |name: &str| {
        plan.changes
            .iter()
            .any(|other| matches!(&other.change, Change::CreateTable(table) if table.name == name))
    };
    match change {
        Change::ValidateForeignKey { .. } => true,
        Change::AddPartition { table, .. } => is_new(table),
        Change::RenameTable { table, .. } => plan.tables.iter().all(|known| known.target != *table),
        Change::MoveTable { table, .. } => {
            plan.moves.as_ref().is_some_and(|moves| moves.partitions.contains(table))
        }
        _ => false,
    }
}

fn rows_text(plan: &Plan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n{}", paint.bold("Rows"))?;
    let mut grid = Grid::default();
    for table in &plan.tables {
        let target = table.target_rows.map_or_else(|| "not there yet".to_owned(), rows);
        let what = match table.copy {
            CopyPlan::Copy => "copy",
            CopyPlan::Resume => "copy the rest: an earlier run was cut off",
            CopyPlan::Done => "done: this source's rows are there",
            CopyPlan::Convert => "there already; this plan's changes make of them what the mapping says",
            CopyPlan::SourceChanged => {
                "stop: rows of an earlier state of the source, or of another mapping, are there"
            }
            CopyPlan::Occupied => "stop: other rows are there",
        };
        let name = if table.source == table.target {
            table.source.clone()
        } else {
            format!("{} to {}", table.source, table.target)
        };
        grid.push([
            name,
            match table.rejected_rows {
                0 => format!("source {}", rows(table.source_rows)),
                rejected => format!("source {}, {} rejected", rows(table.source_rows), count(rejected)),
            },
            format!("target {target}"),
            what.to_owned(),
        ]);
    }
    grid.write("  ", out)?;
    for table in plan.tables.iter().filter(|table| matches!(table.copy, CopyPlan::Copy | CopyPlan::Resume)) {
        writeln!(out, "  {}", paint.dim(&table.insert))?;
    }
    Ok(())
}

fn fates_text(plan: &Plan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let others: Vec<[String; 3]> = plan
        .fates
        .iter()
        .filter_map(|fate| {
            let outcome = match &fate.outcome {
                Outcome::Migrated(_) => return None,
                Outcome::Translated(how) => format!("becomes {how}"),
                Outcome::LeftOut(why) => format!("is left out: {why}"),
            };
            Some([fate.kind.to_owned(), fate.name.clone(), outcome])
        })
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.bold("Not carried over as it stands"))?;
    let mut grid = Grid::default();
    others.into_iter().for_each(|cells| grid.push(cells));
    grid.write("  ", out)
}

fn findings_text(plan: &Plan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    if plan.findings.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{}", paint.bold("Findings"))?;
    for finding in &plan.findings {
        writeln!(out, "  {}", finding_line(finding, paint))?;
    }
    Ok(())
}

/// A finding in a line: its gravity, its code, its message.
pub(super) fn finding_line(Finding { severity, code, message }: &Finding, paint: Paint) -> String {
    let word = match severity {
        Severity::Blocker => paint.red("blocker"),
        Severity::Warning => paint.yellow("warning"),
        Severity::Note => paint.dim("note"),
    };
    format!("{word} {code}: {message}")
}

fn summary_text(plan: &Plan, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let blockers = plan.blockers().count();
    if blockers > 0 {
        let word = if blockers == 1 { "blocker forbids" } else { "blockers forbid" };
        return writeln!(out, "\n{}", paint.red(&format!("{blockers} {word} this plan.")));
    }
    let tables = plan.changes.iter().filter(|change| matches!(change.change, Change::CreateTable(_))).count();
    let changes = plan.changes.iter().filter(|change| change.change.defines()).count();
    let to_copy = plan.tables.iter().filter(|table| matches!(table.copy, CopyPlan::Copy | CopyPlan::Resume));
    let to_copy: u64 = to_copy.map(|table| table.source_rows).sum();
    writeln!(
        out,
        "\n{} {} of the schema ({}), {} to copy. `mtm apply` carries it out.",
        paint.bold("In all:"),
        counted(changes as u64, "change"),
        counted(tables as u64, "new table"),
        rows(to_copy)
    )
}
