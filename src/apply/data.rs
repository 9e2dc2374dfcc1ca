//! The rows: waves of tables, parents before children; each wave's chunks in one queue.
//!
//! A chunk is copied in one transaction that first takes the chunk's row in the ledger, so that a backend that a killed
//! run left behind and its successor come one after the other, and that last writes the counts there: what the ledger
//! says is there, is there.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sqlx::Connection;
use tokio::sync::mpsc;

use super::{
    ApplyError, Event, Interrupt, Listener, Recovery, Remedy, TableReport, Watch,
    crew::{self, Session, Task},
    finish,
    reader::{self, BUFFERS_WAITING, Counts},
    remedy,
};
use crate::{
    audit::Fingerprint,
    plan::{CopyPlan, TablePlan},
    schema::{TableCopy, render},
    source::Source,
    target::{Ledger, RunId, Target},
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
    pub(super) interrupt: &'a Interrupt,
    pub(super) watch: &'a Watch,
    pub(super) listener: &'a Listener,
}

/// What a session that copies takes with it.
pub(super) struct Worker {
    pub(super) run: RunId,
    pub(super) source: Arc<Source>,
    pub(super) target: Target,
    pub(super) ledger: Ledger,
    pub(super) interrupt: Interrupt,
    pub(super) watch: Watch,
    pub(super) listener: Listener,
}

impl Run<'_> {
    pub(super) fn worker(&self) -> Worker {
        Worker {
            run: self.id,
            source: Arc::clone(self.source),
            target: self.target.clone(),
            ledger: self.ledger.clone(),
            interrupt: self.interrupt.clone(),
            watch: self.watch.clone(),
            listener: Arc::clone(self.listener),
        }
    }
}

/// Copies the rows of all these tables.
///
/// # Errors
/// [`ApplyError::Interrupted`] when the run was asked to end, after the chunks that were at work.
pub(super) async fn copy(
    copies: &[Copy],
    run: Run<'_>,
    recovery: &mut Recovery<'_>,
) -> Result<Vec<TableReport>, ApplyError> {
    let copying = run.interrupt.copying();
    let done = copy_waves(copies, run, recovery).await;
    drop(copying);
    match (done, run.interrupt.asked()) {
        // Trying again is over, too.
        (Err(error), Some(_)) if remedy(&error) == Remedy::Stop => Err(error),
        (_, Some(signal)) => Err(ApplyError::Interrupted { signal, rows: rows_there(copies, run).await }),
        (done, None) => done,
    }
}

/// Ends early, without an error, when the run is asked to end.
async fn copy_waves(
    copies: &[Copy],
    run: Run<'_>,
    recovery: &mut Recovery<'_>,
) -> Result<Vec<TableReport>, ApplyError> {
    let mut reports = Vec::with_capacity(copies.len());
    let waves = copies.iter().map(|copy| copy.wave + 1).max().unwrap_or(0);
    for wave in 0..waves {
        let of_wave: Vec<&Copy> = copies.iter().filter(|copy| copy.wave == wave).collect();
        let mut queue = VecDeque::new();
        for copy in &of_wave {
            queue.extend(recovery.persist(&named(&copy.table), async || tasks(copy, run).await).await?);
        }
        crew::drain(queue, &run, recovery).await?;
        if run.interrupt.asked().is_some() {
            break;
        }
        for Copy { table, .. } in &of_wave {
            reports.push(recovery.persist(&named(table), async || finish::close(table, run).await).await?);
        }
    }
    Ok(reports)
}

/// A table in a message.
pub(super) fn named(table: &TableCopy) -> String {
    format!("table {}", table.target)
}

/// The chunks of a table that are not there yet; all are in the ledger before the first row.
async fn tasks(copy: &Copy, run: Run<'_>) -> Result<Vec<Task>, ApplyError> {
    let Copy { table, resumes, .. } = copy;
    if !resumes {
        finish::forget(run.ledger, run.target, &table.target).await?;
    }
    let ranges = reader::ranges(table);
    let digest = table.digest(&run.fingerprint.content_digest);
    run.ledger.plan_chunks(&table.target, &digest, &ranges).await?;
    let pending = run.ledger.pending_chunks(&table.target).await?;
    Ok(pending.into_iter().map(|chunk| Task { table: Arc::clone(table), chunk }).collect())
}

/// Rows of these tables that are there by now, as the ledger has it; of a run that ends, so a ledger that does not answer is
/// no error.
async fn rows_there(copies: &[Copy], run: Run<'_>) -> u64 {
    let started = run.ledger.started_tables().await.unwrap_or_default();
    copies.iter().filter_map(|copy| started.get(&copy.table.target)).map(|table| table.rows_written).sum()
}

/// Copies a chunk in a transaction of its own, where the ledger does not have it as copied.
pub(super) async fn copy_chunk(
    worker: &Worker,
    session: &mut Session,
    task: &Task,
) -> Result<(), ApplyError> {
    let sent = Arc::new(AtomicU64::new(0));
    let copied = send_chunk(worker, session, task, &sent).await;
    if copied.is_err() {
        (worker.listener)(Event::TakenBack { rows: sent.load(Ordering::Relaxed) });
    }
    copied
}

async fn send_chunk(
    worker: &Worker,
    session: &mut Session,
    task: &Task,
    sent: &Arc<AtomicU64>,
) -> Result<(), ApplyError> {
    let Worker { source, target, ledger, listener, watch, .. } = worker;
    let Session { connection, backend } = session;
    let backend = Some(&*backend);
    let copy = &task.table;
    let what = || format!("table {} could not be copied", copy.target);
    let begun = watch.over(backend, connection.begin()).await?;
    let mut transaction = begun.map_err(ApplyError::server(what()))?;
    let claim = ledger.claim_chunk(&mut transaction, &copy.target, task.chunk.number);
    if !watch.over(backend, claim).await?? {
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
        let (source, copy, listener, sent) =
            (Arc::clone(source), Arc::clone(copy), Arc::clone(listener), Arc::clone(sent));
        tokio::task::spawn_blocking(move || {
            let progress = |rows| {
                sent.fetch_add(rows, Ordering::Relaxed);
                listener(Event::Rows { table: copy.target.clone(), rows });
            };
            reader::read_chunk(&source, &copy, range, &sender, &progress)
        })
    };
    let opened = watch.over(backend, transaction.copy_in_raw(&sql)).await?;
    let mut sink = opened.map_err(ApplyError::server(what()))?;
    let mut refused = None;
    while let Some(buffer) = buffers.recv().await {
        if let Err(error) = watch.over(backend, sink.send(buffer)).await? {
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
            watch.over(backend, sink.abort("the source could not be read on")).await.ok();
            return Err(error);
        }
    };
    // The server says at the end what it did not like in the middle.
    let written = watch.over(backend, sink.finish()).await?.map_err(ApplyError::server(what()))?;
    if let Some(error) = refused {
        return Err(ApplyError::server(what())(error));
    }
    if written != counts.rows {
        return Err(ApplyError::Miscounted { table: copy.source.clone(), read: counts.rows, written });
    }
    let (rows, nulled) = (counts.rows, counts.nulled);
    let finish = ledger.finish_chunk(&mut transaction, &copy.target, task.chunk.number, rows, nulled);
    watch.over(backend, finish).await??;
    watch.over(backend, transaction.commit()).await?.map_err(ApplyError::server(what()))
}
