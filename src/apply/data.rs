//! The rows: waves of tables, parents before children; each wave's chunks in one queue.
//!
//! A chunk is copied in one transaction that first takes the chunk's row in the ledger, so that a backend that a killed
//! run left behind and its successor come one after the other, and that last writes the counts there: what the ledger
//! says is there, is there.

use std::{
    cmp::Reverse,
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
    crew::{self, Session},
    finish::{self, Ahead},
    isolate,
    queue::Task,
    reader::{self, BUFFERS_WAITING, Counts},
    rejects::Allowance,
    remedy,
};
use crate::{
    audit::Fingerprint,
    inspect,
    plan::{CopyPlan, Plan, TablePlan},
    schema::{TableCopy, render},
    source::Source,
    target::{Build, ChunkCounts, Ledger, LedgerError, RunId, Target},
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

/// The tables to copy, in the order that the target's foreign keys want: versions may have made some since the plan.
pub(super) async fn copies(plan: &Plan, target: &Target) -> Result<Vec<Copy>, ApplyError> {
    let live = inspect::live(target, &plan.desired).await?;
    let mut plan = plan.clone();
    plan.order_copies(&live).map_err(|tables| ApplyError::ForeignKeyCycle { tables })?;
    let copies = plan.tables.iter().zip(&plan.desired.tables);
    Ok(copies
        .filter(|(table, _)| matches!(table.copy, CopyPlan::Copy | CopyPlan::Resume))
        .map(|(table, copy)| Copy::new(table, copy))
        .collect())
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
    /// Indexes that may be built as soon as their table is complete.
    pub(super) builds: &'a [Build],
    pub(super) ahead: &'a Ahead,
    pub(super) allowance: &'a Arc<Allowance>,
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
    pub(super) ahead: Ahead,
    pub(super) allowance: Arc<Allowance>,
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
            ahead: self.ahead.clone(),
            allowance: Arc::clone(self.allowance),
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
    let copying = run.interrupt.at_work();
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
        for copy in &of_wave {
            recovery.persist(&named(&copy.table), async || split(copy, run).await).await?;
        }
        let mut turns = 1..=MOST_TURNS;
        loop {
            let done = copy_wave(&of_wave, run, recovery).await;
            if run.interrupt.asked().is_some() {
                done?;
                return Ok(reports);
            }
            match done {
                // What a fallen server had only in memory went with it; the ledger knows which chunks those were.
                Err(ApplyError::Ledger(LedgerError::Unfinished { .. })) if turns.next().is_some() => {
                    run.allowance.restart(rejected(copies, wave + 1, run.ledger).await?);
                }
                done => {
                    reports.extend(done?);
                    break;
                }
            }
        }
    }
    Ok(reports)
}

/// Copies what is not there yet of these tables, and closes them.
async fn copy_wave(
    copies: &[&Copy],
    run: Run<'_>,
    recovery: &mut Recovery<'_>,
) -> Result<Vec<TableReport>, ApplyError> {
    // The more rows, the more there is to index, which can begin when all of them are there.
    let mut by_rows: Vec<&Arc<TableCopy>> = copies.iter().map(|copy| &copy.table).collect();
    by_rows.sort_by_key(|table| Reverse(table.rows));
    let mut queue = VecDeque::new();
    for table in by_rows {
        queue.extend(recovery.persist(&named(table), async || tasks(table, run).await).await?);
    }
    crew::drain(queue, run.builds.to_vec(), &run, recovery).await?;
    let mut reports = Vec::with_capacity(copies.len());
    if run.interrupt.asked().is_none() {
        for Copy { table, .. } in copies {
            reports.push(recovery.persist(&named(table), async || finish::close(table, run).await).await?);
        }
    }
    Ok(reports)
}

/// A table in a message.
pub(super) fn named(table: &TableCopy) -> String {
    format!("table {}", table.target)
}

/// Puts the chunks of a table into the ledger before its first row.
async fn split(copy: &Copy, run: Run<'_>) -> Result<(), ApplyError> {
    let Copy { table, resumes, .. } = copy;
    if !resumes {
        finish::forget(run.ledger, run.target, &table.target).await?;
    }
    let digest = table.digest(&run.fingerprint.content_digest);
    Ok(run.ledger.plan_chunks(&table.target, &digest, &reader::ranges(table)).await?)
}

