//! Which columns get their new type beside those who are at the rows ([`Staged`]): those of which a new column can have all
//! that hangs on the old one. The others keep the one statement for which everybody waits.

use std::collections::{BTreeMap, BTreeSet};

use super::{Difference, objects::Pair};
use crate::{
    inspect::LiveColumn,
    schema::{Change, Column, Index, IndexKey, PgType, Staged, StagedIndex, render},
    target::identifiers,
};

/// Stages the new types of a table's columns where that can be done. `is_irreplaceable` says of a table and a column
/// whether the server keeps something of it that a new one would not have.
pub(super) fn stage(
    pair: &Pair<'_>,
    is_irreplaceable: &dyn Fn(&str, &str) -> bool,
    difference: &mut Difference,
) {
    let table = &pair.table.name;
    let retyped: BTreeSet<String> = difference
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::AlterType { table: of, column, .. } if of == table => Some(column.name.clone()),
            _ => None,
        })
        .collect();
    let changes = Changes { table, all: &difference.changes };
    let staged: BTreeMap<String, Staged> = difference
        .changes
        .iter()
        .filter_map(|change| match change {
            Change::AlterType { table: of, column, from, conversion, .. }
                if of == table
                    && conversion.rewrites
                    && !matches!(from, PgType::Enum(_))
                    && !is_irreplaceable(table, &column.name) =>
            {
                Some((column.name.clone(), staged(pair, column, &retyped, &changes)?))
            }
            _ => None,
        })
        .collect();
    difference.changes.retain(|change| !is_part(change, table, &staged));
    for change in &mut difference.changes {
        if let Change::AlterType { table: of, column, staged: how, .. } = change
            && of == table
        {
            *how = staged.get(&column.name).cloned();
        }
    }
}

/// The changes of one table.
struct Changes<'a> {
    table: &'a str,
    all: &'a [Change],
}

impl Changes<'_> {
    fn of_table(&self) -> impl Iterator<Item = &Change> {
        self.all.iter().filter(|change| change.table() == self.table)
    }

    /// Whether a constraint or an index of that name goes.
    fn drop(&self, object: &str) -> bool {
        self.of_table().any(|change| match change {
            Change::DropConstraint { name, .. } | Change::DropIndex { name, .. } => name == object,
            _ => false,
        })
    }

    /// What will be said of a column.
    fn comment(&self, found: &LiveColumn) -> Option<String> {
        let said = self.of_table().find_map(|change| match change {
            Change::SetComment { column: Some(column), comment, .. } if *column == found.name => {
                Some(comment.clone())
            }
            _ => None,
        });
        said.unwrap_or_else(|| found.comment.clone())
    }
}

/// What a new column has to have; `None`: it cannot have all of it.
fn staged(
    pair: &Pair<'_>,
    column: &Column,
    retyped: &BTreeSet<String>,
    changes: &Changes<'_>,
) -> Option<Staged> {
    let Pair { table, live, .. } = pair;
    let found = live.columns.iter().find(|found| found.name == column.name)?;
    let beside = render::column_beside(&column.name);
    let is_taken = live.columns.iter().any(|found| found.name == beside)
        || table.columns.iter().any(|column| column.name == beside);
    let mentions = |sql: &String| identifiers(sql).contains(&column.name);
    let is_source = live
        .columns
        .iter()
        .filter(|found| !found.generated.is_empty())
        .filter_map(|found| found.default.as_ref())
        .chain(table.columns.iter().filter_map(|column| column.generated.as_ref()))
        .any(mentions);
    let generates = !found.generated.is_empty() || !found.identity.is_empty() || column.identity;
    // Each partition would want its own.
    let is_partitioned = live.partition_key.is_some() || table.partitioning.is_some();
    if is_partitioned || is_taken || is_source || generates || changes.comment(found) != column.comment {
        return None;
    }
    let mut staged = Staged {
        from_default: found.default.clone(),
        not_null: found.not_null && column.not_null,
        ..Staged::default()
    };
    let is_over_others =
        |sql: &str| identifiers(sql).iter().any(|name| *name != column.name && retyped.contains(name));
    for (name, found) in live.constraints.iter().filter(|(_, found)| mentions(&found.sql)) {
        let is_check = found.sql.starts_with("CHECK");
        if changes.drop(name) && (is_check || found.sql.starts_with("FOREIGN KEY")) {
            continue;
        }
        // What is not valid would be made so.
        let check = table.checks.iter().find(|check| check.name == *name)?;
        if !is_check || !found.valid || is_over_others(&found.sql) {
            return None;
        }
        staged.checks.push(check.clone());
    }
    for (name, found) in live.indexes.iter().filter(|(_, found)| mentions(&found.sql)) {
        match table.indexes.iter().find(|index| index.name == *name) {
            Some(index)
                if is_plain(index, &column.name)
                    && !is_over_others(&found.sql)
                    // It would go with the other column's exchange.
                    && !is_over_others(&render::statement(&Change::CreateIndex { table: table.name.clone(), index: index.clone() })) =>
            {
                staged.indexes.push(StagedIndex { index: index.clone(), definition: found.sql.clone() });
            }
            _ if changes.drop(name) => {}
            _ => return None,
        }
    }
    // A key may be asked for together with the new type, but one that is there holds others' foreign keys.
    let is_unique = staged.indexes.iter().any(|staged| staged.index.unique || is_unique(&staged.definition));
    (!is_unique).then_some(staged)
}

/// Whether an index has the column as it is, and no expression or condition of it.
fn is_plain(index: &Index, column: &String) -> bool {
    let has = |sql: &String| identifiers(sql).contains(column);
    let is_column = |key: &IndexKey| matches!(key, IndexKey::Column(name) if name == column);
    let computes = |key: &IndexKey| matches!(key, IndexKey::Expression(expression) if has(expression));
    let mut keys = index.parts.iter().map(|part| &part.key);
    let is_over = keys.clone().any(is_column) || index.include.contains(column);
    is_over && !keys.any(computes) && !index.predicate.as_ref().is_some_and(has)
}

fn is_unique(definition: &str) -> bool {
    definition.starts_with("CREATE UNIQUE")
}

/// Whether a change is a part of what is staged.
fn is_part(change: &Change, of: &str, staged: &BTreeMap<String, Staged>) -> bool {
    let has = |name: &String| {
        staged.values().any(|staged| staged.indexes.iter().any(|staged| staged.index.name == *name))
    };
    match change {
        Change::SetDefault { table, column, .. } => table == of && staged.contains_key(column),
        Change::DropIndex { table, name, .. } => table == of && has(name),
        Change::CreateIndex { table, index } | Change::ReplaceIndex { table, index, .. } => {
            table == of && has(&index.name)
        }
        _ => false,
    }
}
