//! Partitions: the mapping's `partition_by` as far as the source's rows reach, and what PostgreSQL wants of a partitioned
//! table's keys (its manual, 5.11.2.3 "Limitations").

use std::collections::BTreeSet;

use super::{Draft, keys};
use crate::{
    mapping::Mistake,
    schema::{Finding, IndexKey, MOST_PARTITIONS, Partitioning, Schema, Severity, Table},
};

/// How a table is to be partitioned; `None`: it is an ordinary table, or what the mapping says cannot be.
pub(super) fn partitioning(
    draft: &Draft<'_>,
    findings: &mut Vec<Finding>,
    mistakes: &mut Vec<Mistake>,
) -> Option<Partitioning> {
    let entry = draft.entry?.partition_by.as_ref()?;
    let audit = draft.audit;
    let Some(at) = draft.position(&entry.column.value) else {
        let what = format!("column of table {}", audit.name);
        let known = audit.columns.iter().map(|column| column.name.as_str());
        mistakes.push(Mistake::unknown(&entry.column.place, &what, &entry.column.value, known));
        return None;
    };
    let (column, settled) = (&audit.columns[at], &draft.settled[at]);
    if !Partitioning::takes(settled.pg_type) {
        findings.push(blocker(
            "partition-column",
            format!(
                "{}.{} becomes {}, and partitions are by ranges of a date, timestamp or timestamptz. Say such a `type` under \
                 `columns`, or take `partition_by` away",
                audit.name, column.name, settled.pg_type
            ),
        ));
        return None;
    }
    let days = column.days(settled.pg_type, &settled.reading).unwrap_or_else(|why| {
        findings.push(keys::warning(
            "partitions-not-known",
            format!(
                "{}.{}: how far its values reach is not known, since {why}: all rows go to the default partition",
                audit.name, column.name
            ),
        ));
        None
    });
    let (name, pg_type) = (draft.column_names[at].clone(), settled.pg_type);
    let partitioning = Partitioning { column: name, pg_type, every: entry.every, days };
    if partitioning.is_too_many() {
        findings.push(blocker(
            "too-many-partitions",
            format!(
                "{}.{}: a partition for each {} between the lowest and the highest value would be more than {MOST_PARTITIONS}. \
                 Choose a longer `every`, or correct the values that are far from the others",
                audit.name,
                column.name,
                entry.every.word()
            ),
        ));
        return Some(Partitioning { days: None, ..partitioning });
    }
    Some(partitioning)
}

/// What of the schema PostgreSQL would refuse on its partitioned tables.
pub(super) fn check(schema: &mut Schema, findings: &mut Vec<Finding>) {
    let referring: Vec<(String, String, Vec<String>, String)> = schema
        .tables
        .iter()
        .flat_map(|table| table.foreign_keys.iter().map(|key| (table.name.clone(), key)))
        .map(|(table, key)| (key.parent_table.clone(), key.name.clone(), key.parent_columns.clone(), table))
        .collect();
    let taken: BTreeSet<String> = schema
        .tables
        .iter()
        .flat_map(|table| {
            let keys = table.keys.iter().map(|key| &key.name);
            let indexes = table.indexes.iter().map(|index| &index.name);
            std::iter::once(&table.name).chain(keys).chain(indexes)
        })
        .cloned()
        .collect();
    for table in schema.tables.iter_mut().filter(|table| table.partitioning.is_some()) {
        let Some(column) = table.partitioning.as_ref().map(|partitioning| partitioning.column.clone()) else {
            continue;
        };
        let lacking = lacking(table, &column);
        for (what, columns) in &lacking {
            let wanted: BTreeSet<&String> = columns.iter().collect();
            let refers = |(parent, _, columns, _): &&(String, String, Vec<String>, String)| {
                *parent == table.name && columns.iter().collect::<BTreeSet<_>>() == wanted
            };
            let referring: Vec<String> = referring
                .iter()
                .filter(refers)
                .map(|(_, name, _, child)| format!("; foreign key {name} of {child} refers to it"))
                .collect();
            findings.push(blocker(
                "key-lacks-partition-column",
                format!(
                    "{what} of {} ({}) does not hold {column}, by which the table is to be partitioned, and PostgreSQL can \
                     only tell within a partition that no two rows are equal{}. Partition by a column of it, let it hold \
                     {column} too, or take `partition_by` away",
                    table.name,
                    columns.join(", "),
                    referring.join("")
                ),
            ));
        }
        // The rest of the plan is told all the same.
        if !lacking.is_empty() {
            table.partitioning = None;
            continue;
        }
        // A foreign key that rows break cannot be kept for new rows alone.
        let (kept, left_out): (Vec<_>, Vec<_>) =
            std::mem::take(&mut table.foreign_keys).into_iter().partition(|key| key.valid);
        table.foreign_keys = kept;
        findings.extend(left_out.iter().map(|key| {
            keys::warning(
                "foreign-key-left-out",
                format!(
                    "foreign key {} of {} is left out: it would have to stay NOT VALID, which a partitioned table does not \
                     take",
                    key.name, table.name
                ),
            )
        }));
        let clash = table.partitions().into_iter().find(|partition| taken.contains(&partition.name));
        findings.extend(clash.map(|partition| {
            blocker(
                "name-taken",
                format!(
                    "a partition of {} would be named {}, as another table or index is. Rename that one, or choose another \
                     `every`",
                    table.name, partition.name
                ),
            )
        }));
    }
}

/// Keys and unique indexes without the column, each with its columns.
fn lacking(table: &Table, column: &str) -> Vec<(String, Vec<String>)> {
    let kind = |primary: bool| if primary { "the primary key" } else { "the unique constraint" };
    let keys =
        table.keys.iter().map(|key| (format!("{} {}", kind(key.primary), key.name), key.columns.clone()));
    let indexes = table.indexes.iter().filter(|index| index.unique).map(|index| {
        let columns = index.parts.iter().filter_map(|part| match &part.key {
            IndexKey::Column(name) => Some(name.clone()),
            IndexKey::Expression(_) => None,
        });
        (format!("the unique index {}", index.name), columns.collect())
    });
    keys.chain(indexes)
        .filter(|(_, columns): &(_, Vec<String>)| !columns.iter().any(|name| name == column))
        .collect()
}

fn blocker(code: &'static str, message: String) -> Finding {
    Finding { severity: Severity::Blocker, code, message }
}
