//! The enumerated types of the target: those of the mapping's that a column is of.

use std::collections::BTreeSet;

use super::Draft;
use crate::{
    mapping::{Mapping, Mistake},
    schema::{EnumType, Finding, PgType, Severity, Table},
};

/// A table's rows are a type of the table's name (PostgreSQL's manual, 8.16), so that no other type can have it.
pub(super) fn names_taken(mapping: &Mapping, drafts: &[Draft<'_>]) -> Vec<Mistake> {
    let table_of = |name: &str| drafts.iter().find(|draft| draft.target == name);
    let taken = mapping.enums.iter().filter_map(|of| {
        let table = table_of(of.value.name())?;
        let message =
            format!("`{}` is the name of a table, whose rows are a type of that name", table.target);
        Some(Mistake::at(&of.place, &message, Some("choose another name for the enumerated type")))
    });
    taken.collect()
}

/// The types that columns are of, by name. One that none is of is not made, and is told.
pub(super) fn used(mapping: &Mapping, tables: &[Table], findings: &mut Vec<Finding>) -> Vec<EnumType> {
    let columns = tables.iter().flat_map(|table| &table.columns);
    let used: BTreeSet<EnumType> = columns
        .filter_map(|column| match column.pg_type {
            PgType::Enum(of) => Some(of),
            _ => None,
        })
        .collect();
    findings.extend(mapping.enums.iter().filter(|of| !used.contains(&of.value)).map(|of| Finding {
        severity: Severity::Note,
        code: "enum-not-used",
        message: format!("the enumerated type {} is not made: no column is of it", of.value),
    }));
    used.into_iter().collect()
}
