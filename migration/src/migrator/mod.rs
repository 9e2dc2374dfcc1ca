//! Runs versions through sea-orm-migration, which records them in the target schema's `seaql_migrations`.
//!
//! A version `NAME` is two migrations: `NAME` before the rows and `NAME__post` after them; both are taken back as one.
//! sea-orm-migration has neither checksums nor a memory of migrations whose files are gone; the ledger gives it both.
//! Who calls [`up`] or [`down`] holds the [`Lock`](crate::Lock).

mod ahead;
mod chunks;
mod concurrent;
mod create_index;
mod error;
mod hazards;
mod history;
mod locks;
mod runner;
mod sort;
mod status;
mod steps;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use sea_orm::{DatabaseConnection, DbErr, SqlxPostgresConnector};
pub use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::{
    IntoSchemaManagerConnection, MigrationStatus, MigrationTrait, async_trait::async_trait,
};
use tokio::{sync::oneshot, time::sleep};

pub use self::ahead::{Build, builds};
pub use self::error::MigrateError;
pub use self::status::{State, VersionStatus, status};
pub(crate) use self::{
    error::{database, db_error},
    history::{MIGRATION_TABLE, applied_names},
};
use self::{
    history::{Entry, Origin, entries},
    runner::{Job, PostData, PreData},
};
use crate::{Ledger, Target, Version};

/// What the name of a version's second migration ends in.
pub const POST_SUFFIX: &str = "__post";

/// Post-data steps at the same time, at most: a server builds one b-tree by several processes already
/// (`max_parallel_maintenance_workers`), so that more gain nothing.
const PARALLEL_STEPS: u32 = 4;

/// sea-orm's migrator over the versions of a folder and those that the target remembers.
pub struct Migrator {
    jobs: Vec<Arc<Job>>,
    failure: Arc<Mutex<Option<MigrateError>>>,
}

/// How far [`up`] goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpTo {
    /// All that is pending.
    All,
    /// All that is pending but the last version's post-data, if that is pending: what rows are to be copied before. Columns that
    /// take other ones' places do so nevertheless.
    BeforeLastPost,
    /// This many versions, whole ones.
    Versions(u32),
}

/// How long is paused, one after another, where a step with a lock timeout of its own did not get its lock: 26 s in all.
pub(crate) const LOCK_PAUSES: [Duration; 8] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_200),
    Duration::from_millis(6_400),
    Duration::from_millis(12_800),
];

/// Applies what is pending, and returns the names of the migrations that it applied.
///
/// A post-data that was cut short goes on where it was. `allow` holds the hazards that are allowed on tables with rows.
///
/// # Errors
/// [`MigrateError::Edited`] when an applied version was edited; [`MigrateError::NotAllowed`], [`MigrateError::Step`].
pub async fn up(
    target: &Target,
    ledger: &Ledger,
    versions: &[Version],
    limit: UpTo,
    allow: &[String],
) -> Result<Vec<String>, MigrateError> {
    let migrator = Migrator::new(target, ledger, versions, allow).await?;
    run_up(target, ledger, migrator, limit).await
}

/// As [`up`] with [`UpTo::All`]; `validating` is told when nothing is left but constraints to validate, and dropped in the
/// end. A validation reads a table for long, on one processor; what reads tables too may begin beside it.
///
/// # Errors
/// As [`up`].
pub async fn up_telling(
    target: &Target,
    ledger: &Ledger,
    versions: &[Version],
    allow: &[String],
    validating: oneshot::Sender<()>,
) -> Result<Vec<String>, MigrateError> {
    let migrator = Migrator::telling(target, ledger, versions, allow, Some(validating)).await?;
    run_up(target, ledger, migrator, UpTo::All).await
}

async fn run_up(
    target: &Target,
    ledger: &Ledger,
    migrator: Migrator,
    limit: UpTo,
) -> Result<Vec<String>, MigrateError> {
    let session = Session::open(target).await?;
    ledger.register_pool(&session.pool, 1).await?;
    let pending = migrator.pending(&session.connection).await?;
    let names: Vec<String> = pending[..count_of(&pending, limit)].to_vec();
    let done = with_patience(async || {
        let pending = migrator.pending(&session.connection).await?;
        let result = match u32::try_from(count_of(&pending, limit)) {
            Ok(0) => Ok(()),
            Ok(count) => migrator.up(&session.connection, Some(count)).await,
            Err(_) => migrator.up(&session.connection, None).await,
        };
        migrator.outcome(result)?;
        match pending.last().and_then(|last| migrator.job_of_post(last)) {
            Some(job) if limit == UpTo::BeforeLastPost => job.run_exchanges(&session.connection).await,
            _ => Ok(()),
        }
    })
    .await;
    session.close().await;
    done.map(|()| names)
}

