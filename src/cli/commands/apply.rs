//! `mtm apply`

use std::{io::Write, sync::Arc};

use crate::{
    apply::{self, Event, Interrupt, Job, Listener, Options, Report},
    audit::Depth,
    cli::{
        args::{ApplyArgs, Format, ScopeArgs},
        error::{CliError, Exit},
        output::Output,
        prepare::{self, Ends, Prepared},
        progress::Bar,
        saved_plan::PlanOfFile,
    },
    inspect,
    plan::{CopyPlan, MadeFor, Plan, StartOver, VersionAction},
    report,
    schema::Hazard,
    target::{Ledger, Lock},
};

/// Said where rows of another state of the source are in the target.
pub(super) const SOURCE_CHANGED: &str =
    "the source has changed since its rows were copied, or the mapping reads them otherwise";
/// And the way out.
pub(super) const SOURCE_CHANGED_HINT: &str =
    "`mtm apply --restart` empties those tables and copies anew; or choose another --target or --schema";

pub(in crate::cli) async fn run(
    args: &ApplyArgs,
    output: Output,
    interrupt: &Interrupt,
) -> Result<Exit, CliError> {
    let jobs = prepare::jobs(args.jobs);
    let file = args.plan.as_deref().map(PlanOfFile::read).transpose()?;
    let named = args.ends.ends(file.as_ref().map(|file| &file.plan))?;
    let saved = file.as_ref().map(|file| (file, &named.scope));
    let ends = Ends::open(&named, true, jobs).await?;
    // Held from here to the end: what the plan says must still be so when it is carried out.
    let mut lock = Lock::try_acquire(&ends.target).await?;
    // A killed run's sessions may still be at work, and would finish a chunk after the plan has looked.
    if let Some(ledger) = Ledger::find(&ends.target).await? {
        ledger.end_leftover_sessions(&lock).await?;
    }
    let mut from_lock = None;
    if let Some(from) = &ends.from {
        let lock = from_lock.insert(Lock::try_acquire(from).await?);
        if let Some(ledger) = Ledger::find(from).await? {
            ledger.end_leftover_sessions(lock).await?;
        }
    }
    let done = match ends.prepare(Depth::Whole, output).await {
        Ok(mut prepared) => carry_out(args, saved, &mut prepared, &mut lock, interrupt, output).await,
        Err(error) => Err(error),
    };
    if let Some(lock) = from_lock {
        lock.release().await;
    }
    lock.release().await;
    done
}

