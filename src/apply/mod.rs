//! Carrying out a plan: schema, rows, keys. Every step is recorded, so that a run that was cut off is gone on with.
//!
//! In: a [`Plan`], the frozen [`Source`], the target with its lock held. Out: a [`Report`]. The order is pg_dump's:
//! pre-data, data (with the sequences), post-data; then statistics.

mod data;
mod encode;
mod finish;
mod reader;

use std::sync::Arc;

use serde::Serialize;
use sqlx::{AssertSqlSafe, Executor};

use crate::{
    plan::{CopyPlan, Plan, VersionAction},
    schema::render,
    source::Source,
    target::{self, Ledger, LedgerError, MigrateError, NewRun, Outcome, Target, UpTo, Version, server_error},
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
    #[error("{what}: {}", server_error(.error).message)]
    Server {
        /// What was being done.
        what: String,
        /// The driver's error.
        error: sqlx::Error,
    },
    /// The ledger could not be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A version could not be applied.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
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
    /// A thread of ours ended without a word.
    #[error("the reader of table {table} stopped unexpectedly")]
    ReaderLost {
        /// The source table.
        table: String,
    },
}

impl ApplyError {
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
    /// The version for what no pending version covers, if there is anything; already saved where the mapping wants it.
    pub new_version: Option<Version>,
    /// The versions of the mapping's folder, applied ones too: sea-orm-migration wants to see them all.
    pub folder: Vec<Version>,
}

/// Carries out a plan. The caller holds the target's lock and has shown the plan.
///
/// # Errors
/// [`ApplyError`]; whatever was done before is kept, and the next run goes on from there.
pub async fn run(
    plan: &Plan,
    source: &Arc<Source>,
    target: &Target,
    options: &Options,
    listener: &Listener,
) -> Result<Report, ApplyError> {
    if plan.creates_schema {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", render::quoted(&plan.target_schema));
        target
            .pool
            .execute(AssertSqlSafe(sql))
            .await
            .map_err(ApplyError::server(format!("schema {} could not be made", plan.target_schema)))?;
    }
    let ledger = Ledger::install(target).await?;
    let run = NewRun {
        command: "apply".to_owned(),
        source_digest: Some(plan.fingerprint.content_digest.clone()),
        mapping_digest: Some(plan.mapping_digest.clone()),
    };
    let run = ledger.begin_run(&run).await?;
    let done = stages(plan, source, target, &ledger, options, listener).await;
    let outcome = if done.is_ok() { Outcome::Done } else { Outcome::Failed };
    // The first error is the one to tell.
    let closed = ledger.finish_run(run, outcome).await;
    let report = done?;
    closed?;
    Ok(report)
}

async fn stages(
    plan: &Plan,
    source: &Arc<Source>,
    target: &Target,
    ledger: &Ledger,
    options: &Options,
    listener: &Listener,
) -> Result<Report, ApplyError> {
    let made = options.new_version.iter().map(|version| version.name.clone());
    let applied = plan.pending_versions.iter().cloned().chain(made).collect();
    let versions: Vec<Version> = options.folder.iter().chain(&options.new_version).cloned().collect();
    // Hazards concern tables with rows, and a plan of ours changes none of those.
    let allow: &[String] = &[];

    listener(Event::Stage("pre-data"));
    if plan.version_action == VersionAction::Record {
        target::record_applied(target, ledger, &plan.versions).await?;
    }
    target::up(target, ledger, &versions, UpTo::BeforeLastPost, allow).await?;

    listener(Event::Stage("data"));
    let copies: Vec<data::Copy> = plan
        .tables
        .iter()
        .zip(&plan.desired.tables)
        .filter(|(table, _)| matches!(table.copy, CopyPlan::Copy | CopyPlan::Resume))
        .map(|(table, copy)| data::Copy::new(table, copy))
        .collect();
    let run =
        data::Run { fingerprint: &plan.fingerprint, source, target, ledger, jobs: options.jobs, listener };
    let tables = data::copy(&copies, run).await?;

    listener(Event::Stage("post-data"));
    target::up(target, ledger, &versions, UpTo::All, allow).await?;

    listener(Event::Stage("statistics"));
    for copy in &copies {
        finish::analyse(target, &copy.table).await?;
    }
    Ok(Report { versions: applied, tables })
}
