//! Comments on tables and columns: missing, other than they should be, or in nobody's mapping.

use super::{Difference, objects::Pair};
use crate::schema::{Change, Table};

/// The comments of a table that is made.
pub(super) fn additions(table: &Table) -> Vec<Change> {
    let of_table = Wish { column: None, comment: table.comment.as_ref(), from: None };
    let of_columns = table.columns.iter().map(|column| Wish {
        column: Some(&column.name),
        comment: column.comment.as_ref(),
        from: None,
    });
    std::iter::once(of_table).chain(of_columns).filter_map(|wish| wish.change(&table.name)).collect()
}

/// `goes` says whether a comment of this text may go where nobody wants it.
pub(super) fn compare(pair: &Pair<'_>, goes: &dyn Fn(&str) -> bool, difference: &mut Difference) {
    let Pair { table, live, .. } = pair;
    let of_table = (None, table.comment.as_ref(), live.comment.as_ref());
    let of_columns = table.columns.iter().map(|column| {
        let found = live.columns.iter().find(|found| found.name == column.name);
        let found = found.and_then(|found| found.comment.as_ref());
        (Some(column.name.as_str()), column.comment.as_ref(), found)
    });
    for (column, wanted, found) in std::iter::once(of_table).chain(of_columns) {
        let kept = found.filter(|found| wanted.is_none() && !goes(found));
        // With a column that is made anew its comment goes too.
        let is_made_anew = column.is_some_and(|name| makes(&difference.changes, &table.name, name));
        let wish = Wish { column, comment: wanted.or(kept), from: found.filter(|_| !is_made_anew) };
        difference.changes.extend(wish.change(&table.name));
        if kept.is_some() {
            difference.kept.push(match column {
                None => format!("comment on table {}", table.name),
                Some(column) => format!("comment on column {}.{column}", table.name),
            });
        }
    }
}

/// Whether a column is added.
fn makes(changes: &[Change], of: &str, name: &str) -> bool {
    changes.iter().any(
        |change| matches!(change, Change::AddColumn { table, column } if table == of && column.name == name),
    )
}

/// What should be said of a table or a column, and what is.
struct Wish<'a> {
    column: Option<&'a str>,
    comment: Option<&'a String>,
    from: Option<&'a String>,
}

impl Wish<'_> {
    fn change(&self, table: &str) -> Option<Change> {
        (self.comment != self.from).then(|| Change::SetComment {
            table: table.to_owned(),
            column: self.column.map(str::to_owned),
            comment: self.comment.cloned(),
            from: self.from.cloned(),
        })
    }
}
