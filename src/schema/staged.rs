//! A column's new type beside those who are at the rows: a new column is filled, kept in step by a trigger, and takes the
//! old one's place in the end.

use serde::Serialize;

use super::{Change, Check, Index};

/// What hangs on a column that another one is to take the place of, so that it has that too.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Staged {
    /// The default that it has, in the server's words.
    pub from_default: Option<String>,
    /// Whether it takes no NULL, before and after.
    pub not_null: bool,
    /// The indexes over it that are there and wanted.
    pub indexes: Vec<StagedIndex>,
    /// The checks over it that are there and wanted as they are.
    pub checks: Vec<Check>,
}

/// An index over such a column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StagedIndex {
    /// As it should be.
    pub index: Index,
    /// The statement that made the old one, in the server's words.
    pub definition: String,
}

impl Change {
    /// The same change by one statement where it would be staged: nobody is there who would have to wait.
    #[must_use]
    pub fn at_once(&self) -> Change {
        let mut change = self.clone();
        if let Change::AlterType { staged, .. } = &mut change {
            *staged = None;
        }
        change
    }
}
