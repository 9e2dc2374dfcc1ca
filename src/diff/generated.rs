//! Generated columns: what they are generated from, and how they become others.
//!
//! What such a column holds can be computed again, so it is dropped and added where it should be another one: that works on
//! every server (`SET EXPRESSION` is PostgreSQL 17's), and lets the columns that it is generated from get other types in
//! between, which PostgreSQL refuses while it is there.

use std::collections::BTreeSet;

use super::{Difference, objects::Pair};
use crate::{
    inspect::LiveColumn,
    schema::{Change, Column},
    target::identifiers,
};

/// What becomes of how a column is generated.
pub(super) enum Generation {
    /// Nothing: it is not generated, or as it should be.
    Same,
    /// It is made anew.
    Anew,
    /// It becomes a plain column.
    NoLonger,
}

/// What becomes of a column that is there.
pub(super) fn difference(wanted: &LiveColumn, found: &LiveColumn) -> Generation {
    let what = |column: &LiveColumn| {
        let LiveColumn { generated, default, type_name, collation, .. } = column;
        (generated.clone(), default.clone(), type_name.clone(), collation.clone())
    };
    match (wanted.generated.as_str(), found.generated.as_str()) {
        ("", "") => Generation::Same,
        ("", _) => Generation::NoLonger,
        _ if what(wanted) == what(found) => Generation::Same,
        _ => Generation::Anew,
    }
}

/// What makes a column anew that is there.
pub(super) fn made_anew(table: &str, column: &Column, found: &LiveColumn) -> [Change; 2] {
    [dropped(table, found), Change::AddColumn { table: table.to_owned(), column: column.clone() }]
}

/// What takes a column away. All of what it is stays known where that brings it back.
pub(super) fn dropped(table: &str, found: &LiveColumn) -> Change {
    let generated = !found.generated.is_empty();
    Change::DropColumn {
        table: table.to_owned(),
        column: found.name.clone(),
        definition: if generated { found.words() } else { found.type_name.clone() },
        generated,
        comment: found.comment.clone(),
    }
}

/// Makes generated columns anew where a column that they are generated from gets another type. `own` is where the changes
/// of this table begin.
pub(super) fn follow_their_sources(pair: &Pair<'_>, own: usize, difference: &mut Difference) {
    let Pair { table, live, .. } = pair;
    let changes = &difference.changes[own..];
    let retyped: BTreeSet<String> = changes
        .iter()
        .filter_map(|change| match change {
            Change::AlterType { column, .. } => Some(column.name.clone()),
            _ => None,
        })
        .collect();
    let goes = |name: &str| {
        changes.iter().any(|change| match change {
            Change::DropColumn { column, .. } | Change::DropExpression { column, .. } => column == name,
            _ => false,
        })
    };
    let (mut anew, mut beyond) = (Vec::new(), Vec::new());
    for found in live.columns.iter().filter(|found| !found.generated.is_empty() && !goes(&found.name)) {
        let mentioned = found.default.as_deref().map(identifiers).unwrap_or_default();
        let Some(source) = mentioned.into_iter().find(|name| retyped.contains(name)) else { continue };
        match table.columns.iter().find(|column| column.name == found.name) {
            Some(column) => anew.extend(made_anew(&table.name, column, found)),
            None => beyond.push(format!(
                "{}.{}: it is generated from {source}, which cannot get another type meanwhile; drop it (`prune: true` in the \
                 mapping does), or name it under `add_columns`",
                table.name, found.name
            )),
        }
    }
    difference.changes.extend(anew);
    difference.beyond.extend(beyond);
}

/// The columns of each table that are dropped and added again.
pub(super) fn columns_made_anew(changes: &[Change]) -> BTreeSet<(String, String)> {
    let dropped: BTreeSet<(&String, &String)> = changes
        .iter()
        .filter_map(|change| match change {
            Change::DropColumn { table, column, .. } => Some((table, column)),
            _ => None,
        })
        .collect();
    let added = changes.iter().filter_map(|change| match change {
        Change::AddColumn { table, column } if dropped.contains(&(table, &column.name)) => {
            Some((table.clone(), column.name.clone()))
        }
        _ => None,
    });
    added.collect()
}
