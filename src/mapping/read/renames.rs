//! `renamed_from`, of tables and of columns.

use std::collections::HashMap;

use super::super::{Mistake, Place, Placed, TableEntry, yaml::Kind};
use super::keys::Shape;
use super::primitives::{Case, Object, Reader};

/// The key.
pub(super) const RENAMED_FROM: &str = "renamed_from";

/// A name, or several, the latest first.
pub(super) const FORMER_NAMES: Shape = Shape::Either(&[Shape::Text, Shape::FilledList(&Shape::Text)]);

/// A name in the mapping, and those that it had before.
type Renamed<'a> = (&'a Placed<String>, &'a [Placed<String>]);

impl Reader {
    /// Reads what stands under a name as its former ones.
    pub(super) fn former_names(&mut self, name: &Placed<String>, object: &Object<'_>) -> Vec<Placed<String>> {
        let Some(node) = object.get(RENAMED_FROM) else { return Vec::new() };
        let former = match &node.kind {
            Kind::List(_) => {
                let items = self.filled_list(node, "`renamed_from` has at least one name", None);
                self.names(items)
            }
            _ => self.text(node).into_iter().collect(),
        };
        self.check_unique("name", Case::Ignored, former.iter());
        for itself in former.iter().filter(|former| former.value == name.value) {
            let message = format!("`{}` is its name already", name.value);
            self.mistake(&itself.place, &message, Some("`renamed_from` says what it was called before"));
        }
        former
    }

    /// The columns of a table, each under one name.
    pub(super) fn check_renamed_columns(&mut self, table: &TableEntry) {
        let columns = table.columns.iter().map(|column| (&column.name, column.renamed_from.as_slice()));
        let added = table.add_columns.iter().map(|column| (&column.name, column.renamed_from.as_slice()));
        self.check_renamed("column", columns.chain(added).collect());
    }

    /// The tables, each under one name.
    pub(super) fn check_renamed_tables(&mut self, tables: &[TableEntry]) {
        self.check_renamed(
            "table",
            tables.iter().map(|table| (&table.name, table.renamed_from.as_slice())).collect(),
        );
    }

    /// What was renamed is one thing: its former name is neither another's name nor another's former one.
    fn check_renamed(&mut self, what: &str, entries: Vec<Renamed<'_>>) {
        let mut taken: HashMap<String, (&Placed<String>, &Place)> =
            entries.iter().map(|(name, _)| (name.value.to_ascii_lowercase(), (*name, &name.place))).collect();
        for (name, former) in entries {
            for former in former {
                let key = former.value.to_ascii_lowercase();
                match taken.get(&key) {
                    Some((owner, _)) if owner.value == name.value => {}
                    Some((owner, place)) => {
                        let message = format!(
                            "`{}` cannot be what the {what} `{}` was: it is `{}`",
                            former.value, name.value, owner.value
                        );
                        let hint = format!("a {what} has one entry; take one of the two away");
                        self.mistakes.push(Mistake::at(&former.place, &message, Some(&hint)).and_at(place));
                    }
                    None => {
                        taken.insert(key, (name, &former.place));
                    }
                }
            }
        }
    }
}
