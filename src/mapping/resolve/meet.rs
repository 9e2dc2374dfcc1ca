//! Columns that a foreign key joins climb together: PostgreSQL must be able to compare them.

use super::{Draft, same, types};
use crate::schema::PgType;

/// Lets the columns that a foreign key joins meet in a type that both can hold, unless the mapping named them.
pub(super) fn meet(drafts: &mut [Draft<'_>]) {
    let joins: Vec<[(usize, usize); 2]> = drafts
        .iter()
        .enumerate()
        .flat_map(|(child_at, child)| {
            let drafts = &*drafts;
            child.audit.foreign_keys.iter().flat_map(move |foreign_key| {
                let parent_at = drafts.iter().position(|d| same(&d.audit.name, &foreign_key.parent_table));
                let pairs = foreign_key.columns.iter().zip(&foreign_key.parent_columns);
                pairs.filter_map(move |(column, parent_column)| {
                    let parent_at = parent_at?;
                    Some([
                        (child_at, child.position(column)?),
                        (parent_at, drafts[parent_at].position(parent_column)?),
                    ])
                })
            })
        })
        .collect();
    // A chain of n joins settles in at most n rounds: types only climb.
    for _ in 0..=joins.len() {
        let mut settled = true;
        for ends in &joins {
            let [child, parent] = ends.map(|(table, column)| drafts[table].settled[column].pg_type);
            if types::joinable(child, parent) {
                continue;
            }
            // A rowid stays: an identity that is lost hurts more than a foreign key that is left out.
            let fixed = ends.map(|(table, column)| {
                let draft = &drafts[table];
                let name = draft.audit.columns[column].name.as_str();
                draft.settled[column].demanded || draft.audit.rowid_alias.as_deref() == Some(name)
            });
            let becomes = |end: usize, common: PgType| {
                let (table, column) = ends[end];
                if fixed[end] { drafts[table].settled[column].pg_type } else { common }
            };
            let can = |common: PgType| {
                let fits = |end: usize| {
                    let (table, column) = ends[end];
                    fixed[end] || drafts[table].audit.columns[column].fits(&common, false).is_ok()
                };
                fits(0) && fits(1) && types::joinable(becomes(0, common), becomes(1, common))
            };
            // An enumerated type meets no other type but itself.
            let own = [child, parent].into_iter().filter(|pg_type| matches!(pg_type, PgType::Enum(_)));
            let Some(common) = own.chain(types::MEETING).find(|pg_type| can(*pg_type)) else { continue };
            for (&(table, column), fixed) in ends.iter().zip(fixed) {
                let now = &mut drafts[table].settled[column];
                if !fixed && now.pg_type != common {
                    let remark = format!("{common} to meet the column that a foreign key joins");
                    now.grounds.remarks.push(remark);
                    now.pg_type = common;
                    settled = false;
                }
            }
        }
        if settled {
            break;
        }
    }
}
