//! Declared renames: what the target still calls by a former name gets its right one first, so that everything else is
//! compared under the names that it will have.
//!
//! In: the desired schema with its former names, the target's catalogue. Out: the renames, and the catalogue as it will be
//! after them. Constraints and indexes that are named after a table or a column are known by what they say, and renamed along.

use std::collections::{BTreeMap, BTreeSet};

use super::words::{Renamings, same_words};
use crate::{
    inspect::{Catalogue, Definition, LiveTable},
    schema::{Change, Desired, FormerNames, Partition},
};

/// What the target calls tables and columns that are about to be renamed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Former {
    /// A table's former name, by its right one.
    pub(super) tables: BTreeMap<String, String>,
    /// Former names of columns by the right ones, by the table's right name.
    pub(super) columns: BTreeMap<String, BTreeMap<String, String>>,
}

impl Former {
    /// The name under which the target has a table until its renames are made.
    #[must_use]
    pub fn table<'a>(&'a self, name: &'a str) -> &'a str {
        self.tables.get(name).map_or(name, String::as_str)
    }

    /// The name under which the target has a column until its renames are made.
    #[must_use]
    pub fn column<'a>(&'a self, table: &str, column: &'a str) -> &'a str {
        self.columns.get(table).and_then(|columns| columns.get(column)).map_or(column, String::as_str)
    }

    /// Whether anything of a table is renamed.
    #[must_use]
    pub fn concerns(&self, table: &str) -> bool {
        self.tables.contains_key(table) || self.columns.contains_key(table)
    }

    /// What is known by the target's names of tables, by those that they will have.
    #[must_use]
    pub fn renamed<T: Clone>(&self, by_table: &BTreeMap<String, T>) -> BTreeMap<String, T> {
        let mut renamed = by_table.clone();
        for (name, former) in &self.tables {
            let value = renamed.remove(former);
            renamed.extend(value.map(|value| (name.clone(), value)));
        }
        renamed
    }
}

/// The target after its renames.
#[derive(Debug, Default)]
pub(super) struct Renamed {
    pub(super) changes: Vec<Change>,
    pub(super) catalogue: Catalogue,
    pub(super) former: Former,
}

/// Renames what has a former name, and what is named after that.
pub(super) fn rename(
    desired: &Desired,
    normal: &Catalogue,
    live: &Catalogue,
    ours: Option<&BTreeSet<String>>,
) -> Renamed {
    let mut renamed = Renamed { catalogue: live.clone(), ..Renamed::default() };
    if desired.former.is_empty() {
        return renamed;
    }
    for names in &desired.former {
        renamed.table(names);
        renamed.partitions(&names.table, ours);
        renamed.columns(names);
    }
    renamed.definitions(normal);
    for names in &desired.former {
        renamed.objects(&names.table, normal);
    }
    renamed
}

impl Renamed {
    fn table(&mut self, names: &FormerNames) {
        let is_there = |name: &str| self.catalogue.tables.contains_key(name);
        let Some(from) = names.table_there(is_there).map(str::to_owned) else { return };
        if let Some(live) = self.catalogue.tables.remove(&from) {
            self.catalogue.tables.insert(names.table.clone(), live);
        }
        for live in self.catalogue.tables.values_mut() {
            if live.parents.remove(&from) {
                live.parents.insert(names.table.clone());
            }
        }
        self.former.tables.insert(names.table.clone(), from.clone());
        self.changes.push(Change::RenameTable { table: names.table.clone(), from });
    }

    /// Partitions of our own are named after their table.
    fn partitions(&mut self, table: &str, ours: Option<&BTreeSet<String>>) {
        let Some(from) = self.former.tables.get(table) else { return };
        let Some(live) = self.catalogue.tables.get_mut(table) else { return };
        for (name, bounds) in live.partitions.clone() {
            let partition = Partition { name, bounds };
            let is_ours = ours.is_none_or(|ours| ours.contains(&partition.name));
            let Some(renamed) = partition.renamed(from, table).filter(|_| is_ours) else { continue };
            if live.partitions.contains_key(&renamed) {
                continue;
            }
            live.partitions.remove(&partition.name);
            live.partitions.insert(renamed.clone(), partition.bounds);
            self.changes.push(Change::RenameTable { table: renamed, from: partition.name });
        }
    }

