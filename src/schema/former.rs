//! Names that tables and columns had before, as the mapping declares them (`renamed_from`). Pure.

use serde::Serialize;

/// What the target may still call a table and columns of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FormerNames {
    /// The table, by the name that it should have.
    pub table: String,
    /// What it was called, the latest name first; empty: it was always called so.
    pub of_table: Vec<String>,
    /// Columns by the names that they should have, each with what it was called, the latest name first.
    pub of_columns: Vec<(String, Vec<String>)>,
}

impl FormerNames {
    /// What a column was called, the latest name first.
    #[must_use]
    pub fn of_column(&self, name: &str) -> &[String] {
        self.of_columns.iter().find(|(known, _)| known == name).map_or(&[], |(_, former)| former.as_slice())
    }

    /// The name under which the target has the table, where that is a former one: it has none of the right name.
    #[must_use]
    pub fn table_there(&self, is_there: impl Fn(&str) -> bool) -> Option<&str> {
        first_there(&self.table, &self.of_table, is_there)
    }

    /// The columns that the target has under a former name, and lacks under the right one: the right name, the former one.
    #[must_use]
    pub fn columns_there(&self, is_there: impl Fn(&str) -> bool) -> Vec<(&str, &str)> {
        let there = self
            .of_columns
            .iter()
            .filter_map(|(name, former)| Some((name.as_str(), first_there(name, former, &is_there)?)));
        there.collect()
    }
}

fn first_there<'a>(name: &str, former: &'a [String], is_there: impl Fn(&str) -> bool) -> Option<&'a str> {
    if is_there(name) {
        return None;
    }
    former.iter().map(String::as_str).find(|former| is_there(former))
}
