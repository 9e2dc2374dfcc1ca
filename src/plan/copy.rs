//! What happens to a table's rows.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    audit::Audit,
    diff::Former,
    inspect::Live,
    schema::{Change, ColumnCopy, Desired, Finding, FormerNames, Severity, TableCopy, render},
};

/// A table's part of the plan: its columns, its insert plan, its rows on both sides.
#[derive(Debug, Clone, Serialize)]
pub struct TablePlan {
    /// The source table.
    pub source: String,
    /// The target table.
    pub target: String,
    /// The target schema.
    pub target_schema: String,
    /// The columns, each with its type and why it has it.
    pub columns: Vec<ColumnCopy>,
    /// The insert plan: `INSERT … SELECT` with its columns and conversions. COPY is its fast path.
    pub insert: String,
    /// Rows in the source.
    pub source_rows: u64,
    /// Rows in the target; `None`: the table is not there yet.
    pub target_rows: Option<u64>,
    /// Rows of this source that an earlier run has rejected: the target is not to have them.
    pub rejected_rows: u64,
    /// What happens.
    pub copy: CopyPlan,
    /// When: tables of a wave are copied at the same time, after those of the waves before. All are in the first one,
    /// unless the target has foreign keys already, which want parents before children.
    pub wave: usize,
    /// Whether the rows go in one COPY: they refer to one another, and a foreign key that is there already is checked at
    /// the end of each statement.
    pub in_one_piece: bool,
}

/// What happens to a table's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopyPlan {
    /// All rows are copied.
    Copy,
    /// An earlier run has copied a part; the rest follows.
    Resume,
    /// This source's rows are there already.
    Done,
    /// This source's rows are there, and this plan's changes make of them what the mapping says by now.
    Convert,
    /// Rows of an earlier state of the source are there, or rows that were read by another mapping.
    SourceChanged,
    /// Rows that are not ours are there.
    Occupied,
}

impl TablePlan {
    pub(super) fn new(
        table: &TableCopy,
        desired: &Desired,
        live: &Live,
        audit: &Audit,
        changes: &[Change],
    ) -> TablePlan {
        let target_rows = live.rows.get(&table.target).copied();
        let former = desired.former.iter().find(|former| former.table == table.target);
        let former = former.cloned().unwrap_or_default();
        let copy = decide((table, &former), target_rows, live, audit, changes);
        let goes_on = matches!(copy, CopyPlan::Done | CopyPlan::Convert | CopyPlan::Resume);
        let state = live.copies.get(&table.target).filter(|_| goes_on);
        TablePlan {
            source: table.source.clone(),
            target: table.target.clone(),
            target_schema: desired.schema.name.clone(),
            columns: table.columns.clone(),
            insert: render::insert_plan(&desired.schema.name, table),
            source_rows: table.rows,
            target_rows,
            rejected_rows: state.map_or(0, |state| state.rejected),
            copy,
            wave: 0,
            in_one_piece: false,
        }
    }

    /// Whether the table holds rows that others may be at by now: a copy that is still made is nobody else's business.
    pub(super) fn is_in_use(&self) -> bool {
        let is_whole = matches!(self.copy, CopyPlan::Done | CopyPlan::Convert);
        is_whole && self.target_rows.is_some_and(|rows| rows > 0)
    }

    /// The rows that are there do not say what the mapping wants of the source.
    pub(super) fn recopy(&mut self) {
        if matches!(self.copy, CopyPlan::Done | CopyPlan::Convert | CopyPlan::Resume) {
            self.copy = CopyPlan::SourceChanged;
        }
    }

    /// Why the table's rows forbid the plan, if they do.
    pub(super) fn blocker(&self) -> Option<Finding> {
        (self.copy == CopyPlan::Occupied).then(|| Finding {
            severity: Severity::Blocker,
            code: "target-has-rows",
            message: format!(
                "{} holds rows ({}) that no copy of this source has written. Empty it, or choose another --target or \
                 --schema",
                self.target,
                self.target_rows.unwrap_or(0)
            ),
        })
    }
}

/// What has to go so that tables can be copied anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StartOver {
    /// Target tables whose rows go, and with them what the ledger knows of them.
    pub emptied: Vec<String>,
    /// Target tables that have no rows: of them only the ledger knows something.
    pub forgotten: Vec<String>,
}

