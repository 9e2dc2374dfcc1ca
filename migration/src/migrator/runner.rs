//! A version as two of sea-orm's migrations: one before the rows, one after them.

use std::{
    collections::BTreeSet,
    ops::Range,
    sync::{Arc, Mutex},
};

use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement, TransactionTrait, Value};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::{
    MigrateError, POST_SUFFIX,
    create_index::CreateIndex,
    error::db_error,
    hazards,
    history::{Entry, MIGRATION_TABLE, Origin},
    locks, sort,
};
use crate::{Ledger, Step, Version, ledger::VersionRow, quote_identifier, version::Section};
use tokio::sync::oneshot;

/// What both migrations of a version share.
pub(super) struct Job {
    pub(super) entry: Entry,
    pub(super) ledger: Ledger,
    /// The target's pool, for post-data steps, and how many of its sessions may work at the same time.
    pub(super) pool: DatabaseConnection,
    pub(super) sessions: usize,
    pub(super) allow: Arc<[String]>,
    /// sea-orm carries errors as text; the real one is left here.
    pub(super) failure: Arc<Mutex<Option<MigrateError>>>,
    /// Who wants to know when nothing is left but constraints to validate.
    pub(super) validating: Arc<Mutex<Option<oneshot::Sender<()>>>>,
}

/// `NAME`: before the rows, in one transaction; labels of enumerated types before it.
pub(super) struct PreData(pub(super) Arc<Job>);

/// `NAME__post`: after the rows, a transaction a step.
pub(super) struct PostData {
    job: Arc<Job>,
    name: String,
}

impl PostData {
    pub(super) fn new(job: Arc<Job>) -> PostData {
        let name = format!("{}{POST_SUFFIX}", job.entry.version.name);
        PostData { job, name }
    }
}

impl MigrationName for PreData {
    fn name(&self) -> &str {
        &self.0.entry.version.name
    }
}

impl MigrationName for PostData {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait]
impl MigrationTrait for PreData {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.report(self.0.run_pre_data(manager).await)
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.report(self.0.take_back(manager.get_connection()).await)
    }
}

#[async_trait]
impl MigrationTrait for PostData {
    fn use_transaction(&self) -> Option<bool> {
        Some(false)
    }

    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.job.report(self.job.run_post_data(manager.get_connection()).await)
    }

    /// Takes the whole version back: between the two halves there would be neither the one state nor the other.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let transaction = manager.begin().await?;
        self.job.report(self.job.take_back(transaction.get_connection()).await)?;
        transaction.commit().await
    }
}

impl Job {
    pub(super) fn version(&self) -> &Version {
        &self.entry.version
    }

    fn report(&self, result: Result<(), MigrateError>) -> Result<(), DbErr> {
        result.map_err(|error| {
            let text = error.to_string();
            if let Ok(mut failure) = self.failure.lock() {
                *failure = Some(error);
            }
            DbErr::Migration(text)
        })
    }

    async fn run_pre_data(&self, manager: &SchemaManager<'_>) -> Result<(), MigrateError> {
        let connection = manager.get_connection();
        let Version { pre_data, post_data, .. } = self.version();
        // All of it before any of it: what has begun has been allowed, and goes on whatever the rows have become.
        for (section, steps) in [(Section::PreData, pre_data), (Section::PostData, post_data)] {
            for index in 0..steps.len() {
                self.check_hazards(connection, section, index, steps).await?;
            }
        }
        let labels = self.add_labels(connection).await?;
        self.run_all(connection, Section::PreData, &pre_data[labels..]).await?;
        let row = VersionRow::of(self.version())?;
        let mut values = vec![self.version().name.as_str().into()];
        values.extend(row.sections.into_iter().map(Value::from));
        values.push(row.checksum.into());
        self.record(connection, &self.ledger.record_version_sql(), values).await
    }

    /// Commits the labels with which the version begins, and gives their number: nothing in the transaction that adds one
    /// may use it. A run that was cut off meets them again, which is why they are added `IF NOT EXISTS`.
    async fn add_labels<C: ConnectionTrait>(&self, connection: &C) -> Result<usize, MigrateError> {
        let (section, steps) = (Section::PreData, &self.version().pre_data);
        let labels = self.version().before_rows().0.len();
        if labels > 0 {
            // What is refused is refused as a whole.
            for index in 0..steps.len() {
                self.check_hazards(connection, section, index, steps).await?;
            }
        }
        for (index, step) in steps.iter().enumerate().take(labels) {
            let failed = |error: DbErr| self.step_failed(section, index, step, &error);
            let transaction = self.pool.begin().await.map_err(failed)?;
            self.run_in_transaction(&transaction, section, index, step).await?;
            transaction.commit().await.map_err(failed)?;
        }
        Ok(labels)
    }

