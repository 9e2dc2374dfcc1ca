//! The difference between the target as it should be and as it is. Pure.
//!
//! Both sides come in PostgreSQL's own words ([`Catalogue`]), so that equal means equal; what a difference asks for is
//! taken from the [`Desired`] schema, which can be written as SQL.

mod columns;
mod objects;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    inspect::Catalogue,
    schema::{Change, Desired, Table},
};

/// What separates the target from the desired schema.
#[derive(Debug, Clone, Default)]
pub struct Difference {
    /// Changes, in the order in which they can be made.
    pub changes: Vec<Change>,
    /// Differences that no change here can mend, each a sentence with its table and column.
    pub beyond: Vec<String>,
    /// Tables whose rows would have to be copied anew, each with the reason.
    pub recopied: BTreeMap<String, String>,
    /// What the target has beside the desired objects and keeps, since the mapping does not say `prune`.
    pub kept: Vec<String>,
}

/// The target as it is, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its tables.
    pub catalogue: &'a Catalogue,
    /// How many rows each holds; none where it is not named.
    pub rows: &'a BTreeMap<String, u64>,
    /// The names of what is ours, tables, constraints and indexes, and perhaps of other things; `None`: all is. What is
    /// somebody else's is added to, and never altered.
    pub ours: Option<&'a BTreeSet<String>>,
}

/// Finds the changes that make the target what it should be.
///
/// `normal` is the desired schema in PostgreSQL's words. What the target has beside the desired objects is its own business
/// and stays, unless the mapping says `prune`; but constraints and indexes that our own versions made go with the wish.
#[must_use]
pub fn between(desired: &Desired, normal: &Catalogue, found: Found<'_>) -> Difference {
    let Found { catalogue: live, rows, ours } = found;
    let is_ours = |name: &str| ours.is_none_or(|ours| ours.contains(name));
    let mut difference = Difference::default();
    let mut there = Vec::new();
    for table in &desired.schema.tables {
        match (normal.tables.get(&table.name), live.tables.get(&table.name)) {
            (_, None) => difference.changes.extend(creation(table)),
            (Some(normal), Some(live)) => there.push(objects::Pair { table, normal, live }),
            (None, Some(_)) => {
                difference
                    .beyond
                    .push(format!("table {} could not be put in PostgreSQL's words", table.name));
            }
        }
    }
    for pair in &there {
        let is_empty = rows.get(&pair.table.name).is_none_or(|&rows| rows == 0);
        columns::compare(pair, desired, is_empty, &mut difference);
    }
    // A foreign key stands in the way of what becomes of its columns at either end.
    let goes = |name: &str| desired.prune || is_ours(name);
    let unsettled = objects::Unsettled::of(&difference.changes, &there, &goes);
    for pair in &there {
        objects::compare(pair, &goes, &unsettled, &mut difference);
    }
    let (changes, others): (Vec<Change>, Vec<Change>) =
        difference.changes.into_iter().partition(|change| !change.alters() || is_ours(change.table()));
    difference.beyond.extend(others.iter().map(|change| {
        format!(
            "{}: {} was not made here, so that it is not altered; do it by hand, or let the mapping say what the target has",
            change.summary(),
            change.table()
        )
    }));
    difference.changes = changes;
    difference.changes.sort_by_key(Change::rank);
    difference
}

/// All changes that make a table out of nothing.
#[must_use]
pub fn creation(table: &Table) -> Vec<Change> {
    let mut changes = vec![Change::CreateTable(table.clone())];
    changes.extend(objects::additions(table));
    changes
}
