//! Whether several writers can be at work at once: so many transactions are open together, each has changed a row of its
//! own, and none had to wait for another. Then all are rolled back.
//!
//! A writer sets a column of a row that is there to the value that it holds. That is a real write (a row lock, a new row
//! version, a log record), needs no value that keys and checks would take, and draws no number from a sequence, which a
//! rollback would not give back. Tables on whose rows somebody's triggers or rules would act are left out, since what a
//! trigger does beyond the transaction cannot be rolled back. Rows that somebody else has locked are left out too. What
//! stays behind is one dead row version a writer, which vacuum takes.
//!
//! Every transaction stays open until the last has written, so whoever would wait for another waits until the lock
//! timeout ends it: waiting is counted exactly, not guessed from how long something took.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use tokio::task::JoinSet;

use super::VerifyError;
use crate::{schema::render::quoted, target::Target};

/// How long a writer may wait for a lock before it counts as blocked, unless the user's own limit is shorter.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// How writers got on beside one another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Writers {
    /// How many were asked for.
    pub asked: usize,
    /// How many had written a row while all were open. Fewer than asked: the tables have no more rows.
    pub open_at_once: usize,
    /// How many had to wait for a lock until they gave up.
    pub waited: usize,
    /// How long the longest write took, in microseconds.
    pub longest_microseconds: u64,
    /// Tables that were left out, since their triggers or rules would act on a write.
    pub left_out: Vec<String>,
}

/// A row to write to, and how.
#[derive(Debug)]
struct Work {
    table: String,
    sql: String,
}

/// What became of one write.
enum Written {
    /// After so long.
    Done(Duration),
    /// The row was gone.
    Gone,
    /// The lock was not given.
    Waited,
}

/// Lets so many writers write at once, each to a row of its own, and takes all back.
///
/// # Errors
/// A session cannot be opened, or a table cannot be written to.
pub(super) async fn at_once(
    target: &Target,
    tables: &[&str],
    writers: usize,
) -> Result<Writers, VerifyError> {
    let (work, left_out) = work(target, tables, writers).await?;
    let mut report =
        Writers { asked: writers, open_at_once: 0, waited: 0, longest_microseconds: 0, left_out };
    let mut open = Vec::new();
    for work in work {
        open.push((begin(target).await?, work));
    }
    let mut writes = JoinSet::new();
    for (mut session, work) in open {
        writes.spawn(async move {
            let written = write(&mut session, &work).await;
            // The session goes along: its transaction stays open.
            (session, written)
        });
    }
    let mut sessions = Vec::new();
    let mut failed = None;
    while let Some(ended) = writes.join_next().await {
        let (session, written) = ended.map_err(|_| VerifyError::Reader { side: "target" })?;
        sessions.push(session);
        match written {
            Ok(Written::Done(took)) => {
                let took = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                report.open_at_once += 1;
                report.longest_microseconds = report.longest_microseconds.max(took);
            }
            Ok(Written::Gone) => {}
            Ok(Written::Waited) => report.waited += 1,
            Err(error) => failed = Some(error),
        }
    }
    for mut session in sessions {
        // A session that is lost has been rolled back by the server.
        session.execute("ROLLBACK").await.ok();
        sqlx::Connection::close(session).await.ok();
    }
    failed.map_or(Ok(report), Err)
}

async fn begin(target: &Target) -> Result<PgConnection, VerifyError> {
    let mut session = target.session().await.map_err(VerifyError::Session)?;
    // A limit of the user's own, where it is shorter, stays.
    let sql = format!(
        "BEGIN; SELECT set_config('lock_timeout', least({0}, nullif(setting::bigint, 0))::text, true) \
         FROM pg_settings WHERE name = 'lock_timeout'",
        LOCK_TIMEOUT.as_millis()
    );
    let begun = session.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await;
    begun.map_err(|error| VerifyError::target("a writer could not begin", &error))?;
    Ok(session)
}

async fn write(session: &mut PgConnection, work: &Work) -> Result<Written, VerifyError> {
    let started = Instant::now();
    match session.execute(AssertSqlSafe(work.sql.clone())).await {
        Ok(done) if done.rows_affected() == 0 => Ok(Written::Gone),
        Ok(_) => Ok(Written::Done(started.elapsed())),
        Err(error) => {
            let code = error.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
            match code.as_deref() {
                // lock_not_available, deadlock_detected (PostgreSQL's manual, appendix A).
                Some("55P03" | "40P01") => Ok(Written::Waited),
                _ => Err(fault(&work.table)(error)),
            }
        }
    }
}

fn fault(table: &str) -> impl Fn(sqlx::Error) -> VerifyError {
    let what = format!("table `{table}` could not be written to, as --writers asks");
    move |error| VerifyError::target(what.clone(), &error)
}

/// Rows to write to, from all tables in turn; and the tables that are left out.
async fn work(
    target: &Target,
    tables: &[&str],
    writers: usize,
) -> Result<(Vec<Work>, Vec<String>), VerifyError> {
    let places: Vec<(String, Option<String>, bool)> = sqlx::query_as(include_str!("writable.sql"))
        .bind(&target.schema)
        .bind(tables)
        .fetch_all(&target.pool)
        .await
        .map_err(|error| VerifyError::target("the target's tables cannot be read", &error))?;
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for (table, column, acts) in places {
        let Some(column) = column.filter(|_| !acts) else {
            left_out.push(table);
            continue;
        };
        let name = format!("{}.{}", quoted(&target.schema), quoted(&table));
        for (turn, (relation, ctid)) in
            free_rows(target, &name, writers).await.map_err(fault(&table))?.into_iter().enumerate()
        {
            let column = quoted(&column);
            let sql = format!(
                "UPDATE {name} SET {column} = {column} WHERE ctid = '{ctid}'::tid AND tableoid = {relation}"
            );
            rows.push((turn, Work { table: table.clone(), sql }));
        }
    }
    // The first of every table, then the second of every one: a stable sort.
    rows.sort_by_key(|(turn, _)| *turn);
    Ok((rows.into_iter().take(writers).map(|(_, work)| work).collect(), left_out))
}

/// Some rows that nobody has locked: the table or partition that each is in, and its place there.
async fn free_rows(target: &Target, name: &str, count: usize) -> sqlx::Result<Vec<(String, String)>> {
    let mut transaction = target.pool.begin().await?;
    let sql =
        format!("SELECT tableoid::text, ctid::text FROM {name} LIMIT {count} FOR NO KEY UPDATE SKIP LOCKED");
    let rows = sqlx::query_as(AssertSqlSafe(sql)).fetch_all(&mut *transaction).await?;
    transaction.rollback().await?;
    Ok(rows)
}
