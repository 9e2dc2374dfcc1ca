//! The plan as SQL: the statements that `mtm apply` sends, in its order, each with the timeouts that it has.

use std::{
    io::{self, Write},
    time::Duration,
};

use super::text::rows;
use crate::{
    plan::{CopyPlan, MadeFor, Plan, VersionAction},
    schema::render::quoted,
    target::{Step, Version},
};

/// Writes the plan's SQL: what comes before the rows, the insert plans as comments, what comes after them.
///
/// # Errors
/// Whatever the writer says.
pub fn plan_sql(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.is_empty() {
        return writeln!(out, "-- Nothing to do.");
    }
    let schema = quoted(&plan.target_schema);
    if let Some(moves) = &plan.moves {
        writeln!(
            out,
            "-- the move: one transaction, with what the ledger and seaql_migrations know of these tables\nBEGIN;"
        )?;
        create_schema(plan, out)?;
        moves.statements().iter().try_for_each(|sql| writeln!(out, "{sql};"))?;
        writeln!(out, "COMMIT;\n")?;
    } else {
        create_schema(plan, out)?;
    }
    writeln!(out, "SET search_path = {schema};")?;
    let runs: Vec<Version> = match plan.version_action {
        VersionAction::Record => Vec::new(),
        VersionAction::Run | VersionAction::RunThenPlanAgain => plan.versions.clone(),
    };
    let versions: Vec<Version> =
        runs.into_iter().chain(plan.new_version(String::new(), MadeFor::ThisTarget)).collect();
    let mut timeouts = Timeouts::default();
    let (last, before) = versions.split_last().map_or((None, &[][..]), |(last, before)| (Some(last), before));
    for version in before {
        before_rows(version, out)?;
        writeln!(out)?;
        timeouts.write(&version.post_data, out)?;
    }
    if let Some(version) = last {
        before_rows(version, out)?;
    }
    let copied: Vec<_> = plan
        .tables
        .iter()
        .filter(|table| !matches!(table.copy, CopyPlan::Done | CopyPlan::Convert))
        .collect();
    if !copied.is_empty() {
        writeln!(out, "\n-- data: rows are copied by COPY; these insert plans say what it does")?;
    }
    for table in copied {
        writeln!(out, "-- {} to copy\n-- {};", rows(table.source_rows), table.insert)?;
    }
    let after = last.map_or(&[][..], |version| &version.post_data);
    if !after.is_empty() {
        writeln!(out, "\n-- post-data: a transaction each")?;
    }
    timeouts.write(after, out)
}

fn before_rows(version: &Version, out: &mut dyn Write) -> io::Result<()> {
    let (labels, steps) = version.before_rows();
    if !labels.is_empty() {
        writeln!(out, "\n-- pre-data: nothing in the transaction that adds a label may use it")?;
    }
    Timeouts::default().write(labels, out)?;
    in_one_transaction(steps, out)
}

fn create_schema(plan: &Plan, out: &mut dyn Write) -> io::Result<()> {
    if plan.creates_schema { writeln!(out, "CREATE SCHEMA {};", quoted(&plan.target_schema)) } else { Ok(()) }
}

fn in_one_transaction(steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
    if steps.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n-- pre-data: one transaction\nBEGIN;")?;
    Timeouts { set: "SET LOCAL", ..Timeouts::default() }.write(steps, out)?;
    writeln!(out, "COMMIT;")
}

/// The timeouts of the session or the transaction, as the statements so far have set them.
struct Timeouts {
    set: &'static str,
    lock: Option<Duration>,
    statement: Option<Duration>,
}

impl Default for Timeouts {
    fn default() -> Timeouts {
        Timeouts { set: "SET", lock: None, statement: None }
    }
}

impl Timeouts {
    fn write(&mut self, steps: &[Step], out: &mut dyn Write) -> io::Result<()> {
        for (at, step) in steps.iter().enumerate() {
            let goes_on = steps.get(at + 1).is_some_and(|next| next.together);
            if goes_on && !step.together {
                writeln!(out, "BEGIN;")?;
            }
            set(self.set, "lock_timeout", &mut self.lock, step.lock_timeout, out)?;
            set(self.set, "statement_timeout", &mut self.statement, step.statement_timeout, out)?;
            writeln!(out, "{};", step.sql)?;
            if step.together && !goes_on {
                writeln!(out, "COMMIT;")?;
            }
        }
        Ok(())
    }
}

fn set(
    set: &str,
    name: &str,
    now: &mut Option<Duration>,
    wanted: Option<Duration>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if *now == wanted {
        return Ok(());
    }
    *now = wanted;
    match wanted {
        Some(timeout) => writeln!(out, "{set} {name} = '{}ms';", timeout.as_millis()),
        None => writeln!(out, "{set} {name} TO DEFAULT;"),
    }
}
