//! Constraints and indexes: missing, not as they should be, or in nobody's mapping.

use std::collections::BTreeSet;

use super::{Difference, generated::columns_made_anew, types::Types};
use crate::{
    inspect::{Definition, LiveTable},
    schema::{Change, ForeignKey, Table},
    target::identifiers,
};

/// A table that is there, from both sides.
pub(super) struct Pair<'a> {
    pub(super) table: &'a Table,
    /// As it should be, in PostgreSQL's words.
    pub(super) normal: &'a LiveTable,
    /// As it is.
    pub(super) live: &'a LiveTable,
}

/// What keys, indexes and foreign keys make of a table, partitioned or not.
pub(super) fn additions(table: &Table, partitioned: bool) -> Vec<Change> {
    let name = || table.name.clone();
    let keys = table.keys.iter().map(|key| Change::AddKey { table: name(), key: key.clone() });
    let mut changes: Vec<Change> = keys.collect();
    changes.extend(
        table.indexes.iter().map(|index| Change::CreateIndex { table: name(), index: index.clone() }),
    );
    for foreign_key in &table.foreign_keys {
        let foreign_key = foreign_key.clone();
        let (name_of_it, is_valid) = (foreign_key.name.clone(), foreign_key.valid);
        changes.push(Change::AddForeignKey { table: name(), foreign_key, at_once: partitioned });
        if is_valid && !partitioned {
            changes.push(Change::ValidateForeignKey { table: name(), name: name_of_it });
        }
    }
    changes
}

/// Columns and keys that become others, so that what hangs on them has to let go.
pub(super) struct Unsettled {
    /// Table and column.
    columns: BTreeSet<(String, String)>,
    /// Table and column, of those that are dropped and added again.
    made_anew: BTreeSet<(String, String)>,
    /// Table, and the words of a key or unique index that goes or is replaced: its columns among them.
    keys: Vec<(String, BTreeSet<String>)>,
    /// Tables that are made anew, to be laid out otherwise.
    relaid: BTreeSet<String>,
}