/// Tries again where a step did not get its lock in its own time: whoever holds it goes on meanwhile, and nobody queues up
/// behind us.
async fn with_patience(run: impl AsyncFn() -> Result<(), MigrateError>) -> Result<(), MigrateError> {
    let mut pauses = LOCK_PAUSES.iter();
    loop {
        match run().await {
            Err(error)
                if error.waited_for_a_lock()
                    && let Some(pause) = pauses.next() =>
            {
                sleep(*pause).await
            }
            done => return done,
        }
    }
}

/// Takes the last versions back, and returns their names, newest first.
///
/// # Errors
/// [`MigrateError::NotAllowed`] when rows would be deleted and `allow` lacks `deletes-data`;
/// [`MigrateError::NoWayBack`], [`MigrateError::Edited`], [`MigrateError::Step`].
pub async fn down(
    target: &Target,
    ledger: &Ledger,
    versions: &[Version],
    count: u32,
    allow: &[String],
) -> Result<Vec<String>, MigrateError> {
    let session = Session::open(target).await?;
    ledger.register_pool(&session.pool, 1).await?;
    let mut names = Vec::new();
    let mut done = Ok(());
    for _ in 0..count {
        let migrator = Migrator::new(target, ledger, versions, allow).await?;
        let Some(name) = migrator.last_applied() else { break };
        // Either half takes the whole version back.
        done =
            with_patience(async || migrator.outcome(migrator.down(&session.connection, Some(1)).await)).await;
        if done.is_err() {
            break;
        }
        names.push(name);
    }
    session.close().await;
    done.map(|()| names)
}

/// Records versions as applied without running them: for a target that already is what they lead to.
///
/// # Errors
/// [`MigrateError::Database`], [`MigrateError::Ledger`].
pub async fn record_applied(
    target: &Target,
    ledger: &Ledger,
    versions: &[Version],
) -> Result<(), MigrateError> {
    let migrator = Migrator::new(target, ledger, versions, &[]).await?;
    let session = Session::open(target).await?;
    let installed = migrator.install(&session.connection).await;
    session.close().await;
    migrator.outcome(installed)?;
    let failed = database("recording versions");
    let mut transaction = target.pool.begin().await.map_err(&failed)?;
    for version in versions {
        ledger.record_version(&mut transaction, version).await?;
        for name in [version.name.clone(), format!("{}{POST_SUFFIX}", version.name)] {
            sqlx::query(include_str!("record_applied.sql"))
                .bind(name)
                .execute(&mut *transaction)
                .await
                .map_err(&failed)?;
        }
    }
    transaction.commit().await.map_err(&failed)
}

/// How many of the pending migrations are within the limit.
fn count_of(pending: &[String], limit: UpTo) -> usize {
    let is_post = |name: &String| name.ends_with(POST_SUFFIX);
    match limit {
        UpTo::All => pending.len(),
        UpTo::BeforeLastPost => pending.len() - usize::from(pending.last().is_some_and(is_post)),
        UpTo::Versions(versions) => {
            // A version ends with its post-data, which is always pending if its pre-data is.
            let ends = pending.iter().enumerate().filter(|(_, name)| is_post(name)).map(|(at, _)| at + 1);
            ends.take(usize::try_from(versions).unwrap_or(usize::MAX)).last().unwrap_or(0)
        }
    }
}

/// One session, so that a timeout set for a statement is in force when that statement comes.
struct Session {
    connection: DatabaseConnection,
    pool: sqlx::PgPool,
}

impl Session {
    async fn open(target: &Target) -> Result<Session, MigrateError> {
        let exists: bool = sqlx::query_scalar("SELECT current_schema() IS NOT NULL")
            .fetch_one(&target.pool)
            .await
            .map_err(database("looking for the target schema"))?;
        if !exists {
            return Err(MigrateError::NoSchema { schema: target.schema.clone() });
        }
        let pool = target.single_session_pool(&target.schema);
        Ok(Session { connection: SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone()), pool })
    }

    async fn close(self) {
        self.pool.close().await;
    }
}

impl Migrator {
    /// Puts the folder's versions beside the target's.
    ///
    /// # Errors
    /// [`MigrateError::Edited`] when a version was edited after it had been applied.
    pub async fn new(
        target: &Target,
        ledger: &Ledger,
        versions: &[Version],
        allow: &[String],
    ) -> Result<Migrator, MigrateError> {
        Migrator::telling(target, ledger, versions, allow, None).await
    }

