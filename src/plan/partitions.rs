//! Which partitions each table has once its changes are made: indexes and keys are built on each of them.

use std::collections::BTreeMap;

use crate::{
    inspect::Live,
    schema::{Change, Layout},
};

/// The partitions' names of every table that is partitioned by then.
pub(super) fn by_then(changes: &[Change], live: &Live) -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for (name, table) in &live.catalogue.tables {
        if table.partition_key.is_some() {
            all.insert(name.clone(), table.partitions.keys().cloned().collect());
        }
    }
    // Made anew, a table has no partition that it had before.
    for change in changes {
        match change {
            Change::Repartition { table, to: Layout { key: None, .. }, .. } => {
                all.remove(table);
            }
            Change::Repartition { table, to: Layout { partitions, .. }, .. } => {
                let names = partitions.iter().map(|partition| partition.name.clone());
                all.insert(table.clone(), names.collect::<Vec<String>>());
            }
            Change::AddPartition { table, partition, .. } => {
                all.entry(table.clone()).or_default().push(partition.name.clone());
            }
            _ => {}
        }
    }
    all
}
