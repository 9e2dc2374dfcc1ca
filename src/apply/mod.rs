//! Carrying out a plan: schema, rows, keys. Every step is recorded, so that a run that was cut off is gone on with.
//!
//! In: a [`Plan`], the frozen [`Source`], the target with its lock held. Out: a [`Report`]. The order is pg_dump's:
//! pre-data, data, post-data; then statistics.

mod crew;
mod data;
mod encode;
mod finish;
mod interrupt;
mod reader;
mod restart;
mod retry;
mod watch;

use std::{path::PathBuf, sync::Arc, time::Duration};

pub use interrupt::{Interrupt, Signal};
pub use restart::start_over;
use retry::{Recovery, Remedy, remedy};
use serde::Serialize;
use watch::Watch;

use crate::{
    inspect::{self, InspectError},
    plan::{CopyPlan, Plan, VersionAction},
    source::Source,
    target::{
        self, ConnectError, Ledger, LedgerError, Lock, LockError, MigrateError, NewRun, Outcome, RunId,
        ServerError, Target, UpTo, Version, VersionError, save, server_error,
    },
};

/// Why a run stopped. What is done stays done and is in the ledger; the next run goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// SQLite could not read on.
    #[error("table {table} could not be read")]
    Read {
        /// The source table.
        table: String,
        /// SQLite's error.
        #[source]
        source: rusqlite::Error,
    },
    /// A value that the audit let pass does not fit.
    #[error("{table}.{column} at {key}: {reason}")]
    Unfit {
        /// The source table.
        table: String,
        /// The source column.
        column: String,
        /// The row.
        key: String,
        /// Why.
        reason: String,
    },
    /// PostgreSQL has a limit of 1,600.
    #[error("table {table} has {columns} columns, and PostgreSQL holds 1,600")]
    TooManyColumns {
        /// The source table.
        table: String,
        /// How many.
        columns: usize,
    },
    /// The server refused a statement or was lost.
    #[error("{what}: {}", server_error(.error))]
    Server {
        /// What was being done.
        what: String,
        /// The driver's error.
        error: sqlx::Error,
    },
    /// The target schema could not be made.
    #[error("{what}: {error}")]
    Schema {
        /// What was being done.
        what: String,
        /// The server's error.
        error: ServerError,
    },
    /// The ledger could not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A version could not be applied.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
    /// The lock is lost, and another run may have it.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The server has no session for us.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// A version could not be saved.
    #[error(transparent)]
    Version(#[from] VersionError),
    /// The target could not be read.
    #[error(transparent)]
    Inspect(#[from] InspectError),
    /// Foreign keys that the versions have made let no table be the first.
    #[error("the foreign keys of {} go round in a circle, and were made before the rows; drop one of them, and run again", .tables.join(", "))]
    ForeignKeyCycle {
        /// The tables that wait for one another.
        tables: Vec<String>,
    },
    /// Rows read and rows written are not the same number.
    #[error(
        "table {table}: the audit read {read} rows, and {written} were written. The source must have changed; run again"
    )]
    Miscounted {
        /// The source table.
        table: String,
        /// Rows that the audit saw.
        read: u64,
        /// Rows that were written.
        written: u64,
    },
    /// It was tried several times.
    #[error("{what} was given up after {tries} more tries")]
    GivenUp {
        /// What was being done.
        what: String,
        /// How many.
        tries: u32,
        /// What happened the last time.
        #[source]
        error: Box<ApplyError>,
    },
    /// The run was asked to end, and has finished the chunks at work.
    #[error("interrupted; {} rows are there, and stay", .rows)]
    Interrupted {
        /// What asked.
        signal: Signal,
        /// Rows of the plan's tables that are there by now.
        rows: u64,
    },
    /// A thread of ours ended without a word.
    #[error("the reader of table {table} stopped unexpectedly")]
    ReaderLost {
        /// The source table.
        table: String,
    },
}