impl StartOver {
    /// Of these tables those of an earlier state of the source, and where `with_rejected` says so those whose copy is
    /// whole but for rejected rows; with all that refer to them, since PostgreSQL empties no table without these.
    pub(super) fn of(tables: &[TablePlan], live: &Live, with_rejected: bool) -> StartOver {
        let rejected =
            |table: &TablePlan| with_rejected && table.copy == CopyPlan::Done && table.rejected_rows > 0;
        let is_empty = |table: &TablePlan| table.target_rows == Some(0);
        let goes = |table: &&TablePlan| {
            table.copy == CopyPlan::SourceChanged || (rejected(table) && !is_empty(table))
        };
        let mut emptied: BTreeSet<&str> =
            tables.iter().filter(goes).map(|table| table.target.as_str()).collect();
        loop {
            let refers =
                |table: &&TablePlan| parents(live, &table.target).any(|parent| emptied.contains(&**parent));
            let more: Vec<&str> = tables.iter().filter(refers).map(|table| table.target.as_str()).collect();
            let before = emptied.len();
            emptied.extend(more);
            if emptied.len() == before {
                break;
            }
        }
        let names = |wanted: &dyn Fn(&TablePlan) -> bool| {
            tables.iter().filter(|table| wanted(table)).map(|table| table.target.clone()).collect()
        };
        let is_emptied = |table: &TablePlan| emptied.contains(table.target.as_str());
        StartOver {
            emptied: names(&is_emptied),
            forgotten: names(&|table| rejected(table) && is_empty(table) && !is_emptied(table)),
        }
    }

    /// The same tables under the names that they still have.
    #[must_use]
    pub fn there(&self, former: &Former) -> StartOver {
        let there = |tables: &[String]| tables.iter().map(|table| former.table(table).to_owned()).collect();
        StartOver { emptied: there(&self.emptied), forgotten: there(&self.forgotten) }
    }

    /// Whether nothing has to go.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.emptied.is_empty() && self.forgotten.is_empty()
    }
}

/// The tables that a table's foreign keys refer to in the target as it is.
fn parents<'a>(live: &'a Live, table: &str) -> impl Iterator<Item = &'a String> {
    live.catalogue.tables.get(table).into_iter().flat_map(|table| &table.parents)
}

/// Puts each table into the wave after those of its parents; gives the tables that wait for one another.
pub(super) fn order_waves(tables: &mut [TablePlan], live: &Live) -> Vec<String> {
    for table in &mut *tables {
        table.in_one_piece = parents(live, &table.target).any(|parent| *parent == table.target);
    }
    // Kahn's order: each table after the last of its parents.
    let positions: BTreeMap<String, usize> =
        tables.iter().enumerate().map(|(at, table)| (table.target.clone(), at)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); tables.len()];
    let mut waits_for: Vec<usize> = vec![0; tables.len()];
    for (at, table) in tables.iter().enumerate() {
        for parent in parents(live, &table.target).filter_map(|parent| positions.get(parent)) {
            if *parent != at {
                children[*parent].push(at);
                waits_for[at] += 1;
            }
        }
    }
    let mut ready: Vec<usize> = (0..tables.len()).filter(|at| waits_for[*at] == 0).collect();
    let mut wave = 0;
    while !ready.is_empty() {
        let mut next = Vec::new();
        for at in ready {
            tables[at].wave = wave;
            for child in &children[at] {
                waits_for[*child] -= 1;
                if waits_for[*child] == 0 {
                    next.push(*child);
                }
            }
        }
        ready = next;
        wave += 1;
    }
    let in_cycle = (0..tables.len()).filter(|at| waits_for[*at] > 0);
    in_cycle.map(|at| tables[at].target.clone()).collect()
}

fn decide(
    (table, former): (&TableCopy, &FormerNames),
    target_rows: Option<u64>,
    live: &Live,
    audit: &Audit,
    changes: &[Change],
) -> CopyPlan {
    let Some(target_rows) = target_rows else {
        return CopyPlan::Copy;
    };
    let Some(state) = live.copies.get(&table.target) else {
        return if target_rows == 0 { CopyPlan::Copy } else { CopyPlan::Occupied };
    };
    let content = &audit.fingerprint.content_digest;
    let retyped = changes
        .iter()
        .any(|change| matches!(change, Change::AlterType { table: of, .. } if *of == table.target));
    // A row that was rejected may be one that is wanted by now.
    let lacks_rows = state.rejected > 0 && (retyped || !table.rejects());
    let is_it = table.accepts(content, &state.digest, former, state.rejected > 0);
    match state.finished {
        // Emptied since: nothing of ours is left to go on from.
        _ if target_rows == 0 && (state.rows > 0 || !is_it) => CopyPlan::Copy,
        _ if lacks_rows => CopyPlan::SourceChanged,
        true if !is_it => CopyPlan::SourceChanged,
        true if retyped => CopyPlan::Convert,
        true => CopyPlan::Done,
        false if state.digest != table.digest(content) => CopyPlan::SourceChanged,
        false => CopyPlan::Resume,
    }
}
