//! Runs: who wrote to the target, when, from what, and how it ended.

use super::{Ledger, LedgerError, database};

/// A run's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunId(pub i64);

/// What is known of a run when it begins.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewRun {
    /// The command: `apply`, `migrate up`.
    pub command: String,
    /// The source's fingerprint, if it reads a source.
    pub source_digest: Option<String>,
    /// The mapping's digest, if it has one.
    pub mapping_digest: Option<String>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All was done.
    Done,
    /// An error ended it.
    Failed,
    /// A signal ended it.
    Interrupted,
    /// It never said; a later run found it so.
    Abandoned,
}

impl Outcome {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Failed => "failed",
            Outcome::Interrupted => "interrupted",
            Outcome::Abandoned => "abandoned",
        }
    }
}

/// A run as the ledger has it. Times are in UTC (RFC 3339).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedRun {
    /// The command.
    pub command: String,
    /// When it began.
    pub started_at: String,
    /// When it ended, if it did.
    pub finished_at: Option<String>,
    /// The word for how it ended, as [`Outcome::as_str`] has it.
    pub outcome: Option<String>,
}

impl Ledger {
    /// The last runs, the latest first, so many at most.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn runs(&self, at_most: i64) -> Result<Vec<RecordedRun>, LedgerError> {
        let rows: Vec<(String, String, Option<String>, Option<String>)> =
            sqlx::query_as(self.sql(include_str!("sql/runs.sql")))
                .bind(&self.target_schema)
                .bind(at_most)
                .fetch_all(&self.pool)
                .await
                .map_err(database("reading the runs"))?;
        let run = |(command, started_at, finished_at, outcome)| RecordedRun {
            command,
            started_at,
            finished_at,
            outcome,
        };
        Ok(rows.into_iter().map(run).collect())
    }

    /// Records that a run begins.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn begin_run(&self, run: &NewRun) -> Result<RunId, LedgerError> {
        let sql = self.sql(include_str!("sql/begin_run.sql"));
        let id = sqlx::query_scalar(sql)
            .bind(&self.target_schema)
            .bind(&run.command)
            .bind(&run.source_digest)
            .bind(&run.mapping_digest)
            .fetch_one(&self.pool)
            .await
            .map_err(database("recording the run's begin"))?;
        Ok(RunId(id))
    }

    /// Records how a run ended.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn finish_run(&self, run: RunId, outcome: Outcome) -> Result<(), LedgerError> {
        sqlx::query(self.sql("UPDATE {run} SET finished_at = now(), outcome = $2 WHERE id = $1"))
            .bind(run.0)
            .bind(outcome.as_str())
            .execute(&self.pool)
            .await
            .map_err(database("recording the run's end"))?;
        Ok(())
    }
}
