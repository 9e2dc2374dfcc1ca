//! Sessions that take chunks from one queue, and what becomes of a chunk whose session is lost.
//!
//! In: a queue. Out: all of it copied, or the first error that trying again does not help against. A session that loses its
//! connection puts its chunk back; when the server can be reached again, another takes its place.

use std::{collections::VecDeque, sync::Arc};

use sqlx::{Executor, PgConnection, Postgres, pool::PoolConnection};
use tokio::{task::JoinSet, time::sleep};

use super::{
    ApplyError, Event, Recovery, Remedy,
    data::{self, Run},
    finish,
    queue::{Next, Queue, Task},
    remedy,
    retry::{self, Tries},
};
use crate::{
    schema::TableCopy,
    target::{Backend, Build},
};

/// Why a session came to its end before the queue.
struct Loss {
    error: ApplyError,
    task: Option<Task>,
    /// What it left on the server.
    backend: Option<Backend>,
    /// How many outages there had been when it began.
    outages: u32,
}

/// Copies every chunk of a queue, by several sessions, and builds indexes over the tables that are complete. Ends early,
/// without an error, when the run is asked to end.
pub(super) async fn drain(
    queue: VecDeque<Task>,
    builds: Vec<Build>,
    run: &Run<'_>,
    recovery: &mut Recovery<'_>,
) -> Result<(), ApplyError> {
    recovery.begin();
    let queue = Arc::new(Queue::new(queue, builds));
    let all = queue.len();
    let sessions = run.jobs.clamp(1, all.max(1));
    let mut crew = JoinSet::new();
    for _ in 0..sessions {
        begin(&mut crew, &queue, run, recovery.outages());
    }
    let mut told = false;
    loop {
        let ended = tokio::select! {
            ended = crew.join_next() => ended,
            () = run.interrupt.is_asked(), if !told => {
                told = true;
                (run.listener)(Event::Finishing { chunks: queue.copying() });
                continue;
            }
        };
        let Some(ended) = ended else { return Ok(()) };
        let ended = ended.unwrap_or_else(|_| {
            let error = ApplyError::ReaderLost { table: "(a session)".to_owned() };
            Err(Box::new(Loss { error, task: None, backend: None, outages: 0 }))
        });
        // A session that still waits for room on the server is not waited for.
        if queue.finished() == all as u64 {
            return Ok(());
        }
        let Err(loss) = ended else { continue };
        // An error drops the set, which ends the other sessions; their chunks roll back.
        if remedy(&loss.error) != Remedy::Reconnect {
            return Err(loss.error);
        }
        recovery.progressed(queue.finished());
        match replace(loss, &queue, run, recovery, crew.is_empty()).await {
            Ok(true) => begin(&mut crew, &queue, run, recovery.outages()),
            Ok(false) => {}
            // The others may have a chunk to finish.
            Err(error) if run.interrupt.asked().is_some() && remedy(&error) != Remedy::Stop => {}
            Err(error) => return Err(error),
        }
    }
}

/// Puts the chunk of a lost session back, and waits for the server. Gives whether another session is to take its place.
async fn replace(
    loss: Box<Loss>,
    queue: &Queue,
    run: &Run<'_>,
    recovery: &mut Recovery<'_>,
    is_last: bool,
) -> Result<bool, ApplyError> {
    let Loss { error, task, backend, outages } = *loss;
    let what = task.as_ref().map_or_else(|| "the copy".to_owned(), |task| data::named(&task.table));
    let had_a_session = backend.is_some();
    queue.put_back(task);
    if run.interrupt.asked().is_some() {
        return Ok(false);
    }
    if !had_a_session && !is_last {
        // The server has no room for another session: the others do without.
        return Ok(false);
    }
    if outages == recovery.outages() {
        recovery.regain(&what, error).await?;
    } else {
        // It may be the same outage, which is over, or the next.
        recovery.ensure(&what).await?;
    }
    if let Some(backend) = backend {
        recovery.persist(&what, async || end(&backend, run).await).await?;
    }
    Ok(true)
}

/// Ends what a lost session left on the server: it would keep its chunk from the next.
async fn end(backend: &Backend, run: &Run<'_>) -> Result<(), ApplyError> {
    let failed = || ApplyError::server("the session that was lost could not be ended on the server");
    // Those of the pool may be lost as well, without knowing it yet.
    let mut session = run.target.session().await?;
    backend.end(&mut session).await.map_err(failed())?;
    Ok(())
}