impl ApplyError {
    /// What the server said, where it said something.
    #[must_use]
    pub fn server_error(&self) -> Option<ServerError> {
        match self {
            ApplyError::Server { error, .. } => Some(server_error(error)),
            ApplyError::Schema { error, .. } => Some(error.clone()),
            ApplyError::Ledger(error) => error.server(),
            ApplyError::Migrate(error) => error.server(),
            ApplyError::Lock(error) => error.server(),
            ApplyError::Inspect(error) => error.server(),
            ApplyError::Connect(error) => error.server(),
            ApplyError::GivenUp { error, .. } => error.server_error(),
            _ => None,
        }
    }

    fn server(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> ApplyError {
        let what = what.into();
        move |error| ApplyError::Server { what, error }
    }
}

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
}

/// How a run is to work.
#[derive(Debug, Clone)]
pub struct Options {
    /// Sessions that copy at the same time.
    pub jobs: usize,
    /// The version for what no pending version covers, if there is anything.
    pub new_version: Option<Version>,
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
        command: "apply".to_owned(),
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

/// Says in the ledger how the run ended. Of one that failed, other sessions may still be at work on the server, where they
/// would be in the next run's way.
async fn close(ledger: &Ledger, run: RunId, outcome: Outcome) -> Result<(), LedgerError> {
    if outcome == Outcome::Failed {
        ledger.end_own_sessions().await?;
    }
    ledger.finish_run(run, outcome).await
}

async fn stages(job: Job<'_>, lock: &mut Lock, ledger: &Ledger, run: RunId) -> Result<Report, ApplyError> {
    let Job { plan, source, target, options, listener } = job;
    let made = options.new_version.iter().map(|version| version.name.clone());
    let applied = plan.pending_versions.iter().cloned().chain(made).collect();
    let versions: Vec<Version> = options.folder.iter().chain(&options.new_version).cloned().collect();
    // Hazards concern tables with rows, and a plan of ours changes none of those.
    let allow: &[String] = &[];

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
    if let (Some(version), Some(folder)) = (&options.new_version, &options.versions_dir) {
        save(folder, version)?;
    }

    listener(Event::Stage("data"));
    recovery.confirm().await?;
    let copies = copies(plan, target).await?;
    let run = data::Run {
        id: run,
        fingerprint: &plan.fingerprint,
        source,
        target,
        ledger,
        jobs: options.jobs,
        interrupt: &options.interrupt,
        watch: &watch,
        listener,
    };
    let tables = data::copy(&copies, run, &mut recovery).await?;

    listener(Event::Stage("post-data"));
    recovery.confirm().await?;
    recovery.persist_alone("post-data", ledger, async || up(UpTo::All).await).await?;

    listener(Event::Stage("statistics"));
    let analyze = async || {
        let tables = copies.iter().map(|copy| Arc::clone(&copy.table));
        ledger.register_pool(&target.pool, options.jobs.min(copies.len())).await?;
        finish::analyze(target, tables, options.jobs).await
    };
    recovery.persist_alone("statistics", ledger, analyze).await?;
    Ok(Report { versions: applied, tables, snapshot: Some(source.snapshot().to_string()) })
}

/// The tables to copy, in the order that the target's foreign keys want: versions may have made some since the plan.
async fn copies(plan: &Plan, target: &Target) -> Result<Vec<data::Copy>, ApplyError> {
    let live = inspect::live(target, &plan.desired).await?;
    let mut plan = plan.clone();
    plan.order_copies(&live).map_err(|tables| ApplyError::ForeignKeyCycle { tables })?;
    let copies = plan.tables.iter().zip(&plan.desired.tables);
    Ok(copies
        .filter(|(table, _)| matches!(table.copy, CopyPlan::Copy | CopyPlan::Resume))
        .map(|(table, copy)| data::Copy::new(table, copy))
        .collect())
}
