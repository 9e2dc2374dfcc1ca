//! Enumerated types: missing, with other labels, or of no use any more.
//!
//! A label is added to the type that is there. Where one goes, or the order changes, PostgreSQL has no statement for it (its
//! manual, "ALTER TYPE"): the type steps aside under another name, one of the wanted labels is made, every column goes over
//! from the one to the other, and the old one is dropped.

use std::collections::{BTreeMap, BTreeSet};

use super::{Difference, Found};
use crate::{
    inspect::Catalogue,
    schema::{Change, Desired, EnumType, PgType},
};

/// The types of the target, and what becomes of them.
pub(super) struct Types {
    /// As they are, by name.
    live: BTreeMap<String, EnumType>,
    /// The names of those that step aside.
    replaced: BTreeSet<String>,
    /// What makes them what they should be. They are ours, or new.
    changes: Vec<Change>,
}

impl Types {
    pub(super) fn compare(desired: &Desired, found: &Found<'_>, difference: &mut Difference) -> Types {
        let named = |(name, of): (&String, &crate::inspect::LiveEnum)| {
            (name.clone(), EnumType::new(name, of.labels.clone()))
        };
        let live = found.catalogue.types.iter().map(named).collect();
        let mut types = Types { live, replaced: BTreeSet::new(), changes: Vec::new() };
        for wanted in &desired.schema.enums {
            let Some(live) = types.live.get(wanted.name()).copied() else {
                types.changes.push(Change::CreateType(*wanted));
                continue;
            };
            if live == *wanted {
                continue;
            }
            let is_ours = found.our_types.is_none_or(|ours| ours.contains(wanted.name()));
            let uses =
                found.enums.iter().find(|known| known.of == live).and_then(|known| known.uses.as_ref());
            match (is_ours, live.additions(*wanted), uses) {
                (false, ..) => difference.beyond.push(format!(
                    "type {wanted}: the target has one of that name that was not made here, with the labels {}; name the mapping's \
                     otherwise, or give it these labels",
                    live.literals()
                )),
                (_, Some(added), _) => types.changes.extend(
                    added.into_iter().map(|(label, place)| Change::AddLabel { of: live, label, place }),
                ),
                (_, None, Some(uses)) => difference.beyond.push(format!(
                    "type {wanted}: its labels are {}, and should be {}, for which it has to be made anew; but {uses} depends on it. \
                     Drop that, or name the mapping's type otherwise",
                    live.literals(),
                    wanted.literals()
                )),
                (_, None, None) => types.replace(live, *wanted),
            }
        }
        types
    }

    fn replace(&mut self, live: EnumType, wanted: EnumType) {
        self.changes.push(Change::ReplaceType { of: live, wanted });
        self.changes.push(Change::DropReplaced(live));
        self.replaced.insert(live.name().to_owned());
    }

    /// The type that a name of the catalogue stands for.
    pub(super) fn of(&self, name: &str) -> Option<PgType> {
        self.live.get(name).map_or_else(|| PgType::parse(name).ok(), |of| Some(PgType::Enum(*of)))
    }

    /// Whether the type of that name steps aside, so that its columns have to go over.
    pub(super) fn is_replaced(&self, name: &str) -> bool {
        self.replaced.contains(name)
    }

    /// Whether a definition in the server's words names a type that steps aside, so that it has to be made anew.
    pub(super) fn stops(&self, definition: &str) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        self.replaced.iter().any(|name| {
            let cast = format!("::{name}");
            definition.split(&cast).skip(1).any(|rest| !rest.starts_with(is_word))
        })
    }

    /// The changes of types: before all others what makes one, behind them what takes one away that none of ours needs any
    /// more. `live` is the target once the declared renames are made, as the other changes have it.
    pub(super) fn finish(
        self,
        desired: &Desired,
        (found, live): (&Found<'_>, &Catalogue),
        others: &[Change],
    ) -> Vec<Change> {
        let is_wanted = |of: EnumType| desired.schema.enums.iter().any(|wanted| wanted.name() == of.name());
        let is_ours = |of: EnumType| found.our_types.is_none_or(|ours| ours.contains(of.name()));
        let idle = found.enums.iter().filter(|known| {
            let of = known.of;
            !is_wanted(of) && is_ours(of) && known.uses.is_none() && !is_used(of.name(), live, others)
        });
        let dropped: Vec<Change> = idle.map(|known| Change::DropType(known.of)).collect();
        self.changes.into_iter().chain(dropped).collect()
    }
}

/// Whether a column is of a type, and stays so.
fn is_used(name: &str, live: &Catalogue, changes: &[Change]) -> bool {
    let leaves = |of_table: &str, of_column: &str| {
        changes.iter().any(|change| match change {
            Change::AlterType { table, column, .. } => table == of_table && column.name == of_column,
            Change::DropColumn { table, column, .. } => table == of_table && column == of_column,
            _ => false,
        })
    };
    live.tables.iter().any(|(table, found)| {
        found.columns.iter().any(|column| column.type_name == name && !leaves(table, &column.name))
    })
}
