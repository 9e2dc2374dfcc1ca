//! A table's rows as they will be once a plan has given tables and columns other names and types, to be asked before it does.

use std::collections::BTreeMap;

use super::{Live, LiveColumn};
use crate::{
    diff::Former,
    schema::{Change, Column, Conversion, render::quoted},
};

/// What to select from, by table.
pub(super) struct Rows<'a> {
    live: &'a Live,
    former: &'a Former,
    retyped: BTreeMap<(&'a str, &'a str), Retyped<'a>>,
}

/// A column as it will be, and how its values become those.
type Retyped<'a> = (&'a Column, &'a Conversion);

impl<'a> Rows<'a> {
    pub(super) fn after(changes: &'a [Change], live: &'a Live, former: &'a Former) -> Rows<'a> {
        let retyped = changes.iter().filter_map(|change| match change {
            Change::AlterType { table, column, conversion, .. } => {
                Some(((table.as_str(), column.name.as_str()), (column, conversion)))
            }
            _ => None,
        });
        Rows { live, former, retyped: retyped.collect() }
    }

    /// Leaves a column as it is, since its values do not convert.
    pub(super) fn leave(&mut self, table: &str, column: &str) {
        self.retyped.retain(|of, _| *of != (table, column));
    }

    /// What stands in FROM for a table with its converted values: itself, or a sub-select.
    pub(super) fn of(&self, table: &str) -> String {
        let is_retyped = self.retyped.keys().any(|(of, _)| *of == table);
        self.selected(table, is_retyped, |name| self.retyped.get(&(table, name)).copied())
    }

    /// The same with the values as they are.
    pub(super) fn there(&self, table: &str) -> String {
        self.selected(table, false, |_| None)
    }

    fn selected(&self, table: &str, converts: bool, retyped: impl Fn(&str) -> Option<Retyped<'a>>) -> String {
        let there = quoted(self.former.table(table));
        let differs = converts || self.former.concerns(table);
        let Some(known) = self.live.catalogue.tables.get(table).filter(|_| differs) else {
            return there;
        };
        let column = |found: &LiveColumn| {
            let (is, will_be) = (self.former.column(table, &found.name), quoted(&found.name));
            let value = match retyped(&found.name) {
                None => quoted(is),
                Some((column, conversion)) => {
                    let value = conversion.using_sql(is).unwrap_or_else(|| quoted(is));
                    let collation = column.collation.as_ref().map(|of| format!(" COLLATE {}", quoted(of)));
                    format!("({value})::{}{}", column.pg_type, collation.unwrap_or_default())
                }
            };
            format!("{value} AS {will_be}")
        };
        let columns: Vec<String> = known.columns.iter().map(column).collect();
        format!("(SELECT ctid, {} FROM {there})", columns.join(", "))
    }
}
