//! What the sessions of a copy have to do, in which order.
//!
//! In: chunks, and the indexes that may be built as soon as their table is complete. Out: one thing after another, to
//! whoever asks. Indexes come first, since one of them may take longer than all chunks that are left; statistics are
//! gathered while there is nothing else to begin, but others are still at work.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::{
    schema::TableCopy,
    target::{Build, Chunk},
};

/// A chunk to copy.
pub(super) struct Task {
    pub(super) table: Arc<TableCopy>,
    /// What identifies the copy in the ledger: the source's content, and how it is read.
    pub(super) copy: Arc<str>,
    pub(super) chunk: Chunk,
}

/// What a session has to do next.
pub(super) enum Next {
    Copy(Task),
    /// An index over a table whose rows are there.
    Build(Build),
    /// A table that has its rows and its indexes, whose statistics are to be gathered.
    Analyze(Arc<TableCopy>),
}

/// What is to be done, and how far that is.
pub(super) struct Queue {
    state: Mutex<State>,
    /// Told whenever the state has become another.
    changed: Notify,
}

struct State {
    waiting: VecDeque<Task>,
    builds: Vec<Build>,
    /// The tables of this queue, by their names in the target.
    tables: BTreeMap<String, Progress>,
    /// Chunks and builds under way.
    copying: usize,
    building: usize,
    /// Chunks that are there, and builds that were tried.
    finished: u64,
}

/// How far a table is.
struct Progress {
    table: Arc<TableCopy>,
    /// Chunks that are not there.
    missing: usize,
    /// Indexes of this queue that are not there.
    unbuilt: usize,
    /// Whether its statistics are gathered, or somebody is at it.
    analyzed: bool,
}

impl Queue {
    pub(super) fn new(waiting: VecDeque<Task>, mut builds: Vec<Build>) -> Queue {
        let mut tables = BTreeMap::new();
        for Task { table, .. } in &waiting {
            let new = || Progress { table: Arc::clone(table), missing: 0, unbuilt: 0, analyzed: false };
            tables.entry(table.target.clone()).or_insert_with(new).missing += 1;
        }
        // The others are over tables whose rows came long ago, or come later.
        builds.retain(|build| {
            let table = tables.get_mut(build.table());
            table.map(|table| table.unbuilt += 1).is_some()
        });
        let state = State { waiting, builds, tables, copying: 0, building: 0, finished: 0 };
        Queue { state: Mutex::new(state), changed: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Chunks and builds that wait.
    pub(super) fn len(&self) -> usize {
        let state = self.state();
        state.waiting.len() + state.builds.len()
    }

    /// Chunks under way.
    pub(super) fn copying(&self) -> usize {
        self.state().copying
    }

    /// Chunks that are there, and builds that were tried.
    pub(super) fn finished(&self) -> u64 {
        self.state().finished
    }

    /// What is next; waits while others are at work whose end may be somebody's beginning. `None`: nothing is left.
    pub(super) async fn next(&self) -> Option<Next> {
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                if let Some(next) = state.take() {
                    return Some(next);
                }
                if state.copying + state.building == 0 {
                    return None;
                }
            }
            changed.await;
        }
    }

    /// Puts chunks back that were taken, and did not arrive.
    pub(super) fn put_back(&self, task: Option<Task>) {
        self.state().waiting.extend(task);
        self.changed.notify_waiters();
    }

    /// A chunk is no longer under way, but there, or not.
    pub(super) fn end_copy(&self, task: &Task, copied: bool) {
        let mut state = self.state();
        state.copying -= 1;
        if copied {
            state.finished += 1;
            if let Some(table) = state.tables.get_mut(&task.table.target) {
                table.missing -= 1;
            }
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// An index is no longer under way, but there, or left to the post-data stage.
    pub(super) fn end_build(&self, build: &Build, built: bool) {
        let mut state = self.state();
        state.building -= 1;
        state.finished += 1;
        if let Some(table) = state.tables.get_mut(build.table()) {
            table.unbuilt -= usize::from(built);
        }
        drop(state);
        self.changed.notify_waiters();
    }
}

impl State {
    fn take(&mut self) -> Option<Next> {
        let State { waiting, builds, tables, copying, building, .. } = self;
        let is_complete = |build: &Build| tables.get(build.table()).is_some_and(|table| table.missing == 0);
        if let Some(at) = builds.iter().position(is_complete) {
            *building += 1;
            return Some(Next::Build(builds.remove(at)));
        }
        if let Some(task) = waiting.pop_front() {
            *copying += 1;
            return Some(Next::Copy(task));
        }
        // Alone, it would only keep the next stage waiting, which has time for it.
        if *copying + *building == 0 {
            return None;
        }
        let is_ready = |table: &&mut Progress| table.missing + table.unbuilt == 0 && !table.analyzed;
        let table = tables.values_mut().find(is_ready)?;
        table.analyzed = true;
        Some(Next::Analyze(Arc::clone(&table.table)))
    }
}
