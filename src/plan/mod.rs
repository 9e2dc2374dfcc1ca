//! The plan: what has to happen so that the target holds what the source holds. Pure.
//!
//! A plan is data: printed for people, as SQL or as JSON ([`crate::report`]), and carried out by [`crate::apply`].

mod copy;
mod moves;
mod partitions;
mod saved;
mod version;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

pub use copy::{CopyPlan, StartOver, TablePlan};
pub use saved::{
    Circumstances, SAVED_PLAN_FORMAT, SavedChange, SavedCopy, SavedPlan, SavedPlanError, SavedVersion,
};

pub use version::MadeFor;

use crate::{
    audit::{Audit, Fingerprint},
    diff::{self, Difference, Former, Found},
    inspect::{Catalogue, Live, Obstacle},
    schema::{Action, Change, Desired, Fate, Finding, Hazard, Section, Severity, hazards, render},
    target::{SchemaMove, Version},
};

/// The version of the JSON form. It grows when a field changes its meaning or goes away.
pub const FORMAT_VERSION: u32 = 1;

/// Everything that `apply` will do, and everything that a person should know before.
#[derive(Debug, Clone, Serialize)]
pub struct Plan {
    /// The source file as it was named.
    pub source: String,
    /// What identifies its content.
    pub fingerprint: Fingerprint,
    /// What identifies the mapping.
    pub mapping_digest: String,
    /// The target schema.
    pub target_schema: String,
    /// Whether the target schema has to be made first.
    pub creates_schema: bool,
    /// What changes in the target's schema.
    pub changes: Vec<PlannedChange>,
    /// Names of versions that the target does not have yet, or not wholly.
    pub pending_versions: Vec<String>,
    /// What happens to them.
    pub version_action: VersionAction,
    /// What happens to the rows, a table each.
    pub tables: Vec<TablePlan>,
    /// Blockers first, then warnings and notes.
    pub findings: Vec<Finding>,
    /// What becomes of every object of `sqlite_schema`.
    pub fates: Vec<Fate>,
    /// The pending versions with their steps.
    #[serde(skip)]
    pub versions: Vec<Version>,
    /// What remains to be frozen as a version of its own once the pending ones have run.
    #[serde(skip)]
    pub remaining: Vec<Change>,
    /// The tables that move from another schema before anything else; the rest of the plan is made where they are.
    #[serde(skip)]
    pub moves: Option<SchemaMove>,
    /// The desired target.
    #[serde(skip)]
    pub desired: Desired,
    /// What the target calls tables and columns until the changes are made.
    #[serde(skip)]
    pub former: Former,
}

/// A change of the schema with its SQL.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedChange {
    /// When it is made.
    pub section: Section,
    /// What happens to the object that it is about.
    pub action: Action,
    /// The table that it is about.
    pub table: String,
    /// A line for people.
    pub summary: String,
    /// Why it may hurt, gravest first; none on a table without rows.
    pub hazards: Vec<Hazard>,
    /// The statements, each with a semicolon.
    pub sql: String,
    /// The partitions that its table has by then; `None`: it is an ordinary table.
    #[serde(skip)]
    pub(crate) partitions: Option<Vec<String>>,
    /// The change itself.
    #[serde(skip)]
    pub change: Change,
}

/// What happens to versions that the target does not have yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum VersionAction {
    /// They run, or there are none.
    Run,
    /// They run, or go on where an earlier run was cut off; only then can be said what else is to change.
    RunThenPlanAgain,
    /// They are recorded as applied: the target is already what they make.
    Record,
}

/// Versions that the target does not have yet, or not wholly.
#[derive(Debug, Clone, Default)]
pub struct Pending {
    /// In order.
    pub versions: Vec<Version>,
    /// Whether one of them has begun, so that its hazards have been agreed to.
    pub begun: bool,
    /// What they make of an empty schema ([`crate::inspect::replay`]); `None`: that says nothing, since one of them has
    /// begun or alters what an earlier one made.
    pub outcome: Option<Catalogue>,
}

/// The target beside what it should be.
#[derive(Debug, Clone)]
pub struct Compared<'a> {
    /// What it should be, in PostgreSQL's words.
    pub normal: &'a Catalogue,
    /// What it is, once the declared renames are made.
    pub live: &'a Live,
    /// What separates the two ([`diff::between`]).
    pub difference: Difference,
    /// What rows say against some of the changes.
    pub obstacles: Vec<Obstacle>,
}

