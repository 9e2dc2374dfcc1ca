//! The plan: what has to happen so that the target holds what the source holds. Pure.
//!
//! A plan is data: printed for people, as SQL or as JSON ([`crate::report`]), and carried out by [`crate::apply`].

mod copy;
mod saved;

use std::cmp::Reverse;

use serde::Serialize;

pub use copy::{CopyPlan, StartOver, TablePlan};
pub use saved::{
    Circumstances, SAVED_PLAN_FORMAT, SavedChange, SavedCopy, SavedPlan, SavedPlanError, SavedVersion,
};

use crate::{
    audit::{Audit, Fingerprint},
    diff::{self, Difference},
    inspect::{Catalogue, Live},
    schema::{
        Change, Desired, Fate, Finding, Section, Severity,
        render::{self, Phase},
    },
    target::{Step, Version},
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
    /// The desired target.
    #[serde(skip)]
    pub desired: Desired,
}

/// A change of the schema with its SQL.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedChange {
    /// When it is made.
    pub section: Section,
    /// The table that it is about.
    pub table: String,
    /// A line for people.
    pub summary: String,
    /// The statements, each with a semicolon.
    pub sql: String,
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
    /// What they make of an empty schema ([`crate::inspect::replay`]); `None`: that says nothing, since one of them has
    /// begun or alters what an earlier one made.
    pub outcome: Option<Catalogue>,
}

impl Plan {
    /// Compares what should be (`desired`, and `normal`, the same in PostgreSQL's words) with what is (`live`).
    #[must_use]
    pub fn between(
        audit: &Audit,
        live: &Live,
        desired: &Desired,
        normal: &Catalogue,
        pending: Pending,
    ) -> Plan {
        let Difference { changes, beyond } = diff::between(&desired.schema, normal, &live.catalogue);
        let mut findings = desired.findings.clone();
        findings.extend(beyond.into_iter().map(|what| blocker("change-not-built", format!(
            "{what}. Changing what is there is not built yet: alter it by hand, or let the mapping say what the target has"
        ))));
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
        let left = pending.outcome.map(|outcome| diff::between(&desired.schema, normal, &outcome));
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
        let mut tables: Vec<TablePlan> =
            desired.tables.iter().map(|table| TablePlan::new(table, desired, live, audit)).collect();
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
        Plan {
            source: audit.path.clone(),
            fingerprint: audit.fingerprint.clone(),
            mapping_digest: desired.mapping_digest.clone(),
            target_schema: desired.schema.name.clone(),
            creates_schema: !live.schema_exists,
            changes: changes.into_iter().map(PlannedChange::from).collect(),
            pending_versions: pending.versions.iter().map(|version| version.name.clone()).collect(),
            tables,
            findings,
            fates: desired.fates.clone(),
            version_action,
            versions: pending.versions,
            remaining,
            desired: desired.clone(),
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

    /// What remains after the pending versions, as a version of its own; `None`: nothing remains.
    #[must_use]
    pub fn new_version(&self, name: String) -> Option<Version> {
        if self.remaining.is_empty() {
            return None;
        }
        let of = |section| -> Vec<Step> {
            let changes = self.remaining.iter().filter(|change| change.section() == section);
            let mut statements: Vec<_> = changes
                .flat_map(|change| {
                    let rows = self.rows_of(change.table());
                    render::statements(change).into_iter().map(move |statement| (rows, statement))
                })
                .collect();
            // Of those that may run at the same time the longest first.
            statements.sort_by_key(|(rows, statement)| (statement.phase, Reverse(*rows)));
            let parallel = |phase: Phase| section == Section::PostData && phase.is_parallel();
            statements
                .iter()
                .map(|(_, statement)| Step {
                    parallel: parallel(statement.phase),
                    ..Step::new(&statement.sql)
                })
                .collect()
        };
        let down: Vec<Step> = if self.remaining.iter().any(|change| matches!(change, Change::CreateTable(_)))
        {
            // Foreign keys hold tables in place, so they go first; the rest goes with its table.
            let made: Vec<&str> = self
                .remaining
                .iter()
                .filter(|change| matches!(change, Change::CreateTable(_)))
                .map(Change::table)
                .collect();
            let goes_with_table = |change: &&Change| {
                matches!(change, Change::CreateTable(_) | Change::AddForeignKey { .. })
                    || !made.contains(&change.table())
            };
            self.remaining.iter().rev().filter(goes_with_table).filter_map(undo_step).collect()
        } else {
            self.remaining.iter().rev().filter_map(undo_step).collect()
        };
        Some(Version { name, pre_data: of(Section::PreData), post_data: of(Section::PostData), down })
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

fn undo_step(change: &Change) -> Option<Step> {
    let hazards = match change {
        Change::CreateTable(_) | Change::AddColumn { .. } => vec!["deletes-data".to_owned()],
        _ => Vec::new(),
    };
    render::undo(change).map(|sql| Step { hazards, ..Step::new(&sql) })
}

fn blocker(code: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Blocker, code, message }
}

impl From<Change> for PlannedChange {
    fn from(change: Change) -> PlannedChange {
        PlannedChange {
            section: change.section(),
            table: change.table().to_owned(),
            summary: change.summary(),
            sql: render::statements(&change)
                .iter()
                .map(|s| format!("{};", s.sql))
                .collect::<Vec<_>>()
                .join("\n"),
            change,
        }
    }
}
