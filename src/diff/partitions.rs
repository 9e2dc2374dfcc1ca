//! How rows lie on partitions: a partition that is missing, or a table that is to be laid out otherwise.
//!
//! A partition that our versions made is held against what is wanted; one that was made by hand stays, and serves where it
//! holds what a wanted one would.

use std::collections::{BTreeMap, BTreeSet};

use super::{Difference, objects::Pair};
use crate::{
    inspect::{Hangers, LiveTable},
    schema::{Change, Layout, Partition, Partitioning, covers, overlap},
};

/// What becomes of a table's partitions.
enum Outcome {
    /// They are as they should be, but for these.
    Lacks(Vec<Partition>),
    /// They are somebody else's, and stay.
    Kept,
    /// The table is to be laid out otherwise.
    Relaid,
}

/// Finds what is to become of the partitions; gives the tables that are laid out otherwise.
pub(super) fn compare(
    there: &[Pair<'_>],
    hangers: &BTreeMap<String, Hangers>,
    is_ours: &dyn Fn(&str) -> bool,
    difference: &mut Difference,
) -> BTreeSet<String> {
    let mut relaid = BTreeSet::new();
    for pair in there {
        let Pair { table, normal, live } = pair;
        let outcome = match (&table.partitioning, &live.partition_key) {
            (None, None) => continue,
            (None, Some(_)) if live.partitions.keys().any(|name| is_ours(name)) => Outcome::Relaid,
            (None, Some(_)) => Outcome::Kept,
            (Some(_), found) if *found != normal.partition_key => Outcome::Relaid,
            (Some(_), _) => lacking(pair, is_ours, difference),
        };
        let column = table.partitioning.as_ref().map(|partitioning| partitioning.column.as_str());
        let is_retyped = |change: &Change| match change {
            Change::AlterType { table: of, column: retyped, .. } => {
                *of == table.name && column == Some(retyped.name.as_str())
            }
            _ => false,
        };
        if live.partition_key.is_some() && difference.changes.iter().any(is_retyped) {
            difference.changes.retain(|change| !is_retyped(change));
            difference.beyond.push(format!(
                "{}.{}: PostgreSQL gives no other type to the column by which a table is partitioned. Take `partition_by` out \
                 of the mapping and apply that, change the type and apply, then bring `partition_by` back",
                table.name,
                column.unwrap_or_default()
            ));
        }
        match outcome {
            // The mapping says nothing of it, and how rows lie changes nothing of what they say.
            Outcome::Kept => {}
            Outcome::Lacks(missing) => difference.changes.extend(missing.into_iter().map(|partition| {
                let column = column.unwrap_or_default().to_owned();
                Change::AddPartition { table: table.name.clone(), column, partition }
            })),
            Outcome::Relaid => {
                let hangers = hangers.get(&table.name).cloned().unwrap_or_default();
                relaid.insert(table.name.clone());
                relay(pair, hangers, difference);
            }
        }
    }
    relaid
}

/// The wanted partitions that are not there.
fn lacking(pair: &Pair<'_>, is_ours: &dyn Fn(&str) -> bool, difference: &mut Difference) -> Outcome {
    let Pair { table, live, .. } = pair;
    let mut missing = Vec::new();
    for wanted in table.partitions() {
        if live.partitions.values().any(|bounds| *bounds == wanted.bounds) {
            continue;
        }
        let in_its_place: Vec<(&String, &String)> =
            live.partitions.iter().filter(|(_, bounds)| overlap(bounds, &wanted.bounds)).collect();
        if in_its_place.iter().any(|(name, _)| is_ours(name)) {
            return Outcome::Relaid;
        }
        match in_its_place[..] {
            [] => missing.push(wanted),
            [(_, bounds)] if covers(bounds, &wanted.bounds) => {}
            [(name, bounds), ..] => difference.beyond.push(format!(
                "partition {} of {} {}: it would overlap with {name} ({bounds}), which was not made here. Choose another \
                 `every`, or lay that one out by hand",
                wanted.name, table.name, wanted.bounds
            )),
        }
    }
    Outcome::Lacks(missing)
}

/// The table is made anew, with partitions for the rows that are there too.
fn relay(pair: &Pair<'_>, hangers: Hangers, difference: &mut Difference) {
    let Pair { table, normal, live } = pair;
    let Hangers { days, lost } = hangers;
    if !lost.is_empty() {
        difference.beyond.push(format!(
            "table {}: to lie on other partitions it has to be made anew, and this would go: {}. Drop it and make it again \
             afterwards, or leave `partition_by` as it was",
            table.name,
            lost.join(", ")
        ));
    }
    let to = match &table.partitioning {
        None => Layout { key: None, partitions: Vec::new() },
        Some(partitioning) => {
            let partitioning: Partitioning = partitioning.reaching(days);
            let key = normal.partition_key.clone().or_else(|| Some(partitioning.key()));
            Layout { key, partitions: partitioning.partitions(&table.name) }
        }
    };
    let LiveTable { partition_key, partitions, comment, .. } = live;
    let partitions = partitions.iter();
    let from = Layout {
        key: partition_key.clone(),
        partitions: partitions
            .map(|(name, bounds)| Partition { name: name.clone(), bounds: bounds.clone() })
            .collect(),
    };
    let (table, comment) = (table.name.clone(), comment.clone());
    let mut relaid = Change::Repartition { table, columns: Vec::new(), comment, from, to };
    let by_then = columns_by_then(live, &relaid, &difference.changes);
    if let Change::Repartition { columns, .. } = &mut relaid {
        *columns = by_then;
    }
    difference.changes.push(relaid);
}

/// The columns that hold values of their own when a table is made anew, where others are generated; none where all do.
fn columns_by_then(live: &LiveTable, relaid: &Change, changes: &[Change]) -> Vec<String> {
    // A column, and whether it is generated.
    let mut columns: Vec<(String, bool)> =
        live.columns.iter().map(|column| (column.name.clone(), !column.generated.is_empty())).collect();
    let mut before: Vec<&Change> = changes
        .iter()
        .filter(|change| change.table() == relaid.table() && change.rank() <= relaid.rank())
        .collect();
    before.sort_by_key(|change| change.rank());
    for change in before {
        match change {
            Change::DropColumn { column, .. } => columns.retain(|(name, _)| name != column),
            Change::AddColumn { column, .. } => {
                columns.push((column.name.clone(), column.generated.is_some()));
            }
            Change::DropExpression { column, .. } => {
                columns
                    .iter_mut()
                    .filter(|(name, _)| name == column)
                    .for_each(|(_, generated)| *generated = false);
            }
            _ => {}
        }
    }
    if columns.iter().all(|(_, generated)| !generated) {
        return Vec::new();
    }
    columns.into_iter().filter(|(_, generated)| !generated).map(|(name, _)| name).collect()
}