/// The chunks of a table that are not there yet.
async fn tasks(table: &Arc<TableCopy>, run: Run<'_>) -> Result<Vec<Task>, ApplyError> {
    let copy: Arc<str> = table.digest(&run.fingerprint.content_digest).into();
    let pending = run.ledger.pending_chunks(&table.target).await?;
    let task = |chunk| Task { table: Arc::clone(table), copy: Arc::clone(&copy), chunk };
    Ok(pending.into_iter().map(task).collect())
}

/// Rows of these tables that are there by now, as the ledger has it; of a run that ends, so a ledger that does not answer is
/// no error.
async fn rows_there(copies: &[Copy], run: Run<'_>) -> u64 {
    let started = run.ledger.started_tables().await.unwrap_or_default();
    copies.iter().filter_map(|copy| started.get(&copy.table.target)).map(|table| table.rows_written).sum()
}

/// Rows that are in the ledger as rejected: of the copies that are gone on with, and of those that began before this wave.
pub(super) async fn rejected(copies: &[Copy], wave: usize, ledger: &Ledger) -> Result<u64, ApplyError> {
    let started = ledger.started_tables().await?;
    let begun = copies.iter().filter(|copy| copy.resumes || copy.wave < wave);
    Ok(begun.filter_map(|copy| started.get(&copy.table.target)).map(|table| table.rows_rejected).sum())
}

/// How often chunks that went with a fallen server are copied anew.
const MOST_TURNS: u32 = 6;

/// A chunk's commit does not wait for the disk: should the server fall, rows and ledger forget the chunk together, and it is
/// copied anew. What says that a table is there does wait, and what was committed before reaches the disk
/// before it (PostgreSQL's manual, 30.4, "Asynchronous Commit").
pub(super) const BEGIN: &str = "BEGIN; SET LOCAL synchronous_commit = off";

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
    match copied {
        Err(error) if isolate::is_about_rows(&error) => {
            let Session { connection, backend } = session;
            let isolated = isolate::copy_chunk(worker, connection, task, error);
            worker.watch.over(Some(backend), isolated).await?
        }
        copied => copied,
    }
}

/// The COPY that takes a table's rows.
pub(super) fn copy_statement(target: &Target, copy: &TableCopy) -> String {
    let columns: Vec<String> = copy.columns.iter().map(|column| render::quoted(&column.target)).collect();
    format!(
        "COPY {}.{} ({}) FROM STDIN (FORMAT binary)",
        render::quoted(&target.schema),
        render::quoted(&copy.target),
        columns.join(", ")
    )
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
    let begun = watch.over(backend, connection.begin_with(BEGIN)).await?;
    let mut transaction = begun.map_err(ApplyError::server(what()))?;
    let claim = ledger.claim_chunk(&mut transaction, &copy.target, &task.copy, task.chunk.number);
    if !watch.over(backend, claim).await?? {
        return transaction.rollback().await.map_err(ApplyError::server(what()));
    }
    let (sender, mut buffers) = mpsc::channel(BUFFERS_WAITING);
    let range = task.chunk.range;
    let reading = {
        let (source, copy, listener, sent) =
            (Arc::clone(source), Arc::clone(copy), Arc::clone(listener), Arc::clone(sent));
        let allowance = Arc::clone(&worker.allowance);
        tokio::task::spawn_blocking(move || {
            let progress = |rows| {
                sent.fetch_add(rows, Ordering::Relaxed);
                listener(Event::Rows { table: copy.target.clone(), rows });
            };
            reader::read_chunk(&source, &copy, range, &sender, &allowance, &progress)
        })
    };
    let statement = copy_statement(target, copy);
    let opened = watch.over(backend, transaction.copy_in_raw(&statement)).await?;
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
    let mut counts = match read {
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
    let record = counts.refusals.record((&mut transaction, ledger), source, copy, task.chunk);
    watch.over(backend, record).await??;
    let recorded = ChunkCounts { written, nulled: counts.nulled, rejected: counts.refusals.len() };
    let finish = ledger.finish_chunk(&mut transaction, &copy.target, task.chunk.number, recorded);
    watch.over(backend, finish).await??;
    watch.over(backend, transaction.commit()).await?.map_err(ApplyError::server(what()))?;
    counts.refusals.keep();
    Ok(())
}