    async fn run_post_data<C: ConnectionTrait>(&self, connection: &C) -> Result<(), MigrateError> {
        self.run_steps(connection, self.version().post_data.len()).await
    }

    /// Runs what rows that are still to be copied need, of what comes after the pre-data: all up to the last exchange, behind
    /// which tables have their columns' types.
    pub(super) async fn run_exchanges<C: ConnectionTrait>(&self, connection: &C) -> Result<(), MigrateError> {
        let last = self.version().post_data.iter().rposition(|step| step.together);
        match last {
            None => Ok(()),
            Some(last) => self.run_steps(connection, last + 1).await,
        }
    }

    /// Runs the first steps of the post-data, as far as they are not done.
    async fn run_steps<C: ConnectionTrait>(&self, connection: &C, count: usize) -> Result<(), MigrateError> {
        let done: BTreeSet<u32> = self.ledger.steps_done(&self.version().name, Section::PostData).await?;
        let all = self.version().post_data.len();
        let steps = &self.version().post_data[..count];
        let sessions = self.sessions.min(steps.len() - done.len().min(steps.len()));
        self.ledger.register_pool(self.pool.get_postgres_connection_pool(), sessions).await?;
        let mut from = 0;
        // Neighbours that may run at the same time are one group, as are those of one transaction; every other step is a group
        // of its own.
        for group in steps.chunk_by(|one, other| (one.parallel && other.parallel) || other.together) {
            let indexes = from..from + group.len();
            from = indexes.end;
            if from == all && group.iter().all(validates) {
                self.tell_validating();
            }
            if group.iter().skip(1).any(|step| step.together) {
                self.run_together(indexes, &done).await?;
                continue;
            }
            let mut running = Vec::new();
            for index in indexes.filter(|index| !done.contains(&number_of(*index))) {
                if steps[index].concurrent {
                    self.run_concurrently(connection, index, &steps[index]).await?;
                } else if steps[index].in_chunks {
                    self.run_in_chunks(connection, index, &steps[index]).await?;
                } else {
                    let setting = sort::setting(&steps[index], group, self.sessions);
                    running.push(self.run_step(index, setting).boxed());
                }
            }
            stream::iter(running).buffer_unordered(self.sessions).try_collect::<()>().await?;
        }
        Ok(())
    }

    fn tell_validating(&self) {
        let listener = self.validating.lock().ok().and_then(|mut listener| listener.take());
        // Who no longer listens does not want to know.
        listener.map(|listener| listener.send(()));
    }

    /// A step and its row in the ledger, in a transaction of their own.
    pub(super) async fn run_step(&self, index: usize, setting: Option<&str>) -> Result<(), MigrateError> {
        let failed = |error: DbErr| failed("a step's transaction", &error);
        let transaction = self.pool.begin().await.map_err(failed)?;
        let step = &self.version().post_data[index];
        if let Some(setting) = setting {
            transaction.execute_unprepared(setting).await.map_err(failed)?;
        }
        self.run_in_transaction(&transaction, Section::PostData, index, step).await?;
        self.record_step(&transaction, index).await?;
        transaction.commit().await.map_err(failed)
    }

    /// Steps and their rows in the ledger, all in one transaction.
    async fn run_together(&self, indexes: Range<usize>, done: &BTreeSet<u32>) -> Result<(), MigrateError> {
        let failed = |error: DbErr| failed("a step's transaction", &error);
        let transaction = self.pool.begin().await.map_err(failed)?;
        for index in indexes.filter(|index| !done.contains(&number_of(*index))) {
            let step = &self.version().post_data[index];
            self.run_in_transaction(&transaction, Section::PostData, index, step).await?;
            self.record_step(&transaction, index).await?;
        }
        transaction.commit().await.map_err(failed)
    }

