//! What remains of a plan's changes, frozen as a version.

use std::{cmp::Reverse, time::Duration};

use super::{Plan, is_in_use};
use crate::{
    schema::{
        Change, Hazard,
        render::{self, Lock, Phase, Statement, Undo},
    },
    target::{Step, Version},
};

/// How long a statement waits for its lock on a table in use: behind a statement that waits, everybody else waits too.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a statement may take that only changes the catalogue, once it has its lock.
const CATALOGUE_TIMEOUT: Duration = Duration::from_secs(30);

impl Plan {
    /// What remains after the pending versions, as a version of its own; `None`: nothing remains.
    #[must_use]
    pub fn new_version(&self, name: String) -> Option<Version> {
        if self.remaining.is_empty() {
            return None;
        }
        let mut steps: Vec<(Phase, Reverse<u64>, Step)> = Vec::new();
        for change in &self.remaining {
            let planned = self.changes.iter().find(|planned| planned.change == *change);
            let hazards = planned.map(|planned| planned.hazards.as_slice()).unwrap_or_default();
            let (rows, in_use) = (self.rows_of(change.table()), is_in_use(&self.tables, change.table()));
            for (at, statement) in render::statements(change, in_use).into_iter().enumerate() {
                // What is refused or allowed is the change, by its first statement.
                let hazards = if at == 0 { hazards } else { &[] };
                steps.push((statement.phase, Reverse(rows), step(statement, in_use, hazards)));
            }
        }
        // Before the rows the changes' own order is the right one; of those after them that may run at the same time the
        // longest goes first.
        steps.sort_by_key(|(phase, rows, _)| (*phase, (!phase.is_before_rows()).then_some(*rows)));
        let (pre_data, post_data): (Vec<_>, Vec<_>) =
            steps.into_iter().partition(|(phase, ..)| phase.is_before_rows());
        let plain =
            |steps: Vec<(Phase, Reverse<u64>, Step)>| steps.into_iter().map(|(.., step)| step).collect();
        Some(Version { name, pre_data: plain(pre_data), post_data: plain(post_data), down: self.way_back() })
    }

    /// The steps back; none where something of it cannot be brought back.
    fn way_back(&self) -> Vec<Step> {
        let made: Vec<&str> = self
            .remaining
            .iter()
            .filter(|change| matches!(change, Change::CreateTable(_)))
            .map(Change::table)
            .collect();
        // Foreign keys hold tables in place, so they go first; the rest goes with its table.
        let goes_with_table = |change: &&Change| {
            !matches!(change, Change::CreateTable(_) | Change::AddForeignKey { .. })
                && made.contains(&change.table())
        };
        let mut down = Vec::new();
        for change in self.remaining.iter().rev().filter(|change| !goes_with_table(change)) {
            match render::undo(change) {
                Undo::By { statements, hazards } => down.extend(
                    statements.into_iter().map(|sql| Step { hazards: slugs(&hazards), ..Step::new(&sql) }),
                ),
                Undo::WithAnother => {}
                Undo::Never => return Vec::new(),
            }
        }
        down
    }

    /// The rows that a target table is to hold.
    fn rows_of(&self, table: &str) -> u64 {
        self.tables.iter().find(|plan| plan.target == table).map_or(0, |plan| plan.source_rows)
    }

    /// A word for what a new version does, for its name.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        let creates = |change: &Change| matches!(change, Change::CreateTable(_));
        if self.remaining.iter().any(creates) { "create_tables" } else { "alter_tables" }
    }
}

fn step(statement: Statement, in_use: bool, hazards: &[Hazard]) -> Step {
    // What waits among others in a transaction holds up whoever waits for those.
    let waits = in_use && (statement.lock != Lock::None || statement.phase.is_before_rows());
    let is_short =
        waits && !hazards.contains(&Hazard::RewritesTable) && !hazards.contains(&Hazard::BlocksReads);
    Step {
        concurrent: statement.concurrent,
        // A concurrent build is sent alone.
        parallel: statement.phase.is_parallel() && !statement.concurrent,
        hazards: slugs(hazards),
        lock_timeout: waits.then_some(LOCK_TIMEOUT),
        statement_timeout: is_short.then_some(CATALOGUE_TIMEOUT),
        ..Step::new(&statement.sql)
    }
}

fn slugs(hazards: &[Hazard]) -> Vec<String> {
    hazards.iter().map(|hazard| hazard.slug().to_owned()).collect()
}