async fn carry_out(
    args: &ApplyArgs,
    mut saved: Option<(&PlanOfFile, &ScopeArgs)>,
    prepared: &mut Prepared,
    lock: &mut Lock,
    interrupt: &Interrupt,
    output: Output,
) -> Result<Exit, CliError> {
    let written = |error| CliError::io("the report could not be written", error);
    let mut done = Report::default();
    let mut agreed = args.yes;
    // Once: what is rejected again is not copied anew again.
    let mut renew_rejected = args.restart;
    loop {
        if let Some((file, scope)) = saved {
            file.hold_against(prepared, scope).await?;
        }
        let plan = &prepared.plan;
        if args.format == Format::Text {
            output
                .report(|out| report::plan_text(plan, &prepared.target.display, output.paint(), out))
                .map_err(written)?;
        }
        if args.restart && plan.moves.is_none() && plan.blockers().next().is_none() {
            let tables = plan.start_over(&prepared.live, renew_rejected);
            renew_rejected = false;
            if !tables.is_empty() {
                start_over(args, prepared, &tables, output).await?;
                prepared.plan_again().await?;
                continue;
            }
        }
        // What has moved can be emptied after.
        let is_renewed = args.restart && plan.moves.is_some() && plan.blockers().next().is_none();
        if !is_renewed && let Some(exit) = forbidden(plan, output) {
            return Ok(exit);
        }
        if plan.is_empty() {
            break;
        }
        refuse_hazards(plan, &args.allow)?;
        if !agreed {
            agreed = ask(output)?;
            if !agreed {
                output.note("Nothing was done.");
                return Ok(Exit::Done);
            }
        }
        if let (Some(moves), Some(from)) = (&plan.moves, &prepared.from) {
            moves.carry_out(from).await?;
            output.note(&format!(
                "moved {} from schema {} to {}",
                moves.tables.join(", "),
                moves.from,
                moves.to
            ));
            // What the saved plan saw has moved; what is left was agreed to, and nobody else has the lock.
            saved = None;
            prepared.plan_again().await?;
            continue;
        }
        let report = match execute(args, prepared, lock, interrupt, output).await {
            Ok(report) => report,
            Err(error) => {
                say_rejects(args, prepared, output).await;
                return Err(error);
            }
        };
        done.versions.extend(report.versions);
        done.tables.extend(report.tables);
        done.snapshot = report.snapshot;
        if prepared.plan.version_action != VersionAction::RunThenPlanAgain {
            break;
        }
        prepared.plan_again().await?;
    }
    inspect::remember(&prepared.target, &prepared.normal).await?;
    done.rejects = apply::write_rejects(&prepared.plan, &prepared.target, &args.rejects).await?;
    let write = |out: &mut dyn Write| match args.format {
        Format::Text => report::apply_text(&done, output.paint(), out),
        Format::Json => report::json(&done, out),
    };
    output.answer(args.format, write).map_err(written)?;
    // The target lacks them also when this run had nothing to do.
    Ok(if done.rejects.is_some() { Exit::Rejected } else { Exit::Done })
}

/// Writes the rejects of a run that stopped, and says so. What stopped it is the error to tell.
async fn say_rejects(args: &ApplyArgs, prepared: &Prepared, output: Output) {
    if let Ok(Some(rejects)) = apply::write_rejects(&prepared.plan, &prepared.target, &args.rejects).await {
        output.note(&format!("{} rejected so far: {}", report::rows(rejects.rows), rejects.file.display()));
    }
}

/// Takes away what an earlier run has copied of these tables. A whole copy may be in use by now, so that deleting it
/// must be allowed by name.
async fn start_over(
    args: &ApplyArgs,
    prepared: &Prepared,
    tables: &StartOver,
    output: Output,
) -> Result<(), CliError> {
    let live = &prepared.live;
    let is_whole = |table: &&String| {
        let has_rows = live.rows.get(*table).is_some_and(|&rows| rows > 0);
        has_rows && live.copies.get(*table).is_some_and(|copy| copy.finished)
    };
    let whole: Vec<&str> = tables.emptied.iter().filter(is_whole).map(String::as_str).collect();
    let allowed = args.allow.iter().any(|hazard| hazard == "deletes-data");
    if !whole.is_empty() && !allowed {
        return Err(CliError::Refused {
            message: format!("--restart would delete the rows of {}, whose copy is whole", whole.join(", ")),
            hint: Some("to let it, say --restart --allow deletes-data".to_owned()),
        });
    }
    if !args.yes && !ask(output)? {
        return Err(CliError::Refused { message: "nothing was done".to_owned(), hint: None });
    }
    apply::start_over(&prepared.target, &tables.there(&prepared.plan.former)).await?;
    if !tables.emptied.is_empty() {
        output.note(&format!("emptied {}", tables.emptied.join(", ")));
    }
    Ok(())
}

/// Says what forbids the plan; `None`: nothing does.
fn forbidden(plan: &Plan, output: Output) -> Option<Exit> {
    let mut exit = None;
    for blocker in plan.blockers() {
        output.error(&blocker.message, &[], None);
        exit = Some(Exit::Refused);
    }
    if exit.is_none() && plan.source_changed() {
        output.error(SOURCE_CHANGED, &[], Some(SOURCE_CHANGED_HINT));
        exit = Some(Exit::ChangedSource);
    }
    exit
}

