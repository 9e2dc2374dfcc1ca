//! The rows: chunks of all tables in one queue, several sessions that take from it.
//!
//! A chunk is copied in one transaction that first takes the chunk's row in the ledger, so that a backend that a killed
//! run left behind and its successor come one after the other, and that last writes the counts there: what the ledger
//! says is there, is there.

use std::{collections::VecDeque, sync::Arc};

use sqlx::{Connection, Executor, PgConnection};
use tokio::{
    sync::{Mutex, mpsc},
    task::JoinSet,
};

use super::{
    ApplyError, Event, Listener, TableReport, finish,
    reader::{self, BUFFERS_WAITING, Counts},
};
use crate::{
    audit::Fingerprint,
    plan::{CopyPlan, TablePlan},
    schema::{TableCopy, render},
    source::Source,
    target::{Chunk, Copied, Ledger, RunId, Target},
};

/// A table whose rows are to be copied.
pub(super) struct Copy {
    pub(super) table: Arc<TableCopy>,
    /// Whether an earlier run has begun.
    resumes: bool,
    wave: usize,
}

impl Copy {
    pub(super) fn new(plan: &TablePlan, table: &TableCopy) -> Copy {
        let mut table = table.clone();
        if plan.in_one_piece {
            table.chunk_starts.clear();
        }
        Copy { table: Arc::new(table), resumes: plan.copy == CopyPlan::Resume, wave: plan.wave }
    }
}

/// What all copies of a run share.
#[derive(Clone, Copy)]
pub(super) struct Run<'a> {
    pub(super) id: RunId,
    pub(super) fingerprint: &'a Fingerprint,
    pub(super) source: &'a Arc<Source>,
    pub(super) target: &'a Target,
    pub(super) ledger: &'a Ledger,
    /// Sessions at the same time.
    pub(super) jobs: usize,
    pub(super) listener: &'a Listener,
}

/// A chunk to copy.
struct Task {
    table: Arc<TableCopy>,
    chunk: Chunk,
}

/// Copies the rows of all these tables.
pub(super) async fn copy(copies: &[Copy], run: Run<'_>) -> Result<Vec<TableReport>, ApplyError> {
    let mut reports = Vec::with_capacity(copies.len());
    let waves = copies.iter().map(|copy| copy.wave + 1).max().unwrap_or(0);
    for wave in 0..waves {
        let of_wave: Vec<&Copy> = copies.iter().filter(|copy| copy.wave == wave).collect();
        let mut queue = VecDeque::new();
        for Copy { table, resumes, .. } in &of_wave {
            if !resumes {
                forget(run.ledger, run.target, &table.target).await?;
            }
            let ranges = reader::ranges(table);
            let digest = table.digest(&run.fingerprint.content_digest);
            run.ledger.plan_chunks(&table.target, &digest, &ranges).await?;
            for chunk in run.ledger.pending_chunks(&table.target).await? {
                queue.push_back(Task { table: Arc::clone(table), chunk });
            }
        }
        drain(queue, run).await?;
        for Copy { table, .. } in &of_wave {
            reports.push(close(table, run).await?);
        }
    }
    Ok(reports)
}

/// Copies every chunk of a queue, by several sessions.
async fn drain(queue: VecDeque<Task>, run: Run<'_>) -> Result<(), ApplyError> {
    let sessions = run.jobs.clamp(1, queue.len().max(1));
    let queue = Arc::new(Mutex::new(queue));
    let mut workers = JoinSet::new();
    for _ in 0..sessions {
        let queue = Arc::clone(&queue);
        let (source, target, ledger, listener) =
            (Arc::clone(run.source), run.target.clone(), run.ledger.clone(), Arc::clone(run.listener));
        let id = run.id;
        workers.spawn(async move { work(id, &queue, &source, &target, &ledger, &listener).await });
    }
    while let Some(ended) = workers.join_next().await {
        // An error drops the set, which ends the other sessions; their chunks roll back.
        ended.unwrap_or_else(|_| Err(ApplyError::ReaderLost { table: "(a session)".to_owned() }))?;
    }
    Ok(())
}

/// Closes a table whose chunks are all there: as many rows must have been written as the audit read.
async fn close(table: &TableCopy, run: Run<'_>) -> Result<TableReport, ApplyError> {
    finish::advance_sequence(run.target, table).await?;
    let copied = record(run.ledger, run.target, table, run.fingerprint).await?;
    Ok(TableReport {
        source: table.source.clone(),
        target: table.target.clone(),
        rows: copied.rows_written,
        nulled: copied.rows_nulled,
    })
}

