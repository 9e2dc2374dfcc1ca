//! What remains of a plan's changes, frozen as a version.

use std::{cmp::Reverse, time::Duration};

use super::{Plan, is_in_use};
use crate::{
    schema::{
        Change, Hazard, hazards,
        render::{self, Lock, Phase, Place, Statement, Undo},
    },
    target::{Step, Version},
};

/// Which targets a version is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MadeFor {
    /// The one that the plan was made for: tables without rows are altered in the shortest way.
    ThisTarget,
    /// Any: another one's tables may hold rows, so that only what the version makes itself is not treated with care.
    AnyTarget,
}

/// How long a statement waits for its lock on a table in use: behind a statement that waits, everybody else waits too.
const LOCK_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a statement may take that only changes the catalogue, once it has its lock.
const CATALOGUE_TIMEOUT: Duration = Duration::from_secs(30);

impl Plan {
    /// What remains after the pending versions, as a version of its own; `None`: nothing remains.
    #[must_use]
    pub fn new_version(&self, name: String, made_for: MadeFor) -> Option<Version> {
        if self.remaining.is_empty() {
            return None;
        }
        let mut steps: Vec<(Phase, Reverse<u64>, Step)> = Vec::new();
        let made = self.made();
        let is_made = |table: &str| made.contains(&table);
        for change in &self.remaining {
            let table = change.table();
            let in_use = match made_for {
                MadeFor::ThisTarget => is_in_use(&self.tables, table),
                MadeFor::AnyTarget => !is_made(table),
            };
            // A version runs on other targets too, whose tables hold rows where this one's do not.
            let hazards = match is_made(table) {
                true => Vec::new(),
                false if in_use => hazards(change),
                false => hazards(&change.at_once()),
            };
            // A foreign key locks its parent too.
            let locks_others = match change {
                Change::AddForeignKey { foreign_key, .. } => !is_made(&foreign_key.parent_table),
                _ => false,
            };
            let care = Care { in_use, may_queue: !is_made(table) || locks_others };
            let rows = self.rows_of(table);
            let partitions = match self.changes.iter().find(|planned| planned.change == *change) {
                Some(planned) => planned.partitions.clone(),
                None => self.partitions_of(table),
            };
            let place = Place { in_use, partitions: partitions.as_deref() };
            for (at, statement) in render::statements(change, place).into_iter().enumerate() {
                // What is refused or allowed is the change, by its first statement; each one of a table that is made anew
                // is a part of its hazards.
                let is_part = at == 0 || matches!(change, Change::Repartition { .. });
                let hazards: &[Hazard] = if is_part { &hazards } else { &[] };
                steps.push((statement.phase, Reverse(rows), step(statement, care, hazards)));
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

    /// The tables that the version makes.
    fn made(&self) -> Vec<&str> {
        let creates = |change: &&Change| matches!(change, Change::CreateTable(_));
        self.remaining.iter().filter(creates).map(Change::table).collect()
    }

    /// The steps back; none where something of it cannot be brought back.
    fn way_back(&self) -> Vec<Step> {
        let made = self.made();
        // Foreign keys hold tables in place, so they go first; the rest goes with its table.
        let goes_with_table = |change: &&Change| {
            !matches!(change, Change::CreateTable(_) | Change::AddForeignKey { .. })
                && made.contains(&change.table())
        };
        let mut down = Vec::new();
        for change in self.remaining.iter().rev().filter(|change| !goes_with_table(change)) {
            match render::undo(change) {
                Undo::By { statements, hazards } => down.extend(statements.into_iter().map(|sql| Step {
                    hazards: slugs(&hazards),
                    lock_timeout: Some(LOCK_TIMEOUT),
                    ..Step::new(&sql)
                })),
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

    /// The partitions that a table is to have.
    fn partitions_of(&self, table: &str) -> Option<Vec<String>> {
        let table = self.desired.schema.tables.iter().find(|known| known.name == table)?;
        table.partitioning.as_ref()?;
        Some(table.partitions().into_iter().map(|partition| partition.name).collect())
    }

    /// A word for what a new version does, for its name.
    #[must_use]
    pub fn slug(&self) -> &'static str {
        let creates = |change: &Change| matches!(change, Change::CreateTable(_));
        if self.remaining.iter().any(creates) { "create_tables" } else { "alter_tables" }
    }
}

/// What a statement meets.
#[derive(Debug, Clone, Copy)]
struct Care {
    /// Whether its form is the one for tables in use.
    in_use: bool,
    /// Whether somebody may hold a lock on a table that it locks, and others queue up behind it.
    may_queue: bool,
}

fn step(statement: Statement, care: Care, hazards: &[Hazard]) -> Step {
    // What waits among others in a transaction holds up whoever waits for those.
    let locks = statement.lock != Lock::None || statement.phase.is_before_rows();
    // A build beside the rows waits for nobody but ourselves.
    let waits = locks && care.may_queue && (care.in_use || statement.phase != Phase::Build);
    // What keeps others out for long says so.
    let is_long = [Hazard::RewritesTable, Hazard::BlocksReads, Hazard::BlocksWrites]
        .iter()
        .any(|hazard| hazards.contains(hazard));
    let is_short = care.in_use && waits && !is_long;
    Step {
        concurrent: statement.concurrent,
        in_chunks: statement.in_chunks,
        together: statement.together,
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