fn begin(crew: &mut JoinSet<Result<(), Box<Loss>>>, queue: &Arc<Queue>, run: &Run<'_>, outages: u32) {
    let queue = Arc::clone(queue);
    let worker = run.worker();
    crew.spawn(async move {
        let mut session = None;
        let mut task = None;
        let done = work(&worker, &queue, &mut session, &mut task).await;
        done.map_err(|error| {
            let backend = session.map(|session: Session| {
                // Back in the pool it would be asked whether it is alive, and might never answer.
                if remedy(&error) == Remedy::Reconnect {
                    drop(session.connection.detach());
                }
                session.backend
            });
            Box::new(Loss { error, task, backend, outages })
        })
    });
}

/// A session that copies, known to the ledger.
pub(super) struct Session {
    pub(super) connection: PoolConnection<Postgres>,
    pub(super) backend: Backend,
}

/// Takes chunks until there are none, or the run is asked to end. What it has in hand when it fails stays in `session` and
/// `task`.
async fn work(
    worker: &data::Worker,
    queue: &Queue,
    session: &mut Option<Session>,
    task: &mut Option<Task>,
) -> Result<(), ApplyError> {
    let session = session.insert(open(worker).await?);
    let Session { connection, backend } = session;
    let prepare = async {
        worker.ledger.register_backend(worker.run, connection).await?;
        prefer_lz4(connection).await
    };
    worker.watch.over(Some(backend), prepare).await??;
    while worker.interrupt.asked().is_none() {
        let next = tokio::select! {
            next = queue.next() => next,
            () = worker.interrupt.is_asked() => None,
        };
        match next {
            None => break,
            Some(Next::Build(build)) => {
                let built = build_ahead(worker, &build).await;
                queue.end_build(&build, built);
            }
            Some(Next::Analyze(table)) => analyze_ahead(worker, &table).await,
            Some(Next::Copy(chunk)) => {
                let task = task.insert(chunk);
                let copied = copy(worker, session, task).await;
                queue.end_copy(task, copied.is_ok());
                copied?;
            }
        }
    }
    Ok(())
}

/// Builds an index, unless the run is asked to end meanwhile; gives whether it is there. What becomes of it is left to the
/// post-data stage, which builds what is not there, and can say what the server does not like when all rows are.
async fn build_ahead(worker: &data::Worker, build: &Build) -> bool {
    let running = async { Ok(worker.watch.over(None, build.run()).await??) };
    let built: Result<(), ApplyError> = tokio::select! {
        built = running => built,
        () = worker.interrupt.is_asked() => return false,
    };
    if let Err(error) = &built {
        tracing::debug!(%error, table = build.table(), "an index is left to the post-data stage");
        if remedy(error) == Remedy::Reconnect {
            worker.ahead.set_lost();
        }
    }
    built.is_ok()
}

/// Gathers a table's statistics, unless the run is asked to end meanwhile. Those that are not gathered here are later.
async fn analyze_ahead(worker: &data::Worker, table: &TableCopy) {
    let running = async { worker.watch.over(None, finish::analyze_table(&worker.target, table)).await? };
    let analyzed = tokio::select! {
        analyzed = running => analyzed,
        () = worker.interrupt.is_asked() => return,
    };
    match analyzed {
        Ok(()) => worker.ahead.set_analyzed(table),
        Err(error) => tracing::debug!(%error, "statistics are left to the end"),
    }
}

async fn open(worker: &data::Worker) -> Result<Session, ApplyError> {
    let failed = || ApplyError::server("no session for copying");
    let mut connection = match worker.target.pool.acquire().await {
        // The pool does not say what it has waited for; a session beside it does.
        Err(sqlx::Error::PoolTimedOut) => {
            worker.target.session().await?;
            worker.target.pool.acquire().await.map_err(failed())?
        }
        acquired => acquired.map_err(failed())?,
    };
    let backend = Backend::of(&mut connection).await.map_err(failed())?;
    Ok(Session { connection, backend })
}

/// Copies a chunk, and tries again where another transaction stood in the way.
async fn copy(worker: &data::Worker, session: &mut Session, task: &Task) -> Result<(), ApplyError> {
    let mut tries = Tries::of_a_chunk();
    loop {
        let Err(error) = data::copy_chunk(worker, session, task).await else { return Ok(()) };
        if remedy(&error) != Remedy::Again || worker.interrupt.asked().is_some() {
            return Err(error);
        }
        let what = data::named(&task.table);
        let Some(pause) = tries.next_pause() else { return Err(retry::given_up(&what, &tries, error)) };
        retry::tell(&worker.listener, &what, &tries, &error);
        sleep(pause).await;
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