/// Records that all of a table's chunks are there.
async fn record(
    ledger: &Ledger,
    target: &Target,
    copy: &TableCopy,
    fingerprint: &Fingerprint,
) -> Result<Copied, ApplyError> {
    let what = || format!("the copy of {} could not be closed", copy.target);
    let mut transaction = target.pool.begin().await.map_err(ApplyError::server(what()))?;
    let copied = ledger
        .finish_table(&mut transaction, &copy.target, &copy.source, &copy.digest(&fingerprint.content_digest))
        .await?;
    // What is not all there is not closed: the transaction goes back.
    if copied.rows_written != copy.rows {
        return Err(ApplyError::Miscounted {
            table: copy.source.clone(),
            read: copy.rows,
            written: copied.rows_written,
        });
    }
    transaction.commit().await.map_err(ApplyError::server(what()))?;
    Ok(copied)
}

/// Forgets an earlier copy of a table that has been emptied or dropped since.
async fn forget(ledger: &Ledger, target: &Target, table: &str) -> Result<(), ApplyError> {
    let what = || format!("an earlier copy of {table} could not be forgotten");
    let mut transaction = target.pool.begin().await.map_err(ApplyError::server(what()))?;
    ledger.forget_table(&mut transaction, table).await?;
    transaction.commit().await.map_err(ApplyError::server(what()))
}

async fn work(
    run: RunId,
    queue: &Mutex<VecDeque<Task>>,
    source: &Arc<Source>,
    target: &Target,
    ledger: &Ledger,
    listener: &Listener,
) -> Result<(), ApplyError> {
    let mut connection = target.pool.acquire().await.map_err(ApplyError::server("no session for copying"))?;
    ledger.register_backend(run, &mut connection).await?;
    prefer_lz4(&mut connection).await?;
    loop {
        let Some(task) = queue.lock().await.pop_front() else { return Ok(()) };
        copy_chunk(&mut connection, &task, source, target, ledger, listener).await?;
    }
}

/// Lets the session compress what TOAST stores by lz4, where the server has it: it takes a third less of the server's time
/// than pglz, for the same rows (PostgreSQL's manual, 20.11, `default_toast_compression`).
async fn prefer_lz4(connection: &mut PgConnection) -> Result<(), ApplyError> {
    connection
        .execute(
            "SELECT set_config('default_toast_compression', 'lz4', false) FROM pg_settings \
             WHERE name = 'default_toast_compression' AND 'lz4' = ANY (enumvals)",
        )
        .await
        .map_err(ApplyError::server("the session could not be set up"))?;
    Ok(())
}

async fn copy_chunk(
    connection: &mut PgConnection,
    task: &Task,
    source: &Arc<Source>,
    target: &Target,
    ledger: &Ledger,
    listener: &Listener,
) -> Result<(), ApplyError> {
    let copy = &task.table;
    let what = || format!("table {} could not be copied", copy.target);
    let mut transaction = connection.begin().await.map_err(ApplyError::server(what()))?;
    if !ledger.claim_chunk(&mut transaction, &copy.target, task.chunk.number).await? {
        return transaction.rollback().await.map_err(ApplyError::server(what()));
    }
    let columns: Vec<String> = copy.columns.iter().map(|column| render::quoted(&column.target)).collect();
    let sql = format!(
        "COPY {}.{} ({}) FROM STDIN (FORMAT binary)",
        render::quoted(&target.schema),
        render::quoted(&copy.target),
        columns.join(", ")
    );
    let (sender, mut buffers) = mpsc::channel(BUFFERS_WAITING);
    let range = task.chunk.range;
    let reading = {
        let (source, copy, listener) = (Arc::clone(source), Arc::clone(copy), Arc::clone(listener));
        tokio::task::spawn_blocking(move || {
            let progress = |rows| listener(Event::Rows { table: copy.target.clone(), rows });
            reader::read_chunk(&source, &copy, range, &sender, &progress)
        })
    };
    let mut sink = transaction.copy_in_raw(&sql).await.map_err(ApplyError::server(what()))?;
    let mut refused = None;
    while let Some(buffer) = buffers.recv().await {
        if let Err(error) = sink.send(buffer).await {
            refused = Some(error);
            break;
        }
    }
    // The reader sees that nobody listens, and ends.
    drop(buffers);
    let read: Result<Counts, ApplyError> =
        reading.await.unwrap_or_else(|_| Err(ApplyError::ReaderLost { table: copy.source.clone() }));
    let counts = match read {
        Ok(counts) => counts,
        Err(error) => {
            // The reader's error is the one to tell; the server only hears that the rows end here.
            sink.abort("the source could not be read on").await.ok();
            return Err(error);
        }
    };
    // The server says at the end what it did not like in the middle.
    let written = sink.finish().await.map_err(ApplyError::server(what()))?;
    if let Some(error) = refused {
        return Err(ApplyError::server(what())(error));
    }
    if written != counts.rows {
        return Err(ApplyError::Miscounted { table: copy.source.clone(), read: counts.rows, written });
    }
    ledger
        .finish_chunk(&mut transaction, &copy.target, task.chunk.number, counts.rows, counts.nulled)
        .await?;
    transaction.commit().await.map_err(ApplyError::server(what()))
}
