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

/// What [`redo`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Redone {
    /// The version that was taken back; `None`: the target has none.
    pub taken_back: Option<String>,
    /// The migrations that were applied again.
    pub applied: Vec<String>,
}

/// Takes the last version back and applies it again, under one lock; other versions that are pending stay so. A version
/// that is no longer in the folder is applied as the ledger has it.
///
/// # Errors
/// [`CommandError`]. Where the version cannot be applied again, it stays taken back.
pub async fn redo(target: &Target, versions: &[Version], allow: &[String]) -> Result<Redone, CommandError> {
    let lock = Lock::try_acquire(target).await?;
    let result = async {
        let ledger = Ledger::install(target).await?;
        let run = async |ledger: &Ledger| redo_last(target, ledger, versions, allow).await;
        recorded(ledger, &lock, "migrate redo", run).await
    };
    let result = result.await;
    lock.release().await;
    result
}

async fn redo_last(
    target: &Target,
    ledger: &Ledger,
    versions: &[Version],
    allow: &[String],
) -> Result<Redone, CommandError> {
    // Taking a version back makes the ledger forget it.
    let recorded = ledger.versions().await?;
    let taken_back = migrator::down(target, ledger, versions, 1, allow).await?;
    let Some(name) = taken_back.into_iter().next() else { return Ok(Redone::default()) };
    let of_ledger = recorded.into_iter().map(|recorded| recorded.version);
    let again: Option<Version> =
        versions.iter().cloned().chain(of_ledger).find(|version| version.name == name);
    let applied = migrator::up(target, ledger, again.as_slice(), UpTo::All, allow).await?;
    Ok(Redone { taken_back: Some(name), applied })
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
