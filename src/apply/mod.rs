//! Carrying out a plan: schema, rows, keys. Every step is recorded, so that a run that was cut off is gone on with.
//!
//! In: a [`Plan`], the frozen [`Source`], the target with its lock held. Out: a [`Report`]. The order is pg_dump's:
//! pre-data, data, post-data. Indexes of tables that are complete are built, and statistics gathered, ahead of their stage,
//! where that is in nobody's way.

mod crew;
mod data;
pub mod encode;
mod error;
mod finish;
mod interrupt;
mod isolate;
mod queue;
mod reader;
mod rejects;
mod restart;
mod retry;
mod watch;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use error::ApplyError;
use finish::Ahead;
pub use interrupt::{Interrupt, Signal};
use rejects::Allowance;
pub use rejects::{Rejects, TableRejects, write_rejects};
pub use restart::start_over;
use retry::{Recovery, Remedy, remedy};
use serde::Serialize;
use tokio::sync::oneshot;
use watch::Watch;

use crate::{
    plan::{CopyPlan, Plan, TablePlan, VersionAction},
    source::Source,
    target::{self, Ledger, LedgerError, Lock, NewRun, Outcome, RunId, Target, UpTo, Version, save},
};

/// What a run tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The next part of the work begins.
    Stage(&'static str),
    /// So many rows were sent, and did not arrive.
    TakenBack {
        /// How many.
        rows: u64,
    },
    /// Something of the moment stood in the way.
    TryingAgain {
        /// What is being done.
        what: String,
        /// What stood in the way.
        reason: String,
        /// Which further try this is, from 1.
        attempt: u32,
        /// How many there are.
        of: u32,
    },
    /// The run is asked to end, and finishes what is at work.
    Finishing {
        /// How many chunks.
        chunks: usize,
    },
    /// So many rows more are on their way.
    Rows {
        /// The target table.
        table: String,
        /// How many.
        rows: u64,
    },
}

/// Whoever wants to know how far the work is.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

/// What a run has done.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Report {
    /// The versions that were applied, in order.
    pub versions: Vec<String>,
    /// The tables whose rows were copied.
    pub tables: Vec<TableReport>,
    /// The rows that the target does not have, whichever run rejected them; `None`: it has all.
    pub rejects: Option<Rejects>,
    /// What their rows were one snapshot of, in words.
    pub snapshot: Option<String>,
}

/// What became of a table's rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// The source table.
    pub source: String,
    /// The target table.
    pub target: String,
    /// Rows that are there now, those of an earlier run too.
    pub rows: u64,
    /// Values written as NULL, since the mapping says `on_invalid: set_null`.
    pub nulled: u64,
    /// Rows that are not there, since the mapping says `on_invalid: reject`; the ledger has them.
    pub rejected: u64,
}

/// How a run is to work.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sessions that copy at the same time.
    pub jobs: usize,
    /// How many rows the tables may reject in all, those of an earlier run of the same copy too.
    pub max_rejects: u64,
    /// The version for what no pending version covers, if there is anything.
    pub new_version: Option<Version>,
    /// The hazards that are allowed on tables with rows.
    pub allow: Vec<String>,
    /// Where it is saved, once its tables are there: a version that failed leaves no file behind.
    pub versions_dir: Option<PathBuf>,
    /// The versions of the mapping's folder, applied ones too: sea-orm-migration wants to see them all.
    pub folder: Vec<Version>,
    /// How the run may be asked to end.
    pub interrupt: Interrupt,
    /// How long an answer may take before it is looked into whether the network still carries it; `None`: for ever.
    pub network_timeout: Option<Duration>,
}

/// A plan, both its ends, and how it is to be carried out.
#[derive(Clone, Copy)]
pub struct Job<'a> {
    /// What is to be done; the caller has shown it.
    pub plan: &'a Plan,
    /// The frozen source that the plan was made from.
    pub source: &'a Arc<Source>,
    /// The target that the plan was made for.
    pub target: &'a Target,
    /// How.
    pub options: &'a Options,
    /// Who wants to know.
    pub listener: &'a Listener,
}

/// Carries out a plan, under the target's lock.
///
/// # Errors
/// [`ApplyError`]; whatever was done before is kept, and the next run goes on from there.
pub async fn run(job: Job<'_>, lock: &mut Lock) -> Result<Report, ApplyError> {
    let Job { plan, target, .. } = job;
    if plan.creates_schema {
        let what = format!("schema {} could not be made", plan.target_schema);
        target.create_schema().await.map_err(|error| ApplyError::Schema { what, error })?;
    }
    let ledger = Ledger::install(target).await?;
    let run = NewRun {
        command: COMMAND.to_owned(),
        source_digest: Some(plan.fingerprint.content_digest.clone()),
        mapping_digest: Some(plan.mapping_digest.clone()),
    };
    let run = ledger.begin_run(&run).await?;
    let ledger = ledger.of_run(run);
    let done = stages(job, lock, &ledger, run).await;
    // A server that cannot be reached is not told: the next run sees that this one never said how it ended.
    if done.as_ref().is_err_and(|error| remedy(error) == Remedy::Reconnect) {
        return done;
    }
    let outcome = match &done {
        Ok(_) => Outcome::Done,
        Err(ApplyError::Interrupted { .. }) => Outcome::Interrupted,
        Err(_) => Outcome::Failed,
    };
    let closed = close(&ledger, run, outcome).await;
    // The first error is the one to tell.
    let report = done?;
    closed?;
    Ok(report)
}

