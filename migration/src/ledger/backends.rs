//! Sessions of dead runs: the server works on for a while when a client is killed, and may still commit.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use super::{Ledger, LedgerError, RunId, database};
use crate::{APPLICATION_NAME, Lock};

/// How long an ended session may take to roll back.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether it has.
const POLL: Duration = Duration::from_millis(50);

impl Ledger {
    /// Records this session as one of the run's, so that a later run may end it. Each session that copies needs it.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn register_backend(&self, run: RunId, session: &mut PgConnection) -> Result<(), LedgerError> {
        sqlx::query(self.sql(include_str!("sql/register_backend.sql")))
            .bind(run.0)
            .execute(session)
            .await
            .map_err(database("recording a session of the run"))?;
        Ok(())
    }

    /// Ends the sessions that unfinished runs of this target schema left on the server, waits until they are gone, and
    /// marks those runs as abandoned. Returns how many sessions it ended.
    ///
    /// Only sessions that the ledger recorded are ended, by process and start. The lock proves that no such run is
    /// alive; call it before the new run begins.
    ///
    /// # Errors
    /// [`LedgerError::LeftoverSessions`] when they do not end, [`LedgerError::Database`] when the role may not end them.
    pub async fn end_leftover_sessions(&self, _held: &Lock) -> Result<u64, LedgerError> {
        let doing = "ending the sessions of an earlier run";
        let leftovers = include_str!("sql/leftovers.sql");
        let end = leftovers.replace("{answer}", "pg_terminate_backend(session.pid)");
        let ended: Vec<bool> = sqlx::query_scalar(self.sql(&end))
            .bind(&self.target_schema)
            .bind(APPLICATION_NAME)
            .fetch_all(&self.pool)
            .await
            .map_err(database(doing))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left: Vec<bool> = sqlx::query_scalar(self.sql(&leftovers.replace("{answer}", "true")))
                .bind(&self.target_schema)
                .bind(APPLICATION_NAME)
                .fetch_all(&self.pool)
                .await
                .map_err(database(doing))?;
            if left.is_empty() {
                break;
            }
            if Instant::now() >= deadline {
                return Err(LedgerError::LeftoverSessions { count: left.len() as u64 });
            }
            sleep(POLL).await;
        }
        sqlx::query(self.sql(include_str!("sql/abandon_runs.sql")))
            .bind(&self.target_schema)
            .execute(&self.pool)
            .await
            .map_err(database(doing))?;
        Ok(ended.len() as u64)
    }
}