    fn columns(&mut self, names: &FormerNames) {
        let Some(live) = self.catalogue.tables.get_mut(&names.table) else { return };
        let there: BTreeSet<String> = live.columns.iter().map(|column| column.name.clone()).collect();
        for (column, from) in names.columns_there(|name| there.contains(name)) {
            live.columns
                .iter_mut()
                .filter(|known| known.name == from)
                .for_each(|known| known.name = column.to_owned());
            let of_table = self.former.columns.entry(names.table.clone()).or_default();
            of_table.insert(column.to_owned(), from.to_owned());
            self.changes.push(Change::RenameColumn {
                table: names.table.clone(),
                column: column.to_owned(),
                from: from.to_owned(),
            });
        }
    }

    /// Puts what constraints, indexes and generated columns say in the new names; in the server's own words, where they say
    /// what is wanted.
    fn definitions(&mut self, normal: &Catalogue) {
        let renamings = Renamings::of(&self.former);
        for (name, live) in &mut self.catalogue.tables {
            let wanted = normal.tables.get(name);
            let put = |definition: &mut String, wanted: Option<&String>, is_index: bool| {
                let renamed = match is_index {
                    true => renamings.in_index(name, definition),
                    false => renamings.in_constraint(name, definition),
                };
                *definition = match wanted {
                    Some(wanted) if same_words(wanted, &renamed) => wanted.clone(),
                    _ => renamed,
                };
            };
            for column in live.columns.iter_mut().filter(|column| !column.generated.is_empty()) {
                let wanted =
                    wanted.and_then(|table| table.columns.iter().find(|known| known.name == column.name));
                if let Some(definition) = &mut column.default {
                    put(definition, wanted.and_then(|wanted| wanted.default.as_ref()), false);
                }
            }
            for (constraint, definition) in &mut live.constraints {
                let wanted = wanted.and_then(|table| table.constraints.get(constraint));
                put(&mut definition.sql, wanted.map(|wanted| &wanted.sql), false);
            }
            for (index, definition) in &mut live.indexes {
                let wanted = wanted.and_then(|table| table.indexes.get(index));
                put(&mut definition.sql, wanted.map(|wanted| &wanted.sql), true);
            }
        }
    }

    /// Renames constraints and indexes that say what is wanted under a name that nobody wants.
    fn objects(&mut self, table: &str, normal: &Catalogue) {
        let Some(wanted) = normal.tables.get(table) else { return };
        let is_taken = |catalogue: &Catalogue, name: &str| {
            let has =
                |live: &LiveTable| live.constraints.contains_key(name) || live.indexes.contains_key(name);
            catalogue.tables.values().any(has)
        };
        for (is_index, wanted) in [(false, &wanted.constraints), (true, &wanted.indexes)] {
            for (name, definition) in wanted {
                if is_taken(&self.catalogue, name) {
                    continue;
                }
                let Some(live) = self.catalogue.tables.get_mut(table) else { return };
                let objects = if is_index { &mut live.indexes } else { &mut live.constraints };
                let says_so = |found: &Definition| {
                    let (one, other) = (&found.sql, &definition.sql);
                    // An index that is invalid is what a failed build has left.
                    if is_index { found.valid && same_index(one, other) } else { same_words(one, other) }
                };
                let Some(from) = objects
                    .iter()
                    .find(|(known, found)| !wanted.contains_key(*known) && says_so(found))
                    .map(|(known, _)| known.clone())
                else {
                    continue;
                };
                if let Some(found) = objects.remove(&from) {
                    objects.insert(name.clone(), Definition { sql: definition.sql.clone(), ..found });
                }
                let (table, name) = (table.to_owned(), name.clone());
                self.changes.push(match is_index {
                    true => Change::RenameIndex { table, name, from },
                    false => Change::RenameConstraint { table, name, from },
                });
            }
        }
    }
}

/// Names, and those that some of them get.
pub(super) fn renamed_names(names: &BTreeSet<String>, changes: &[Change]) -> BTreeSet<String> {
    let mut all = names.clone();
    for change in changes {
        let (name, from) = match change {
            Change::RenameTable { table, from } => (table, from),
            Change::RenameConstraint { name, from, .. } | Change::RenameIndex { name, from, .. } => {
                (name, from)
            }
            _ => continue,
        };
        if names.contains(from) {
            all.insert(name.clone());
        }
    }
    all
}

/// Whether two indexes differ in nothing but their names.
fn same_index(one: &str, other: &str) -> bool {
    let nameless = |sql: &str| super::words::without_index_name(sql);
    same_words(&nameless(one), &nameless(other))
}
