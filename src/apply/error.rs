//! Why a run stops.

use std::path::PathBuf;

use super::Signal;
use crate::{
    inspect::InspectError,
    target::{ConnectError, LedgerError, LockError, MigrateError, ServerError, VersionError, server_error},
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
    /// The server refuses a row, and the mapping does not send it to the rejects.
    #[error("{place} at {key}: the server refuses the row: {reason}")]
    Refused {
        /// The source table.
        table: String,
        /// The table, and the column where it is known.
        place: String,
        /// The row.
        key: String,
        /// Why.
        reason: String,
    },
    /// More rows were refused than the run may reject.
    #[error(
        "more than {limit} rows are rejected, the last one for this: {place}: {reason}. Is that what the mapping is to do? \
         --max-rejects allows more"
    )]
    TooManyRejects {
        /// How many are allowed.
        limit: u64,
        /// The last one's source table, and column where it is known.
        place: String,
        /// Why it was refused.
        reason: String,
    },
    /// The file of rejects could not be written. The rows are in the ledger.
    #[error("the file of rejected rows {} could not be written", .path.display())]
    RejectsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
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

    pub(super) fn server(what: impl Into<String>) -> impl FnOnce(sqlx::Error) -> ApplyError {
        let what = what.into();
        move |error| ApplyError::Server { what, error }
    }
}
