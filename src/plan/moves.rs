//! A plan whose tables are still in another schema.

use super::{Plan, PlannedChange, VersionAction, blocker};
use crate::{
    schema::{Change, Finding, Severity},
    target::SchemaMove,
};

impl Plan {
    /// Puts a move of the tables before all else; `creates_schema`: the new schema is not there yet.
    #[must_use]
    pub fn moving(mut self, moves: SchemaMove, creates_schema: bool) -> Plan {
        let SchemaMove { from, to, tables, partitions, stays, in_the_way, half_done, .. } = &moves;
        let change = |table: &String| {
            let (table, from, to) = (table.clone(), from.clone(), to.clone());
            PlannedChange::new(Change::MoveTable { table, from, to }, false, None, false)
        };
        // What versions are to do in the old schema is planned again in the new one, with its hazards.
        if self.version_action == VersionAction::RunThenPlanAgain {
            self.changes.iter_mut().for_each(|change| change.hazards.clear());
        }
        self.changes.splice(0..0, tables.iter().chain(partitions).map(change));
        self.findings.extend(in_the_way.iter().map(|what| {
            blocker(
                "schema-taken",
                format!(
                    "{what}, where tables of schema {from} are to move. Rename or drop it, or take `moved_from` out of the \
                     mapping"
                ),
            )
        }));
        self.findings.extend(half_done.iter().map(|version| {
            blocker(
                "version-half-done",
                format!(
                    "version {version} has begun in schema {from} and is not through. Finish it there before the tables move: take \
                     `moved_from` out of the mapping and run `mtm apply --schema {from}`, or take it back with `mtm migrate down`"
                ),
            )
        }));
        self.findings.extend(stays.iter().map(|table| Finding {
            severity: Severity::Note,
            code: "stays-in-schema",
            message: format!("table {table} stays in schema {from}: the mapping does not ask for it"),
        }));
        self.findings.sort_by_key(|finding| finding.severity);
        self.creates_schema = creates_schema;
        self.moves = Some(moves);
        self
    }
}
