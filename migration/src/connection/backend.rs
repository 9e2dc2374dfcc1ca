//! A session as the server sees it: what ends it from another session.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

/// How long an ended session may take to roll back.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it is asked whether it has.
const POLL: Duration = Duration::from_millis(50);

/// A session's process on the server. Its number may be used again; with its start it is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backend {
    pid: i32,
    started: String,
}

impl Backend {
    /// The process of this session.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn of(session: &mut PgConnection) -> Result<Backend, sqlx::Error> {
        let sql =
            "SELECT pid, backend_start::text FROM pg_catalog.pg_stat_activity WHERE pid = pg_backend_pid()";
        let (pid, started) = sqlx::query_as(sql).fetch_one(session).await?;
        Ok(Backend { pid, started })
    }

    /// The process's number.
    #[must_use]
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Ends the process by means of another session, should it still be there: a client that has lost its connection does
    /// not know, and the server may take hours to see that nobody listens. Gives whether it is gone.
    ///
    /// # Errors
    /// What the driver says.
    pub async fn end(&self, by: &mut PgConnection) -> Result<bool, sqlx::Error> {
        let sql = "SELECT count(pg_terminate_backend(pid)) > 0 FROM pg_catalog.pg_stat_activity \
                   WHERE pid = $1 AND backend_start = $2::timestamptz";
        let deadline = Instant::now() + PATIENCE;
        loop {
            let is_there: bool =
                sqlx::query_scalar(sql).bind(self.pid).bind(&self.started).fetch_one(&mut *by).await?;
            if !is_there || Instant::now() >= deadline {
                return Ok(!is_there);
            }
            sleep(POLL).await;
        }
    }
}
