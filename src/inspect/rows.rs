//! A table's rows as they will be once a plan has given columns other types, to be asked before it does.

use std::collections::BTreeMap;

use super::Live;
use crate::schema::{Change, Column, Conversion, render::quoted};

/// What to select from, by table.
pub(super) struct Rows<'a> {
    live: &'a Live,
    retyped: BTreeMap<(&'a str, &'a str), (&'a Column, &'a Conversion)>,
}

impl<'a> Rows<'a> {
    pub(super) fn after(changes: &'a [Change], live: &'a Live) -> Rows<'a> {
        let retyped = changes.iter().filter_map(|change| match change {
            Change::AlterType { table, column, conversion, .. } => {
                Some(((table.as_str(), column.name.as_str()), (column, conversion)))
            }
            _ => None,
        });
        Rows { live, retyped: retyped.collect() }
    }

    /// Leaves a column as it is, since its values do not convert.
    pub(super) fn leave(&mut self, table: &str, column: &str) {
        self.retyped.retain(|of, _| *of != (table, column));
    }

    /// What stands in FROM for a table: itself, or a sub-select of its converted values.
    pub(super) fn of(&self, table: &str) -> String {
        let is_retyped = self.retyped.keys().any(|(of, _)| *of == table);
        let Some(found) = self.live.catalogue.tables.get(table).filter(|_| is_retyped) else {
            return quoted(table);
        };
        let columns: Vec<String> = found
            .columns
            .iter()
            .map(|found| {
                let name = quoted(&found.name);
                let Some((column, conversion)) = self.retyped.get(&(table, found.name.as_str())) else {
                    return name;
                };
                let value = conversion.using_sql(&column.name).unwrap_or_else(|| name.clone());
                let collation = column.collation.as_ref().map(|of| format!(" COLLATE {}", quoted(of)));
                format!("({value})::{}{} AS {name}", column.pg_type, collation.unwrap_or_default())
            })
            .collect();
        format!("(SELECT ctid, {} FROM {})", columns.join(", "), quoted(table))
    }
}
