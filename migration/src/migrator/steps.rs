//! A single step: in a transaction, concurrently, or in chunks; and what is recorded of it.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, TransactionTrait, Value};

use super::{
    MigrateError, chunks,
    concurrent::{Action, IndexState, action, effect_of},
    error::db_error,
    runner::{Job, failed},
};
use crate::{Step, Version, quote_identifier, sql_text, version::Section};

/// How much of a statement an error shows, in characters.
const SHOWN_SQL: usize = 80;

impl Job {
    pub(super) async fn run_in_transaction<C: ConnectionTrait>(
        &self,
        connection: &C,
        section: Section,
        index: usize,
        step: &Step,
    ) -> Result<(), MigrateError> {
        let run = async {
            connection.execute_unprepared(&timeouts("SET LOCAL", step)).await?;
            connection.execute_unprepared(&step.sql).await
        };
        run.await.map_err(|error| self.step_failed(section, index, step, &error))?;
        // In the same transaction, so that rows are never known by a name that their table does not have.
        if let Some([before, now]) = sql_text::renamed_table(&step.sql)
            && !self.takes_back(section, &before, &now)
        {
            // What is known of an earlier table of that name, which cannot be there any more.
            for sql in self.ledger.forget_table_sql() {
                self.record(connection, &sql, vec![now.as_str().into()]).await?;
            }
            for sql in self.ledger.rename_table_sql() {
                self.record(connection, &sql, vec![before.as_str().into(), now.as_str().into()]).await?;
            }
        }
        Ok(())
    }

    /// Whether a table that is made under the old name of a renamed one takes all its rows.
    pub(super) fn takes_back(&self, section: Section, before: &str, now: &str) -> bool {
        let Version { pre_data, post_data, down, .. } = self.version();
        let steps = match section {
            Section::PreData => pre_data,
            Section::PostData => post_data,
            Section::Down => down,
        };
        let mut moved = steps.iter().filter_map(|step| sql_text::moved_rows(&step.sql));
        moved.any(|[from, to]| from == now && to == before)
    }

    /// Sent alone, as the server demands; the ledger's row before it says that a try was made.
    pub(super) async fn run_concurrently<C: ConnectionTrait>(
        &self,
        connection: &C,
        index: usize,
        step: &Step,
    ) -> Result<(), MigrateError> {
        let section = Section::PostData;
        let step_failed = |error: DbErr| self.step_failed(section, index, step, &error);
        let effect = effect_of(&step.sql);
        let state = index_state(connection, &effect).await.map_err(step_failed)?;
        let first_try = !self.was_begun(connection, index).await?;
        match action(effect, state, first_try) {
            Action::InTheWay(name) => {
                let version = self.version().name.clone();
                return Err(MigrateError::IndexInTheWay { version, section, number: index + 1, index: name });
            }
            Action::Skip => return self.record_step(connection, index).await,
            Action::DropThenRun(name) => {
                let sql = format!("DROP INDEX CONCURRENTLY {}", quote_identifier(&name));
                connection.execute_unprepared(&sql).await.map_err(step_failed)?;
            }
            Action::Run => {}
        }
        self.record(connection, &self.ledger.begin_step_sql(), self.step_key(index)).await?;
        connection.execute_unprepared(&timeouts("SET", step)).await.map_err(step_failed)?;
        let ran = connection.execute_unprepared(&step.sql).await;
        connection.execute_unprepared(&timeouts("SET", &Step::default())).await.map_err(step_failed)?;
        ran.map_err(step_failed)?;
        self.record_step(connection, index).await
    }

    /// An UPDATE in many transactions, a range of pages each, so that nobody waits long for a row. What has arrived behind the
    /// table's end meanwhile is in the last one.
    pub(super) async fn run_in_chunks<C: ConnectionTrait>(
        &self,
        connection: &C,
        index: usize,
        step: &Step,
    ) -> Result<(), MigrateError> {
        let failed = |error: DbErr| failed("a step's transaction", &error);
        let section = Section::PostData;
        for sql in chunks::of(connection, &step.sql).await.map_err(failed)? {
            let chunk = Step { sql, ..step.clone() };
            let transaction = self.pool.begin().await.map_err(failed)?;
            self.run_in_transaction(&transaction, section, index, &chunk).await?;
            transaction.commit().await.map_err(failed)?;
        }
        self.record_step(connection, index).await
    }

    pub(super) async fn was_begun<C: ConnectionTrait>(
        &self,
        connection: &C,
        index: usize,
    ) -> Result<bool, MigrateError> {
        let statement = self.statement(&self.ledger.was_begun_sql(), self.step_key(index));
        let row = connection.query_one_raw(statement).await;
        Ok(row.map_err(|error| failed("reading which steps were begun", &error))?.is_some())
    }

    pub(super) async fn record_step<C: ConnectionTrait>(
        &self,
        connection: &C,
        index: usize,
    ) -> Result<(), MigrateError> {
        self.record(connection, &self.ledger.record_step_sql(), self.step_key(index)).await
    }

    /// Version, section, number: `$2` to `$4` of the ledger's statements about steps.
    pub(super) fn step_key(&self, index: usize) -> Vec<Value> {
        let number = i32::try_from(index).unwrap_or(i32::MAX);
        vec![self.version().name.as_str().into(), Section::PostData.as_str().into(), number.into()]
    }

    pub(super) fn step_failed(
        &self,
        section: Section,
        index: usize,
        step: &Step,
        error: &DbErr,
    ) -> MigrateError {
        let line = step.sql.lines().next().unwrap_or_default();
        let shown: String = line.chars().take(SHOWN_SQL).collect();
        let cut = shown.len() < step.sql.len();
        MigrateError::Step {
            version: self.version().name.clone(),
            section,
            number: index + 1,
            statement: if cut { format!("{shown} …") } else { shown },
            kept: if section == Section::PostData { "kept" } else { "taken back" },
            own_lock_timeout: step.lock_timeout.is_some(),
            source: db_error(error),
        }
    }
}

/// The step's timeouts; where it has none, the session's own.
fn timeouts(set: &str, step: &Step) -> String {
    let setting = |name: &str, timeout: Option<Duration>| match timeout {
        Some(timeout) => format!("{set} {name} = {}", timeout.as_millis()),
        None => format!("{set} {name} TO DEFAULT"),
    };
    format!(
        "{}; {}",
        setting("lock_timeout", step.lock_timeout),
        setting("statement_timeout", step.statement_timeout)
    )
}

async fn index_state<C: ConnectionTrait>(
    connection: &C,
    effect: &super::concurrent::Effect,
) -> Result<IndexState, DbErr> {
    use super::concurrent::Effect;
    let (Effect::MakesIndex(name) | Effect::DropsIndex(name)) = effect else {
        return Ok(IndexState::Missing);
    };
    let sql = include_str!("index.sql");
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, [Value::from(name.as_str())]);
    match connection.query_one_raw(statement).await? {
        None => Ok(IndexState::Missing),
        Some(row) if row.try_get_by_index(0)? => Ok(IndexState::Valid),
        Some(_) => Ok(IndexState::Invalid),
    }
}