impl Unsettled {
    /// `goes` says whether an object of that name may go where nobody wants it; `relaid` are the tables that are laid out
    /// otherwise.
    pub(super) fn of(
        changes: &[Change],
        there: &[Pair<'_>],
        goes: &dyn Fn(&str) -> bool,
        relaid: BTreeSet<String>,
    ) -> Unsettled {
        let retyped = changes.iter().filter_map(|change| match change {
            Change::AlterType { table, column, conversion, .. } if conversion.rewrites => {
                Some((table.clone(), column.name.clone()))
            }
            _ => None,
        });
        let keys = there.iter().flat_map(|Pair { table, normal, live }| {
            let objects =
                [(&normal.constraints, &live.constraints), (&normal.indexes, &live.indexes)].into_iter();
            objects
                .flat_map(|(wanted, found)| {
                    found.iter().map(move |(name, found)| (wanted.get(name), name, found))
                })
                .filter(|(wanted, name, found)| {
                    let stays = |wanted: &Definition| wanted.sql == found.sql && found.valid;
                    is_unique(found) && !wanted.map_or_else(|| !goes(name), stays)
                })
                .map(|(_, _, found)| {
                    (table.name.clone(), migration::identifiers(&found.sql).into_iter().collect())
                })
                .collect::<Vec<_>>()
        });
        let made_anew = columns_made_anew(changes);
        let columns = retyped.chain(made_anew.iter().cloned()).collect();
        Unsettled { columns, made_anew, keys: keys.collect(), relaid }
    }

    /// Whether any of a table's columns gets another type, or the table is made anew.
    fn retypes(&self, table: &str) -> bool {
        self.relays(table) || self.columns.iter().any(|(retyped, _)| retyped == table)
    }

    /// Whether the table is made anew, so that all its keys and indexes are.
    fn relays(&self, table: &str) -> bool {
        self.relaid.contains(table)
    }

    /// Whether an object of a table goes with a column that is made anew.
    fn takes_along(&self, table: &str, object: &Definition) -> bool {
        let mut of_table = self.made_anew.iter().filter(|(of, _)| of == table).peekable();
        if of_table.peek().is_none() {
            return false;
        }
        let mentioned = identifiers(&object.sql);
        of_table.any(|(_, column)| mentioned.contains(column))
    }

    fn stops(&self, table: &str, foreign_key: &ForeignKey) -> bool {
        let retyped = |table: &str, columns: &[String]| {
            columns.iter().any(|column| self.columns.contains(&(table.to_owned(), column.clone())))
        };
        let ForeignKey { parent_table, parent_columns, columns, .. } = foreign_key;
        self.relays(table)
            || self.relays(parent_table)
            || retyped(table, columns)
            || retyped(parent_table, parent_columns)
            || self.keys.iter().any(|(table, words)| {
                table == parent_table && parent_columns.iter().all(|column| words.contains(column))
            })
    }
}

/// Whether a foreign key can hang on it.
fn is_unique(found: &Definition) -> bool {
    ["PRIMARY KEY", "UNIQUE", "CREATE UNIQUE INDEX"].iter().any(|kind| found.sql.starts_with(kind))
}

/// `goes` says whether an object of that name may go where nobody wants it.
pub(super) fn compare(
    pair: &Pair<'_>,
    goes: &dyn Fn(&str) -> bool,
    (unsettled, types): (&Unsettled, &Types),
    difference: &mut Difference,
) {
    let Pair { table, normal, live } = pair;
    let checks =
        table.checks.iter().map(|check| Change::AddCheck { table: table.name.clone(), check: check.clone() });
    // Partitions that were made by hand stay, where the mapping has none.
    let partitioned = match unsettled.relays(&table.name) {
        true => table.partitioning.is_some(),
        false => live.partition_key.is_some(),
    };
    // PostgreSQL takes an index away with a column of it, so an index that becomes another makes way before.
    let loses_columns = difference
        .changes
        .iter()
        .any(|change| matches!(change, Change::DropColumn { .. }) && change.table() == table.name);
    let makes_way = loses_columns || unsettled.retypes(&table.name);
    let mut wanted_names = BTreeSet::new();
    for change in checks.chain(additions(table, partitioned)) {
        let Some(name) = name_of(&change) else { continue };
        wanted_names.insert(name.to_owned());
        let is_index = matches!(change, Change::CreateIndex { .. });
        let (wanted, found) = match is_index {
            true => (normal.indexes.get(name), live.indexes.get(name)),
            false => (normal.constraints.get(name), live.constraints.get(name)),
        };
        let Some(found) = found else {
            difference.changes.push(change);
            continue;
        };
        let is_as_wanted = wanted.is_some_and(|wanted| wanted.sql == found.sql) && !types.stops(&found.sql);
        let is_stopped = unsettled.takes_along(&table.name, found)
            || match &change {
                Change::AddKey { .. } | Change::CreateIndex { .. } => unsettled.relays(&table.name),
                Change::AddForeignKey { foreign_key, .. } => unsettled.stops(&table.name, foreign_key),
                Change::ValidateForeignKey { name, .. } => table.foreign_keys.iter().any(|foreign_key| {
                    foreign_key.name == *name && unsettled.stops(&table.name, foreign_key)
                }),
                _ => false,
            };
        match change {
            // The foreign key is made anew, and has been told to go already.
            Change::ValidateForeignKey { .. } if is_stopped || !is_as_wanted => {
                difference.changes.push(change);
            }
            Change::ValidateForeignKey { .. } => {
                if !found.valid {
                    difference.changes.push(change);
                }
            }
            // An index that is invalid is what a failed build has left, and serves nobody.
            Change::CreateIndex { .. } if is_as_wanted && found.valid && !is_stopped => {}
            Change::AddCheck { .. } | Change::AddKey { .. } | Change::AddForeignKey { .. }
                if is_as_wanted && !is_stopped => {}
            Change::CreateIndex { table, index } if !makes_way => {
                let definition = found.sql.clone();
                difference.changes.push(Change::ReplaceIndex { table, index, definition });
            }
            change => {
                difference.changes.extend(gone(
                    &table.name,
                    name_of(&change),
                    found,
                    is_index.then_some(true),
                ));
                difference.changes.push(change);
            }
        }
    }
    for (objects, is_index) in [(&live.constraints, false), (&live.indexes, true)] {
        for (name, found) in objects.iter().filter(|(name, _)| !wanted_names.contains(*name)) {
            if goes(name) {
                let index = is_index.then_some(makes_way);
                difference.changes.extend(gone(&table.name, Some(name), found, index));
            } else if unsettled.relays(&table.name) && (is_index || !found.sql.starts_with("CHECK")) {
                difference.beyond.push(format!(
                    "table {}: to lie on other partitions it has to be made anew, and {name} would go, which was not made \
                     here. Drop it and make it again afterwards, or leave `partition_by` as it was",
                    table.name
                ));
            } else {
                let kind = if is_index { "index" } else { "constraint" };
                if unsettled.takes_along(&table.name, found) {
                    difference.beyond.push(format!(
                        "{kind} {name} on {}: a column of it is made anew, and would take it along; drop it, and make it again \
                         afterwards (`prune: true` in the mapping drops it)",
                        table.name
                    ));
                }
                difference.kept.push(format!("{kind} {name} on {}", table.name));
            }
        }
    }
}

/// The name of the constraint or index that a change makes.
fn name_of(change: &Change) -> Option<&str> {
    match change {
        Change::AddCheck { check, .. } => Some(&check.name),
        Change::AddKey { key, .. } => Some(&key.name),
        Change::AddForeignKey { foreign_key, .. } => Some(&foreign_key.name),
        Change::ValidateForeignKey { name, .. } => Some(name),
        Change::CreateIndex { index, .. } => Some(&index.name),
        _ => None,
    }
}

/// The change that takes a constraint or an index away; of an index, whether it stands in the way of others.
fn gone(table: &str, name: Option<&str>, found: &Definition, index: Option<bool>) -> Option<Change> {
    let (table, name, definition) = (table.to_owned(), name?.to_owned(), found.sql.clone());
    Some(match index {
        Some(in_the_way) => Change::DropIndex { table, name, definition, in_the_way },
        None => Change::DropConstraint { table, name, definition },
    })
}
