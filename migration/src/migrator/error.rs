//! Why versions could not be run, and what sea-orm's own errors hold.

use sea_orm::{DbErr, RuntimeErr};

use crate::{LedgerError, ServerError, server_error, version::Section};

/// Why versions could not be run.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// Versions were edited after they had been applied: a refusal.
    #[error(
        "these versions were edited after they had been applied: {}; restore their files, and put the change into a \
         new version",
        names.join(", ")
    )]
    Edited {
        /// Their names.
        names: Vec<String>,
    },
    /// A step may hurt, and nobody said that it may: a refusal.
    #[error(
        "step {number} of {section} of version {version} has the hazard {hazard}, and rows are in {}: to let it, pass \
         --allow {hazard} (or set MTM_ALLOW={hazard} for sea-orm's command line)",
        tables.join(", ")
    )]
    NotAllowed {
        /// The version.
        version: String,
        /// The section.
        section: Section,
        /// The step's number, from 1.
        number: usize,
        /// The hazard's slug.
        hazard: String,
        /// The tables that hold rows.
        tables: Vec<String>,
    },
    /// A version cannot be taken back: a refusal.
    #[error("version {name} cannot be taken back: {reason}")]
    NoWayBack {
        /// The version.
        name: String,
        /// Why not, and the way out.
        reason: &'static str,
    },
    /// One of sea-orm's commands is not for a database with rows in it: a refusal.
    #[error(
        "{command} is refused, since it takes every table with its rows: use down or redo, a version at a time"
    )]
    Refused {
        /// The command.
        command: &'static str,
    },
    /// The target schema is not there.
    #[error("there is no schema {schema:?} in the target: create it, or name another with --schema")]
    NoSchema {
        /// The schema.
        schema: String,
    },
    /// A concurrent step would make an index that is there already.
    #[error(
        "step {number} of {section} of version {version} makes the index {index:?}, which is there already: drop or \
         rename it, then run again"
    )]
    IndexInTheWay {
        /// The version.
        version: String,
        /// The section.
        section: Section,
        /// The step's number, from 1.
        number: usize,
        /// The index.
        index: String,
    },
    /// The server refused a step.
    #[error(
        "step {number} of {section} of version {version} failed ({statement}); what was done before it is {kept}"
    )]
    Step {
        /// The version.
        version: String,
        /// The section.
        section: Section,
        /// The step's number, from 1.
        number: usize,
        /// The beginning of the statement.
        statement: String,
        /// `kept` or `taken back`.
        kept: &'static str,
        /// Whether the step says itself how long it waits for a lock.
        own_lock_timeout: bool,
        /// What the server said.
        #[source]
        source: ServerError,
    },
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The server refused something else.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the server said.
        #[source]
        source: ServerError,
    },
}

impl MigrateError {
    /// What the server said, where it said something.
    #[must_use]
    pub fn server(&self) -> Option<ServerError> {
        match self {
            MigrateError::Ledger(error) => error.server(),
            MigrateError::Step { source, .. } | MigrateError::Database { source, .. } => Some(source.clone()),
            _ => None,
        }
    }

    /// Whether a step gave up waiting for a lock by its own rule, so that it may be tried again later.
    pub(super) fn waited_for_a_lock(&self) -> bool {
        const LOCK_NOT_AVAILABLE: &str = "55P03";
        matches!(self, MigrateError::Step { own_lock_timeout: true, source, .. } if source.code == LOCK_NOT_AVAILABLE)
    }

    /// Whether nothing went wrong, but something was refused that a person may allow or mend.
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            MigrateError::Edited { .. }
                | MigrateError::NotAllowed { .. }
                | MigrateError::NoWayBack { .. }
                | MigrateError::Refused { .. }
        )
    }
}

/// For `map_err`: says what was being done.
pub(crate) fn database(doing: &'static str) -> impl Fn(sqlx::Error) -> MigrateError {
    move |error| MigrateError::Database { doing, source: error.into() }
}

/// What the server said, out of sea-orm's error.
pub(crate) fn db_error(error: &DbErr) -> ServerError {
    match error {
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => server_error(error),
        other => ServerError::of_connection(other.to_string()),
    }
}
