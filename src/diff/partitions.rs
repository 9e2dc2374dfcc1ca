//! How rows lie on partitions: a partition that is missing, or a table that is to be laid out otherwise.
//!
//! A partition that our versions made is held against what is wanted; one that was made by hand stays, and serves where it
//! holds what a wanted one would.

use std::collections::BTreeSet;

use super::{Difference, Found, objects::Pair};
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
    found: Found<'_>,
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
                let hangers = found.hangers.get(&table.name).cloned().unwrap_or_default();
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
    let Hangers { days, lost, comment } = hangers;
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
    let LiveTable { partition_key, partitions, .. } = live;
    // An ordinary table gets its other columns first.
    let is_first = partition_key.is_some();
    let named = |change: &Change| match change {
        Change::AddColumn { table: of, column } if *of == table.name && !is_first => {
            Some(column.name.clone())
        }
        _ => None,
    };
    let is_dropped = |name: &str| {
        difference.changes.iter().any(|change| match change {
            Change::DropColumn { table: of, column, .. } => *of == table.name && column == name && !is_first,
            _ => false,
        })
    };
    let columns =
        live.columns.iter().filter(|column| column.generated.is_empty() && !is_dropped(&column.name));
    let mut columns: Vec<String> = columns
        .map(|column| column.name.clone())
        .chain(difference.changes.iter().filter_map(named))
        .collect();
    if live.columns.iter().all(|column| column.generated.is_empty()) {
        columns.clear();
    }
    let partitions = partitions.iter();
    let from = Layout {
        key: partition_key.clone(),
        partitions: partitions
            .map(|(name, bounds)| Partition { name: name.clone(), bounds: bounds.clone() })
            .collect(),
    };
    let table = table.name.clone();
    difference.changes.push(Change::Repartition { table, columns, comment, from, to });
}