impl Plan {
    /// Brings together what the source holds, what should be (`desired`), what is, and what versions are pending.
    #[must_use]
    pub fn between(audit: &Audit, desired: &Desired, compared: Compared<'_>, pending: Pending) -> Plan {
        let Compared { normal, live, difference, obstacles } = compared;
        let Difference { changes, beyond, recopied, kept, former, .. } = difference;
        let mut findings = desired.findings.clone();
        findings.extend(beyond.into_iter().map(|what| blocker("beyond-change", what)));
        findings.extend(kept.into_iter().map(|what| Finding {
            severity: Severity::Note,
            code: "not-in-mapping",
            message: format!(
                "the target has {what} beside what the mapping says; it stays (`prune: true` drops it)"
            ),
        }));
        findings.extend(obstacles.iter().filter_map(Obstacle::finding));
        findings.extend(live.in_the_way.iter().map(|(name, kind)| {
            blocker(
                "name-taken",
                format!(
                    "the target has a {kind} named {name} already, where the plan wants one of its own. Rename or drop \
                     it, or choose another --schema"
                ),
            )
        }));
        if !live.server_encoding.is_empty() && live.server_encoding != "UTF8" {
            findings.push(blocker(
                "target-not-utf8",
                format!(
                    "the target database is encoded in {}, which cannot hold every text. Make one with `CREATE DATABASE … \
                     ENCODING 'UTF8' TEMPLATE template0`",
                    live.server_encoding
                ),
            ));
        }
        // More than the mapping asks for may stand in a version; it is recorded only where all of that is there.
        let holds_outcome = pending.outcome.as_ref().is_some_and(|outcome| live.catalogue.holds(outcome));
        if live.catalogue.tables.is_empty() {
            let made = pending.outcome.iter().flat_map(|outcome| outcome.types.keys());
            let there = made.filter(|name| live.catalogue.types.contains_key(*name));
            findings.extend(there.map(|name| {
                blocker(
                    "name-taken",
                    format!(
                        "the target has a type named {name} already, which a pending version makes. Drop it, or choose another \
                         --schema"
                    ),
                )
            }));
        }
        let left = pending.outcome.map(|outcome| {
            let (rows, hangers) = (BTreeMap::new(), BTreeMap::new());
            let found = Found {
                catalogue: &outcome,
                rows: &rows,
                hangers: &hangers,
                irreplaceable: &BTreeSet::new(),
                ours: None,
                enums: &[],
                our_types: None,
            };
            diff::between(desired, normal, found)
        });
        let leads_here = |left: &Difference| left.changes.is_empty() && left.beyond.is_empty();
        let (version_action, remaining) = match left {
            Some(left) if live.catalogue.tables.is_empty() => {
                findings.extend(left.beyond.into_iter().map(|what| {
                    blocker(
                        "version-differs",
                        format!(
                            "once the pending versions have run, {what}. Correct the version or the mapping so that they \
                             agree"
                        ),
                    )
                }));
                (VersionAction::Run, left.changes)
            }
            Some(left) if leads_here(&left) && changes.is_empty() && holds_outcome => {
                (VersionAction::Record, Vec::new())
            }
            _ if pending.versions.is_empty() => (VersionAction::Run, changes.clone()),
            _ => (VersionAction::RunThenPlanAgain, Vec::new()),
        };
        let mut tables: Vec<TablePlan> = desired
            .tables
            .iter()
            .map(|table| TablePlan::new(table, desired, live, audit, &changes))
            .collect();
        for (table, why) in recopied {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "recopied",
                message: format!("{why}: the rows have to be copied anew"),
            });
            tables.iter_mut().filter(|plan| plan.target == table).for_each(TablePlan::recopy);
        }
        let in_cycle = copy::order_waves(&mut tables, live);
        if !in_cycle.is_empty() && tables.iter().any(|table| table.copy != CopyPlan::Done) {
            findings.push(blocker(
                "foreign-key-cycle",
                format!(
                    "the target has foreign keys already that go round in a circle ({}), so that none of these tables can \
                     be filled first. Drop one of them; the plan adds it again after the rows",
                    in_cycle.join(", ")
                ),
            ));
        }
        findings.extend(tables.iter().filter_map(TablePlan::blocker));
        for change in &changes {
            let Change::AddColumn { table, column } = change else { continue };
            let stays_empty = |plan: &&TablePlan| plan.target == *table && plan.copy != CopyPlan::Copy;
            let copied = tables.iter().find(stays_empty).map(|plan| &plan.columns);
            if copied.is_some_and(|columns| columns.iter().any(|copy| copy.target == column.name)) {
                findings.push(blocker("column-not-copied", format!(
                    "{table}.{}: the target lacks this column of the source, and the table's rows are there already, so \
                     that it would stay empty. Empty the table, and its rows are copied anew", column.name
                )));
            }
        }
        findings.sort_by_key(|finding| finding.severity);
        let partitions = partitions::by_then(&changes, live);
        let planned = changes.into_iter().enumerate().map(|(at, change)| {
            let spared = obstacles.iter().any(|obstacle| obstacle.change == at && obstacle.nothing_is_lost());
            // A table that is made anew is rewritten with whatever rows it holds.
            let is_rewritten =
                matches!(change, Change::Repartition { .. }) && live.holds_rows(change.table());
            let in_use = !pending.begun && (is_in_use(&tables, change.table()) || is_rewritten);
            let partitions = partitions.get(change.table()).cloned();
            PlannedChange::new(change, in_use, partitions, spared)
        });
        let changes: Vec<PlannedChange> = planned.collect();
        Plan {
            source: audit.path.clone(),
            fingerprint: audit.fingerprint.clone(),
            mapping_digest: desired.mapping_digest.clone(),
            target_schema: desired.schema.name.clone(),
            creates_schema: !live.schema_exists,
            changes,
            pending_versions: pending.versions.iter().map(|version| version.name.clone()).collect(),
            tables,
            findings,
            fates: desired.fates.clone(),
            version_action,
            versions: pending.versions,
            remaining,
            desired: desired.clone(),
            former,
            moves: None,
        }
    }

    /// Whether nothing is to do.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.creates_schema
            && self.changes.is_empty()
            && self.pending_versions.is_empty()
            && self.tables.iter().all(|table| table.copy == CopyPlan::Done)
    }

    /// The findings that forbid the plan.
    pub fn blockers(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Blocker)
    }

    /// Whether rows of another state of the source are in the target: the source has changed since they were copied.
    #[must_use]
    pub fn source_changed(&self) -> bool {
        self.tables.iter().any(|table| table.copy == CopyPlan::SourceChanged)
    }

    /// What has to go so that the tables can be copied anew whose rows are of another state of the source; and, where
    /// `with_rejected` says so, those whose copy lacks rejected rows.
    #[must_use]
    pub fn start_over(&self, live: &Live, with_rejected: bool) -> StartOver {
        StartOver::of(&self.tables, live, with_rejected)
    }

    /// Says anew when each table is copied, for a target whose versions have made foreign keys since.
    ///
    /// # Errors
    /// The tables that wait for one another.
    pub fn order_copies(&mut self, live: &Live) -> Result<(), Vec<String>> {
        let in_cycle = copy::order_waves(&mut self.tables, live);
        if in_cycle.is_empty() { Ok(()) } else { Err(in_cycle) }
    }

    /// The hazards of the plan's changes that nobody has allowed, each with the changes that have it.
    #[must_use]
    pub fn hazards_beyond(&self, allowed: &[String]) -> Vec<(Hazard, Vec<&str>)> {
        let having = |hazard: Hazard| -> Vec<&str> {
            let having = self.changes.iter().filter(|change| change.hazards.contains(&hazard));
            having.map(|change| change.summary.as_str()).collect()
        };
        Hazard::ALL
            .iter()
            .filter(|(_, slug)| allowed.iter().all(|allowed| allowed != slug))
            .map(|(hazard, _)| (*hazard, having(*hazard)))
            .filter(|(_, changes)| !changes.is_empty())
            .collect()
    }
}

/// Whether others may be at a target table's rows.
fn is_in_use(tables: &[TablePlan], table: &str) -> bool {
    tables.iter().any(|plan| plan.target == table && plan.is_in_use())
}

fn blocker(code: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Blocker, code, message }
}

impl PlannedChange {
    /// `in_use`: its table holds rows. `spared`: all values were looked at, and nothing of one is lost.
    fn new(change: Change, in_use: bool, partitions: Option<Vec<String>>, spared: bool) -> PlannedChange {
        let hazards = match in_use {
            true => hazards(&change)
                .into_iter()
                .filter(|hazard| !(spared && *hazard == Hazard::LossyConversion))
                .collect(),
            false => Vec::new(),
        };
        let place = render::Place { in_use, partitions: partitions.as_deref() };
        let statements = render::statements(&change, place);
        PlannedChange {
            section: change.section(),
            action: change.action(),
            table: change.table().to_owned(),
            summary: change.summary(),
            hazards,
            sql: statements.iter().map(|s| format!("{};", s.sql)).collect::<Vec<_>>().join("\n"),
            partitions,
            change,
        }
    }
}
