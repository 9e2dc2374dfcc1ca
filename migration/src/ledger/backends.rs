//! Sessions of dead runs: the server works on for a while when a client is killed, and may still commit.

use std::time::Duration;

use sqlx::{PgConnection, PgPool};
use tokio::time::{Instant, sleep};

use super::{Ledger, LedgerError, RunId, database};
use crate::{APPLICATION_NAME, Backend, Lock};

/// How long an ended session may take to roll back.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long sessions may take to go back to their pool.
const RETURN: Duration = Duration::from_secs(2);

/// How often it is asked whether it has.
const POLL: Duration = Duration::from_millis(50);

/// What is being done, for errors.
const ENDING: &str = "ending the sessions of an earlier run";

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

    /// Records so many sessions of a pool as the run's, if there is a run: a killed client's `CREATE INDEX` would otherwise
    /// go on beside the next run's.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn register_pool(&self, pool: &PgPool, sessions: usize) -> Result<(), LedgerError> {
        let Some(run) = self.run else { return Ok(()) };
        // All at once, so that they are different ones; the pool hands these out again before it opens others.
        let mut acquired = Vec::with_capacity(sessions);
        for _ in 0..sessions {
            acquired.push(pool.acquire().await.map_err(database("recording a session of the run"))?);
        }
        for session in &mut acquired {
            self.register_backend(run, session).await?;
        }
        // They go back in the background, and who comes sooner would be given a new one.
        drop(acquired);
        let deadline = Instant::now() + RETURN;
        while pool.num_idle() < sessions && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Asks, by another session, since when those of a run wait for their client, or this one of them; `None`: one is at
    /// work.
    ///
    /// # Errors
    /// [`LedgerError::Database`].
    pub async fn waiting_for_client(
        &self,
        run: RunId,
        backend: Option<&Backend>,
        by: &mut PgConnection,
    ) -> Result<Option<String>, LedgerError> {
        sqlx::query_scalar(self.sql(include_str!("sql/waiting_for_client.sql")))
            .bind(run.0)
            .bind(backend.map(Backend::pid))
            .fetch_one(by)
            .await
            .map_err(database("looking after the sessions of the run"))
    }

    /// Ends all sessions of this run that the ledger knows but the one that asks, and waits until they are gone: after an
    /// error nobody can say what they are at.
    ///
    /// # Errors
    /// As [`Ledger::end_leftover_sessions`].
    pub async fn end_own_sessions(&self) -> Result<u64, LedgerError> {
        match self.run {
            Some(run) => self.end_sessions(Some(run)).await,
            None => Ok(0),
        }
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
        let ended = self.end_sessions(None).await?;
        sqlx::query(self.sql(include_str!("sql/abandon_runs.sql")))
            .bind(&self.target_schema)
            .execute(&self.pool)
            .await
            .map_err(database(ENDING))?;
        Ok(ended)
    }

    /// Ends the sessions of a run, or of all unfinished ones.
    async fn end_sessions(&self, run: Option<RunId>) -> Result<u64, LedgerError> {
        let leftovers = include_str!("sql/leftovers.sql");
        let end = leftovers.replace("{answer}", "pg_terminate_backend(session.pid)");
        let ended: Vec<bool> = sqlx::query_scalar(self.sql(&end))
            .bind(&self.target_schema)
            .bind(APPLICATION_NAME)
            .bind(run.map(|run| run.0))
            .fetch_all(&self.pool)
            .await
            .map_err(database(ENDING))?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left: Vec<bool> = sqlx::query_scalar(self.sql(&leftovers.replace("{answer}", "true")))
                .bind(&self.target_schema)
                .bind(APPLICATION_NAME)
                .bind(run.map(|run| run.0))
                .fetch_all(&self.pool)
                .await
                .map_err(database(ENDING))?;
            if left.is_empty() {
                break;
            }
            if Instant::now() >= deadline {
                return Err(LedgerError::LeftoverSessions { count: left.len() as u64 });
            }
            sleep(POLL).await;
        }
        Ok(ended.len() as u64)
    }
}