    /// Runs steps in one transaction, which first takes the locks that it will wait for: a statement that waits for one
    /// table while those before it hold others keeps everybody from these, and all that they did is lost when it waits in
    /// vain.
    async fn run_all<C: ConnectionTrait>(
        &self,
        connection: &C,
        section: Section,
        steps: &[Step],
    ) -> Result<(), MigrateError> {
        let taken = locks::of(connection, steps).await;
        if let Some(step) = taken.map_err(|error| failed("looking for the tables to lock", &error))? {
            self.run_in_transaction(connection, section, 0, &step).await?;
        }
        for (index, step) in steps.iter().enumerate() {
            self.run_in_transaction(connection, section, index, step).await?;
        }
        Ok(())
    }

    /// Runs the way back and forgets the version, all in the caller's transaction. A version that is no longer recorded
    /// was taken back by its other half a moment ago.
    async fn take_back<C: ConnectionTrait>(&self, connection: &C) -> Result<(), MigrateError> {
        let name = self.version().name.as_str();
        if !self.is_recorded(connection).await? {
            return Ok(());
        }
        self.check_way_back()?;
        let down = &self.version().down;
        for index in 0..down.len() {
            self.check_hazards(connection, Section::Down, index, down).await?;
        }
        self.run_all(connection, Section::Down, down).await?;
        for sql in self.ledger.forget_version_sql() {
            self.record(connection, &sql, vec![name.into()]).await?;
        }
        for sql in self.ledger.forget_dropped_sql() {
            self.record(connection, &sql, Vec::new()).await?;
        }
        let sql = format!("DELETE FROM {} WHERE version IN ($1, $2)", quote_identifier(MIGRATION_TABLE));
        let names = [Value::from(name), format!("{name}{POST_SUFFIX}").into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, names);
        connection.execute_raw(statement).await.map_err(|error| failed("forgetting a version", &error))?;
        Ok(())
    }

    async fn is_recorded<C: ConnectionTrait>(&self, connection: &C) -> Result<bool, MigrateError> {
        let sql =
            format!("SELECT version FROM {} WHERE version IN ($1, $2)", quote_identifier(MIGRATION_TABLE));
        let name = &self.version().name;
        let names = [Value::from(name.as_str()), format!("{name}{POST_SUFFIX}").into()];
        let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, names);
        let row = connection.query_one_raw(statement).await;
        Ok(row.map_err(|error| failed("looking for a version", &error))?.is_some())
    }

    fn check_way_back(&self) -> Result<(), MigrateError> {
        let version = self.version();
        let reason = match self.entry.origin {
            Origin::Unknown => {
                "its SQL is neither in the folder nor in the ledger; put its folder back, or undo it by hand"
            }
            _ if version.down.is_empty()
                && !(version.pre_data.is_empty() && version.post_data.is_empty()) =>
            {
                "its down.sql has no steps; write a new version that undoes it"
            }
            _ => return Ok(()),
        };
        Err(MigrateError::NoWayBack { name: version.name.clone(), reason })
    }

    async fn check_hazards<C: ConnectionTrait>(
        &self,
        connection: &C,
        section: Section,
        index: usize,
        steps: &[Step],
    ) -> Result<(), MigrateError> {
        let (earlier, rest) = steps.split_at(index);
        let [step, later @ ..] = rest else { return Ok(()) };
        let found = hazards::refusal(connection, (step, later.first()), earlier, &self.allow).await;
        match found.map_err(|error| self.step_failed(section, index, step, &error))? {
            None => Ok(()),
            Some(refusal) => Err(MigrateError::NotAllowed {
                version: self.version().name.clone(),
                section,
                number: index + 1,
                hazard: refusal.hazard,
                tables: refusal.tables,
            }),
        }
    }

    pub(super) async fn record<C: ConnectionTrait>(
        &self,
        connection: &C,
        sql: &str,
        values: Vec<Value>,
    ) -> Result<(), MigrateError> {
        let statement = self.statement(sql, values);
        connection.execute_raw(statement).await.map_err(|error| failed("writing to the ledger", &error))?;
        Ok(())
    }

    /// The ledger's statements have the target schema as `$1`.
    pub(super) fn statement(&self, sql: &str, values: Vec<Value>) -> Statement {
        let schema = Value::from(self.ledger.target_schema());
        Statement::from_sql_and_values(DbBackend::Postgres, sql, std::iter::once(schema).chain(values))
    }
}

pub(super) fn failed(doing: &'static str, error: &DbErr) -> MigrateError {
    MigrateError::Database { doing, source: db_error(error) }
}

/// Whether a step may run beside others, and holds up neither readers nor writers: a validation, and no index build.
fn validates(step: &Step) -> bool {
    step.parallel && CreateIndex::of(&step.sql).is_none()
}

fn number_of(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