    /// As [`Migrator::new`]; see [`up_telling`].
    async fn telling(
        target: &Target,
        ledger: &Ledger,
        versions: &[Version],
        allow: &[String],
        validating: Option<oneshot::Sender<()>>,
    ) -> Result<Migrator, MigrateError> {
        let entries = entries(target, Some(ledger), versions).await?;
        let edited = entries.iter().filter(|entry| entry.edited).map(|entry| entry.version.name.clone());
        let names: Vec<String> = edited.collect();
        if !names.is_empty() {
            return Err(MigrateError::Edited { names });
        }
        let failure = Arc::new(Mutex::new(None));
        let validating = Arc::new(Mutex::new(validating));
        let allow: Arc<[String]> = allow.into();
        let pool = SqlxPostgresConnector::from_sqlx_postgres_pool(target.pool.clone());
        // Half are for those that copy, one is the migrator's own, and one is left for the ledger's reading.
        let half = target.pool.options().get_max_connections().saturating_sub(2) / 2;
        let sessions = half.clamp(1, PARALLEL_STEPS) as usize;
        let job = |entry: Entry| {
            let (ledger, allow, failure) = (ledger.clone(), Arc::clone(&allow), Arc::clone(&failure));
            let validating = Arc::clone(&validating);
            Arc::new(Job { entry, ledger, pool: pool.clone(), sessions, allow, failure, validating })
        };
        Ok(Migrator { jobs: entries.into_iter().map(job).collect(), failure: Arc::clone(&failure) })
    }

    async fn pending(&self, connection: &DatabaseConnection) -> Result<Vec<String>, MigrateError> {
        let all = self.outcome(self.get_migration_with_status_read_only(connection).await)?;
        let pending = all.into_iter().filter(|migration| migration.status() == MigrationStatus::Pending);
        Ok(pending.map(|migration| migration.name().to_owned()).collect())
    }

    /// The version whose post-data has this name.
    fn job_of_post(&self, name: &str) -> Option<&Arc<Job>> {
        let version = name.strip_suffix(POST_SUFFIX)?;
        self.jobs.iter().find(|job| job.entry.version.name == version)
    }

    fn last_applied(&self) -> Option<String> {
        let applied = |job: &&Arc<Job>| job.entry.pre_applied || job.entry.post_applied;
        self.jobs.iter().rev().find(applied).map(|job| job.entry.version.name.clone())
    }

    /// The real error behind sea-orm's text.
    fn outcome<T>(&self, result: Result<T, DbErr>) -> Result<T, MigrateError> {
        result.map_err(|error| {
            let left = self.failure.lock().ok().and_then(|mut failure| failure.take());
            left.unwrap_or_else(|| MigrateError::Database {
                doing: "running the migrations",
                source: db_error(&error),
            })
        })
    }
}

fn refuse(command: &'static str) -> Result<(), DbErr> {
    Err(DbErr::Migration(MigrateError::Refused { command }.to_string()))
}

#[async_trait]
impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations: Vec<Box<dyn MigrationTrait>> = Vec::new();
        for job in &self.jobs {
            let known = job.entry.origin != Origin::Unknown;
            if known || job.entry.pre_applied {
                migrations.push(Box::new(PreData(Arc::clone(job))));
            }
            if known || job.entry.post_applied {
                migrations.push(Box::new(PostData::new(Arc::clone(job))));
            }
        }
        migrations
    }

    fn migration_table_name(&self) -> sea_orm::DynIden {
        use sea_orm::sea_query::{Alias, IntoIden};
        Alias::new(MIGRATION_TABLE).into_iden()
    }

    async fn fresh<'c, C>(&self, _db: C) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        refuse("fresh")
    }

    async fn refresh<'c, C>(&self, _db: C) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        refuse("refresh")
    }

    async fn reset<'c, C>(&self, _db: C) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        refuse("reset")
    }

    async fn uninstall<'c, C>(&self, _db: C) -> Result<(), DbErr>
    where
        C: IntoSchemaManagerConnection<'c>,
    {
        refuse("uninstall")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_end_where_a_version_does() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let two = names(&["m1", "m1__post", "m2", "m2__post"]);
        let half = names(&["m1__post", "m2", "m2__post"]);
        let cases = [
            (&two, UpTo::All, 4),
            (&two, UpTo::BeforeLastPost, 3),
            (&two, UpTo::Versions(0), 0),
            (&two, UpTo::Versions(1), 2),
            (&two, UpTo::Versions(9), 4),
            (&half, UpTo::Versions(1), 1),
            (&half, UpTo::BeforeLastPost, 2),
            (&names(&["m1__post"]), UpTo::BeforeLastPost, 0),
            (&names(&[]), UpTo::BeforeLastPost, 0),
            (&names(&[]), UpTo::Versions(1), 0),
        ];
        for (pending, limit, expected) in cases {
            assert_eq!(count_of(pending, limit), expected, "{pending:?} {limit:?}");
        }
    }
}