/// Refuses what may hurt and is not allowed by name; the message names the flag.
fn refuse_hazards(plan: &Plan, allowed: &[String]) -> Result<(), CliError> {
    let beyond = plan.hazards_beyond(allowed);
    if beyond.is_empty() {
        return Ok(());
    }
    let line = |(hazard, changes): &(Hazard, Vec<&str>)| match changes.as_slice() {
        [only] => format!("{hazard}: {only}"),
        changes => {
            format!("{hazard}: {} changes, the first one: {}", changes.len(), changes.first().unwrap_or(&""))
        }
    };
    let lines: Vec<String> = beyond.iter().map(line).collect();
    let slugs = beyond.iter().map(|(hazard, _)| hazard.slug()).chain(allowed.iter().map(String::as_str));
    Err(CliError::Refused {
        message: format!("this plan has hazards that are not allowed\n  {}", lines.join("\n  ")),
        hint: Some(format!("to let them, say --allow {}", slugs.collect::<Vec<_>>().join(","))),
    })
}

/// Asks whether to go ahead; off a terminal it is a usage error not to have said so.
fn ask(output: Output) -> Result<bool, CliError> {
    let answer =
        output.ask("Carry out this plan?").map_err(|e| CliError::io("no answer could be read", e))?;
    answer.ok_or_else(|| CliError::Usage {
        message: "there is no terminal to ask on".to_owned(),
        hint: Some("`mtm apply --yes` carries the plan out without asking".to_owned()),
    })
}

/// Runs the plan with a progress bar.
async fn execute(
    args: &ApplyArgs,
    prepared: &Prepared,
    lock: &mut Lock,
    interrupt: &Interrupt,
    output: Output,
) -> Result<Report, CliError> {
    let plan = &prepared.plan;
    let to_copy = plan.tables.iter().filter(|table| matches!(table.copy, CopyPlan::Copy | CopyPlan::Resume));
    let bar = Bar::rows(output, "copy", to_copy.map(|table| table.source_rows).sum());
    let listener: Listener = {
        let bar = bar.clone();
        Arc::new(move |event| match event {
            Event::Stage(stage) => bar.say(stage),
            Event::Rows { table, rows } => {
                bar.advance(rows);
                bar.say(&table);
            }
            Event::TakenBack { rows } => bar.take_back(rows),
            Event::TryingAgain { what, reason, attempt, of } => {
                bar.note(output, &format!("{what}: {reason}; trying again ({attempt} of {of})"));
            }
            Event::Finishing { chunks } => bar.note(output, &finishing(chunks)),
        })
    };
    let new_version = prepared.new_version(plan.slug(), MadeFor::ThisTarget).await?;
    let versions_dir = plan.desired.versions_dir.clone();
    let options = Options {
        jobs: prepare::jobs(args.jobs),
        max_rejects: args.max_rejects,
        allow: args.allow.clone(),
        new_version,
        folder: prepared.folder.clone(),
        versions_dir,
        interrupt: interrupt.clone(),
        // Zero is for ever, as it is for the server's own timeouts.
        network_timeout: Some(args.network_timeout).filter(|timeout| !timeout.is_zero()),
    };
    let (source, target) = (&prepared.source, &prepared.target);
    let report = apply::run(Job { plan, source, target, options: &options, listener: &listener }, lock).await;
    bar.finish();
    let report = report?;
    if let (Some(version), Some(folder)) = (&options.new_version, &options.versions_dir) {
        output.note(&format!("saved version {} in {}", version.name, folder.display()));
    }
    Ok(report)
}

/// Said when the run is asked to end while rows are on their way.
fn finishing(chunks: usize) -> String {
    let at_work = match chunks {
        0 => return "interrupted: no chunk is at work; once more to stop at once".to_owned(),
        1 => "the chunk".to_owned(),
        chunks => format!("{chunks} chunks"),
    };
    format!("interrupted: finishing {at_work} at work; once more to stop at once")
}
