//! The difference between the target as it should be and as it is. Pure.
//!
//! Both sides come in PostgreSQL's own words ([`Catalogue`]), so that equal means equal; what a difference asks for is
//! taken from the [`Desired`] schema, which can be written as SQL.

mod columns;
mod comments;
mod generated;
mod objects;
mod partitions;
mod renames;
mod staged;
mod types;
mod words;

use std::collections::{BTreeMap, BTreeSet};

pub use renames::Former;
use renames::Renamed;

use crate::{
    inspect::{Catalogue, EnumUse, Hangers},
    schema::{Change, Desired, Table, render},
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
    /// The target's tables once the declared renames are made, which come first.
    pub renamed: Catalogue,
    /// What the target calls those until then.
    pub former: Former,
}

/// The target as it is, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its tables.
    pub catalogue: &'a Catalogue,
    /// How many rows each holds; none where it is not named.
    pub rows: &'a BTreeMap<String, u64>,
    /// What would have to come along, of tables that may be laid out on other partitions.
    pub hangers: &'a BTreeMap<String, Hangers>,
    /// Columns, each with its table, whose place no new one can take.
    pub irreplaceable: &'a BTreeSet<(String, String)>,
    /// The names of what is ours, tables, constraints and indexes, and perhaps of other things, and the statements that made
    /// our comments; `None`: all is. What is somebody else's is added to, and never altered.
    pub ours: Option<&'a BTreeSet<String>>,
    /// The enumerated types of the schema.
    pub enums: &'a [EnumUse],
    /// Those among them that our versions made; `None`: all are ours.
    pub our_types: Option<&'a BTreeSet<String>>,
}

/// Finds the changes that make the target what it should be.
///
/// `normal` is the desired schema in PostgreSQL's words. What the target has beside the desired objects is its own business
/// and stays, unless the mapping says `prune`; but constraints and indexes that our own versions made go with the wish.
#[must_use]
pub fn between(desired: &Desired, normal: &Catalogue, found: Found<'_>) -> Difference {
    let Found { catalogue, rows, hangers, ours, .. } = found;
    let Renamed { changes, catalogue: live, former } = renames::rename(desired, normal, catalogue, ours);
    let rows = former.renamed(rows);
    // What has a new name belongs to whom it belonged to.
    let ours = ours.map(|ours| renames::renamed_names(ours, &changes));
    let is_ours = |name: &str| ours.as_ref().is_none_or(|ours| ours.contains(name));
    // Whatever the object was called when it was said.
    let is_our_comment = |text: &str| {
        let said = render::comment_is(text);
        let is_it = |name: &String| name.starts_with(render::COMMENT_ON) && name.ends_with(&said);
        ours.as_ref().is_none_or(|ours| ours.iter().any(is_it))
    };
    let mut difference = Difference { changes, ..Difference::default() };
    let types = types::Types::compare(desired, &found, &mut difference);
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
        columns::compare(pair, desired, (&types, is_empty), &mut difference);
    }
    // A foreign key stands in the way of what becomes of its columns at either end.
    let relaid = partitions::compare(&there, &former.renamed(hangers), &is_ours, &mut difference);
    let goes = |name: &str| desired.prune || is_ours(name);
    let unsettled = objects::Unsettled::of(&difference.changes, &there, &goes, relaid);
    for pair in &there {
        objects::compare(pair, &goes, (&unsettled, &types), &mut difference);
        comments::compare(pair, &|text: &str| desired.prune || is_our_comment(text), &mut difference);
    }
    let is_irreplaceable = |table: &str, column: &str| {
        found
            .irreplaceable
            .contains(&(former.table(table).to_owned(), former.column(table, column).to_owned()))
    };
    for pair in &there {
        staged::stage(pair, &is_irreplaceable, &mut difference);
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
    // A type is somebody's by itself, whoever made the tables.
    difference.changes = types.finish(desired, (&found, &live), &changes);
    difference.changes.extend(changes);
    difference.changes.sort_by_key(Change::rank);
    (difference.renamed, difference.former) = (live, former);
    difference
}

/// All changes that make a table out of nothing.
#[must_use]
pub fn creation(table: &Table) -> Vec<Change> {
    let mut changes = vec![Change::CreateTable(table.clone())];
    if let Some(partitioning) = &table.partitioning {
        changes.extend(table.partitions().into_iter().map(|partition| {
            let (table, column) = (table.name.clone(), partitioning.column.clone());
            Change::AddPartition { table, column, partition }
        }));
    }
    changes.extend(objects::additions(table, table.partitioning.is_some()));
    changes.extend(comments::additions(table));
    changes
}
