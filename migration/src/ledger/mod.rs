//! `mtm`'s own tables in the target: what a killed run goes on from, and what explains a target without its folder.
//!
//! One ledger serves every target schema of a database; each row carries its target schema, and a [`Ledger`] sees only
//! those of the [`Target`] that it was found for. Every digest is text as the caller made it; every number of rows a
//! count of rows; every moment UTC.

mod backends;
mod certificates;
mod chunks;
mod install;
mod moves;
mod normal_forms;
mod place;
mod rejects;
mod runs;
mod versions;

use sqlx::PgPool;

pub(crate) use self::versions::VersionRow;
pub use self::{
    certificates::RecordedCertificate,
    chunks::{Chunk, ChunkCounts, ChunkRange, Copied, Started},
    normal_forms::NormalForm,
    place::Place,
    rejects::{RecordedReject, RefusedBy, Reject},
    runs::{NewRun, Outcome, RecordedRun, RunId},
    versions::RecordedVersion,
};
use crate::{ConnectError, ServerError, Target};

/// The ledger of a target schema.
#[derive(Debug, Clone)]
pub struct Ledger {
    pool: PgPool,
    place: Place,
    target_schema: String,
    run: Option<RunId>,
}

/// Why the ledger could not be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The role may create neither the schema `mtm` nor tables in the target schema.
    #[error(
        "the role may create neither a schema in {target} nor tables in schema {schema:?}, so there is no room for the \
         ledger: as its owner run GRANT CREATE, USAGE ON SCHEMA {schema} TO the role"
    )]
    NoRoom {
        /// The target schema.
        schema: String,
        /// The target, for people.
        target: String,
    },
    /// The chunks of a table were planned for another source.
    #[error(
        "the copy of table {table:?} was begun from another source or an earlier state of this one: go on with that \
         one, or pass --restart"
    )]
    OtherSource {
        /// The target table.
        table: String,
    },
    /// A chunk is not in the ledger.
    #[error(
        "the ledger does not know chunk {number} of table {table:?}: another run has changed it; run again"
    )]
    NoSuchChunk {
        /// The target table.
        table: String,
        /// The chunk's number.
        number: u32,
    },
    /// A table was to be closed before its copy was finished.
    #[error("table {table:?} has {pending} chunks that are not copied yet: run again to go on")]
    Unfinished {
        /// The target table.
        table: String,
        /// How many.
        pending: u64,
    },
    /// Sessions of an earlier run would not end.
    #[error(
        "{count} sessions of an earlier run are still at work on the server: wait for them, or end them with \
         pg_terminate_backend"
    )]
    LeftoverSessions {
        /// How many.
        count: u64,
    },
    /// A version cannot be put into the ledger, or read from it.
    #[error("version {name} cannot be turned into the ledger's form, or back")]
    Unreadable {
        /// The version's name.
        name: String,
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The server refused a session.
    #[error("no session for the ledger")]
    Connect(#[source] ConnectError),
    /// The server refused a statement.
    #[error("{doing} failed")]
    Database {
        /// What was being done.
        doing: &'static str,
        /// What the server said.
        #[source]
        source: ServerError,
    },
}

impl LedgerError {
    /// What the server said, where it said something.
    #[must_use]
    pub fn server(&self) -> Option<ServerError> {
        match self {
            LedgerError::Connect(error) => error.server(),
            LedgerError::Database { source, .. } => Some(source.clone()),
            _ => None,
        }
    }
}

/// For `map_err`: says what was being done.
fn database(doing: &'static str) -> impl Fn(sqlx::Error) -> LedgerError {
    move |error| LedgerError::Database { doing, source: error.into() }
}

impl Ledger {
    /// Finds the target's ledger without creating anything; `None`: there is none that this role may read.
    ///
    /// # Errors
    /// [`LedgerError::Database`] when the catalogue cannot be read.
    pub async fn find(target: &Target) -> Result<Option<Ledger>, LedgerError> {
        let places = place::Places::ask(target).await.map_err(database("looking for the ledger"))?;
        Ok(places.existing(target).map(|place| Ledger::at(place, target)))
    }

    /// Makes the ledger, or brings an older one up to date.
    ///
    /// # Errors
    /// [`LedgerError::NoRoom`] when the role may not, [`LedgerError::Database`] for what the server refuses.
    pub async fn install(target: &Target) -> Result<Ledger, LedgerError> {
        let place = install::install(target).await?;
        Ok(Ledger::at(place, target))
    }

    fn at(place: Place, target: &Target) -> Ledger {
        Ledger { pool: target.pool.clone(), place, target_schema: target.schema.clone(), run: None }
    }

    /// The same ledger for this run: sessions that carry out versions are recorded as the run's from here on.
    #[must_use]
    pub fn of_run(self, run: RunId) -> Ledger {
        Ledger { run: Some(run), ..self }
    }

    /// Where its tables are.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The schema that its rows are about.
    pub fn target_schema(&self) -> &str {
        &self.target_schema
    }

    /// Puts the tables' names into SQL, which has them as `{run}`, `{chunk}` and so on.
    fn sql(&self, template: &str) -> sqlx::AssertSqlSafe<String> {
        sqlx::AssertSqlSafe(self.sql_text(template))
    }

    fn sql_text(&self, template: &str) -> String {
        let tables =
            ["run", "backend", "version", "step", "chunk", "copied", "reject", "normal_form", "certificate"];
        tables.iter().fold(template.to_owned(), |sql, table| {
            sql.replace(&format!("{{{table}}}"), &self.place.table(table))
        })
    }
}
