//! One run at a time: a session advisory lock for each database and target schema.
//!
//! The lock lives as long as a session of its own, so it ends with the process, however that ends. The manual's section
//! is "Advisory Locks".

use std::{fmt, time::Duration};

use sqlx::{Connection, Executor, PgConnection};
use tokio::time::{Instant, sleep, timeout};

use crate::{Backend, ConnectError, ServerError, Target};

/// The first key of every advisory lock here: `mtm` in ASCII.
pub(crate) const LOCK_CLASS: i32 = 0x006d_746d;

/// How often a waiting run asks again.
const POLL: Duration = Duration::from_millis(200);

/// From this server on, an idle session may be ended by a timeout of its own.
const HAS_IDLE_SESSION_TIMEOUT: i32 = 140_000;

/// The right to change a target schema; held until it is released or dropped.
#[derive(Debug)]
pub struct Lock {
    session: PgConnection,
    backend: Backend,
    target: Target,
}

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run has it.
    #[error(
        "another run holds the lock on schema {schema:?} of {target}: {holder}; wait for it, or end it with \
         SELECT pg_terminate_backend({})",
        holder.pid
    )]
    Held {
        /// The target, for people.
        target: String,
        /// The target schema.
        schema: String,
        /// Who has it.
        holder: Box<Holder>,
    },
    /// The server refused another session.
    #[error("no session for the lock")]
    Connect(#[source] ConnectError),
    /// The lock could not be asked for, or was lost with its session.
    #[error("the lock on schema {schema:?} could not be asked for, or its session was lost")]
    Session {
        /// The target schema.
        schema: String,
        /// What the server said.
        #[source]
        source: ServerError,
    },
}

/// The session that holds the lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process on the server; 0 when it went away in the meantime.
    pub pid: i32,
    /// What it calls itself.
    pub application: String,
    /// The client's address, or `local socket`; `None`: not for this role to see.
    pub client: Option<String>,
    /// When the session began, in UTC; `None`: not for this role to see.
    pub since: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "process {} of the server", self.pid)?;
        if !self.application.is_empty() {
            write!(formatter, " (application {})", self.application)?;
        }
        if let Some(client) = &self.client {
            write!(formatter, " from {client}")?;
        }
        match &self.since {
            Some(since) => write!(formatter, ", since {since}"),
            None => Ok(()),
        }
    }
}

impl LockError {
    /// What the server said, where it said something.
    #[must_use]
    pub fn server(&self) -> Option<ServerError> {
        match self {
            LockError::Held { .. } => None,
            LockError::Connect(error) => error.server(),
            LockError::Session { source, .. } => Some(source.clone()),
        }
    }
}

impl Lock {
    /// Takes the lock, or says who has it.
    ///
    /// # Errors
    /// [`LockError::Held`] when another session has it.
    pub async fn try_acquire(target: &Target) -> Result<Lock, LockError> {
        Lock::wait(target, Duration::ZERO).await
    }

    /// Takes the lock, waiting for it this long.
    ///
    /// It asks again and again instead of waiting on the server: a session that waits there keeps a snapshot, for which
    /// the holder's `CREATE INDEX CONCURRENTLY` would wait in turn, and the server would end one of the two.
    ///
    /// # Errors
    /// [`LockError::Held`] when another session still has it at the end.
    pub async fn wait(target: &Target, patience: Duration) -> Result<Lock, LockError> {
        let deadline = Instant::now() + patience;
        let mut lock = Lock::open(target).await?;
        while !lock.attempt().await? {
            if Instant::now() >= deadline {
                return Err(lock.held().await?);
            }
            sleep(POLL.min(deadline.saturating_duration_since(Instant::now()))).await;
        }
        Ok(lock)
    }