/// Says in the ledger how the run ended. Of one that ended early, sessions may still be at work on the server, where they would
/// be in the next run's way.
async fn close(ledger: &Ledger, run: RunId, outcome: Outcome) -> Result<(), LedgerError> {
    if outcome != Outcome::Done {
        ledger.end_own_sessions().await?;
    }
    ledger.finish_run(run, outcome).await
}

/// What an apply is called in the ledger.
const COMMAND: &str = "apply";

/// The hazards that may be run into: those that are allowed by name, and those that the new version carries for other
/// targets. The plan that it was frozen from has been held against this one's rows, and agreed to.
fn allowed(options: &Options) -> Vec<String> {
    let steps =
        options.new_version.iter().flat_map(|version| version.pre_data.iter().chain(&version.post_data));
    options.allow.iter().chain(steps.flat_map(|step| &step.hazards)).cloned().collect()
}

/// Says in the ledger how the rows that are there have been read by now: what was plain may have been given a unit or a
/// time zone by a conversion that is made. Where it is not told, the rows are the same ones ([`TableCopy::accepts`]).
async fn tell_readings(plan: &Plan, ledger: &Ledger) -> Result<(), ApplyError> {
    let content = &plan.fingerprint.content_digest;
    let started = ledger.started_tables().await?;
    let is_made = |table: &TablePlan| match table.copy {
        CopyPlan::Done => true,
        CopyPlan::Convert => plan.version_action == VersionAction::Run,
        _ => false,
    };
    let tables = plan.tables.iter().zip(&plan.desired.tables).filter(|(table, _)| is_made(table));
    let readings: Vec<(&str, &str, String)> = tables
        .filter_map(|(_, copy)| {
            let before = started.get(&copy.target)?.source_digest.as_str();
            Some((copy.target.as_str(), before, copy.read_so(content, before)))
        })
        .filter(|(_, before, after)| before != after)
        .collect();
    let pairs = readings.iter().map(|(table, before, after)| (*table, [*before, after.as_str()]));
    Ok(ledger.rename_copies(pairs).await?)
}

async fn stages(job: Job<'_>, lock: &mut Lock, ledger: &Ledger, run: RunId) -> Result<Report, ApplyError> {
    let Job { plan, source, target, options, listener } = job;
    let made = options.new_version.iter().map(|version| version.name.clone());
    let applied = plan.pending_versions.iter().cloned().chain(made).collect();
    let versions: Vec<Version> = options.folder.iter().chain(&options.new_version).cloned().collect();
    let allow = &allowed(options);

    let patience = options.network_timeout;
    let watch = Watch { target: target.clone(), ledger: ledger.clone(), run, patience };
    let mut recovery = Recovery::new(lock, &watch, &options.interrupt, listener);
    let up = async |limit| {
        target::up(target, ledger, &versions, limit, allow).await?;
        Ok(())
    };

    listener(Event::Stage("pre-data"));
    let pre_data = async || {
        if plan.version_action == VersionAction::Record {
            target::record_applied(target, ledger, &plan.versions).await?;
        }
        up(UpTo::BeforeLastPost).await
    };
    recovery.persist_alone("pre-data", ledger, pre_data).await?;
    tell_readings(plan, ledger).await?;
    if let (Some(version), Some(folder)) = (&options.new_version, &options.versions_dir) {
        save(folder, version)?;
    }

    listener(Event::Stage("data"));
    recovery.confirm().await?;
    let prepare = async || {
        let copies = data::copies(plan, target).await?;
        let builds = match copies.is_empty() {
            true => Vec::new(),
            false => target::builds(target, ledger, &versions, allow).await?,
        };
        let rejected = data::rejected(&copies, 0, ledger).await?;
        Ok((copies, builds, Allowance::new(options.max_rejects, rejected)))
    };
    let (copies, builds, allowance) = recovery.persist("the copy", prepare).await?;
    let ahead = Ahead::default();
    let run = data::Run {
        id: run,
        fingerprint: &plan.fingerprint,
        source,
        target,
        ledger,
        jobs: options.jobs,
        builds: &builds,
        ahead: &ahead,
        allowance: &allowance,
        interrupt: &options.interrupt,
        watch: &watch,
        listener,
    };
    let tables = data::copy(&copies, run, &mut recovery).await?;

    listener(Event::Stage("post-data"));
    recovery.confirm().await?;
    let post_data = async || {
        if ahead.is_lost() {
            ledger.end_own_sessions().await?;
        }
        let (tell_validating, validating) = oneshot::channel();
        let up = async {
            target::up_telling(target, ledger, &versions, allow, tell_validating).await?;
            Ok(())
        };
        // A validation and ANALYZE hold the same lock, so that of one table they come one after the other.
        let tables = copies.iter().map(|copy| &copy.table).filter(|table| !ahead.is_analyzed(table));
        let (later, beside): (Vec<_>, Vec<_>) = tables.partition(|table| plan.desired.refers(&table.target));
        let statistics = async {
            // Told, or dropped in the end: only validations are left.
            validating.await.ok();
            listener(Event::Stage("statistics"));
            ledger.register_pool(&target.pool, options.jobs.min(beside.len())).await?;
            finish::analyze(target, &beside, options.jobs).await
        };
        tokio::try_join!(up, statistics)?;
        ledger.register_pool(&target.pool, options.jobs.min(later.len())).await?;
        finish::analyze(target, &later, options.jobs).await
    };
    recovery.persist_alone("post-data", ledger, post_data).await?;
    Ok(Report { versions: applied, tables, rejects: None, snapshot: Some(source.snapshot().to_string()) })
}
