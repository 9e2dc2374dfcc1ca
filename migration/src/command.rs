//! Migrating as a command does it: under the lock, recorded in the ledger. For `mtm migrate` and sea-orm's own command
//! line alike, so that both refuse the same.

use std::time::Duration;

use crate::{
    Ledger, LedgerError, Lock, LockError, Target, Version,
    ledger::{NewRun, Outcome},
    migrator::{self, MigrateError, UpTo},
};

/// Why a command did not migrate.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    /// There was no lock to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The ledger could not be used.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The versions could not be run.
    #[error(transparent)]
    Migrate(#[from] MigrateError),
}

impl CommandError {
    /// Whether nothing went wrong, but something was refused: the lock is held, a hazard is not allowed, …
    pub fn is_refusal(&self) -> bool {
        match self {
            CommandError::Lock(error) => matches!(error, LockError::Held { .. }),
            CommandError::Ledger(_) => false,
            CommandError::Migrate(error) => error.is_refusal(),
        }
    }
}

/// Applies what is pending, and returns the names of the migrations that it applied. It waits this long for the lock,
/// so that two may call it at once: the second finds nothing to do.
///
/// # Errors
/// [`CommandError`].
pub async fn up(
    target: &Target,
    versions: &[Version],
    limit: UpTo,
    allow: &[String],
    patience: Duration,
) -> Result<Vec<String>, CommandError> {
    let lock = Lock::wait(target, patience).await?;
    let result = async {
        let ledger = Ledger::install(target).await?;
        let run = async |ledger: &Ledger| Ok(migrator::up(target, ledger, versions, limit, allow).await?);
        recorded(ledger, &lock, "migrate up", run).await
    };
    let result = result.await;
    lock.release().await;
    result
}

/// Takes the last versions back, and returns their names, newest first. Like whatever may delete rows, it does not wait
/// for the lock.
///
/// # Errors
/// [`CommandError`].
pub async fn down(
    target: &Target,
    versions: &[Version],
    count: u32,
    allow: &[String],
) -> Result<Vec<String>, CommandError> {
    let lock = Lock::try_acquire(target).await?;
    let result = async {
        let ledger = Ledger::install(target).await?;
        let run = async |ledger: &Ledger| Ok(migrator::down(target, ledger, versions, count, allow).await?);
        recorded(ledger, &lock, "migrate down", run).await
    };
    let result = result.await;
    lock.release().await;
    result
}

/// Wraps a run into its rows of the ledger, after ending what an earlier one left on the server.
async fn recorded<T>(
    ledger: Ledger,
    lock: &Lock,
    command: &str,
    run: impl AsyncFnOnce(&Ledger) -> Result<T, CommandError>,
) -> Result<T, CommandError> {
    ledger.end_leftover_sessions(lock).await?;
    let id = ledger.begin_run(&NewRun { command: command.to_owned(), ..NewRun::default() }).await?;
    let ledger = ledger.of_run(id);
    let result = run(&ledger).await;
    let outcome = if result.is_ok() { Outcome::Done } else { Outcome::Failed };
    let finished = ledger.finish_run(id, outcome).await;
    let value = result?;
    finished?;
    Ok(value)
}