    /// Makes sure that the lock is held: by its session, or, where that was lost, by a new one.
    ///
    /// # Errors
    /// [`LockError::Held`] when another run has taken it in the meantime; [`LockError::Connect`] and
    /// [`LockError::Session`] while the server cannot be reached.
    pub async fn regain(&mut self) -> Result<(), LockError> {
        let answer = timeout(self.target.patience(), self.session.ping()).await;
        if matches!(answer, Ok(Ok(()))) {
            return Ok(());
        }
        let mut next = Lock::open(&self.target).await?;
        // A connection that broke on the way leaves a session behind that still has the lock.
        let gone = self.backend.end(&mut next.session).await;
        gone.map_err(|error| self.lost(error))?;
        if !next.attempt().await? {
            return Err(next.held().await?);
        }
        *self = next;
        Ok(())
    }

    /// The target that is locked.
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// Asks whether the lock is still held: that its session is alive.
    ///
    /// # Errors
    /// [`LockError::Session`] when it is not.
    pub async fn confirm(&mut self) -> Result<(), LockError> {
        let silent = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
        let answer = timeout(self.target.patience(), self.session.ping()).await;
        answer.unwrap_or_else(|_| Err(silent())).map_err(|error| self.lost(error))
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// None that matter: if the session cannot be closed in order, it is gone, and the lock with it.
    pub async fn release(mut self) {
        // A session's end takes the server a moment, in which the next run would be refused.
        self.session.execute("SELECT pg_advisory_unlock_all()").await.ok();
        self.session.close().await.ok();
    }

    /// A session that may ask for the lock.
    async fn open(target: &Target) -> Result<Lock, LockError> {
        let mut session = target.session().await.map_err(LockError::Connect)?;
        let backend = Backend::of(&mut session)
            .await
            .map_err(|error| LockError::Session { schema: target.schema.clone(), source: error.into() })?;
        let mut lock = Lock { session, backend, target: target.clone() };
        lock.prepare().await?;
        Ok(lock)
    }

    /// Lets the session rest as long as the run takes, and lets the server notice a client's machine that is gone.
    async fn prepare(&mut self) -> Result<(), LockError> {
        let mut sql =
            "SET statement_timeout = 0; SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; \
                       SET tcp_keepalives_count = 3"
                .to_owned();
        if self.target.server.version_num >= HAS_IDLE_SESSION_TIMEOUT {
            sql.push_str("; SET idle_session_timeout = 0");
        }
        let answer = self.session.execute(sqlx::AssertSqlSafe(sql)).await;
        answer.map(|_| ()).map_err(|error| self.lost(error))
    }

    async fn attempt(&mut self) -> Result<bool, LockError> {
        let answer = sqlx::query_scalar("SELECT pg_try_advisory_lock($1, $2)")
            .bind(LOCK_CLASS)
            .bind(key_of(&self.target.schema))
            .fetch_one(&mut self.session)
            .await;
        answer.map_err(|error| self.lost(error))
    }

    async fn held(&mut self) -> Result<LockError, LockError> {
        let answer = sqlx::query_as(include_str!("lock.sql"))
            .bind(LOCK_CLASS)
            .bind(key_of(&self.target.schema))
            .fetch_optional(&mut self.session)
            .await;
        let found = answer.map_err(|error| self.lost(error))?;
        let (pid, application, client, since) = found.unwrap_or_default();
        Ok(LockError::Held {
            target: self.target.display.clone(),
            schema: self.target.schema.clone(),
            holder: Box::new(Holder { pid, application, client, since }),
        })
    }

    fn lost(&self, error: sqlx::Error) -> LockError {
        LockError::Session { schema: self.target.schema.clone(), source: error.into() }
    }
}

/// The second key: the schema's name as a number. Two schemas with the same number merely wait for one another.
fn key_of(schema: &str) -> i32 {
    let [a, b, c, d, ..] = xxhash_rust::xxh3::xxh3_64(schema.as_bytes()).to_le_bytes();
    i32::from_le_bytes([a, b, c, d])
}
