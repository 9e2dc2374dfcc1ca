//! `CHECK` constraints: the mapping's, and the source's where they mean the same in PostgreSQL and every row obeys.

use std::collections::BTreeSet;

use super::{Draft, expression, keys, names};
use crate::{
    mapping::IdentifierPolicy,
    schema::{Check, Finding},
};

/// A table's checks.
pub(super) struct Checks {
    /// Those of the target.
    pub(super) checks: Vec<Check>,
    /// Those of the source that stay behind, each with the reason.
    pub(super) left_out: Vec<String>,
}

/// Whether a line of `PRAGMA quick_check` tells of a value that its column does not allow (SQLite's `pragma.c`), not of
/// damage to the file.
pub(super) fn is_broken_constraint(line: &str) -> bool {
    line.split_once(" value in ")
        .is_some_and(|(kind, _)| kind.starts_with("non-") || ["NULL", "NUMERIC", "TEXT"].contains(&kind))
}

/// The checks of a table: the mapping's first, then the source's under names that are free among the table's constraints.
pub(super) fn checks(
    draft: &Draft<'_>,
    policy: IdentifierPolicy,
    mut taken: BTreeSet<String>,
    findings: &mut Vec<Finding>,
) -> Checks {
    let mut checks = demanded(draft);
    let demanded: BTreeSet<String> = checks.iter().map(|check| check.name.clone()).collect();
    taken.extend(demanded.iter().cloned());
    let mut left_out = Vec::new();
    let facts = expression::Facts::of(draft);
    for source in expression::declared_checks(&draft.audit.sql) {
        let wanted = source.name.as_ref().map(|name| names::written(policy, name));
        if wanted.as_ref().is_some_and(|name| demanded.contains(name)) {
            continue;
        }
        let unmet = match draft.audit.unmet_checks.get(&source.expression) {
            Some(why) => Some(why.as_str()),
            None if draft.audit.checks.contains(&source.expression) => None,
            None => Some("it was not tried on the rows"),
        };
        let translated = match unmet {
            Some(why) => Err(why.to_owned()),
            None => expression::condition(&source.expression, &facts),
        };
        if let Some(why) = unmet {
            findings.push(keys::warning(
                "check-left-out",
                format!("CHECK ({}) of {} is left out: {why}", source.expression, draft.audit.name),
            ));
        }
        match translated {
            Ok(expression) => {
                let name = free_name(&draft.target, wanted, &taken);
                taken.insert(name.clone());
                checks.push(Check { name, expression });
            }
            Err(why) => left_out.push(format!("{}: {why}", source.expression)),
        }
    }
    Checks { checks, left_out }
}

/// The wanted name, or `<table>_check` as PostgreSQL itself numbers them.
fn free_name(table: &str, wanted: Option<String>, taken: &BTreeSet<String>) -> String {
    let base = names::with_suffix(table, "_check");
    let numbered = (1u32..).map(|number| names::with_suffix(table, &format!("_check{number}")));
    wanted
        .into_iter()
        .chain([base.clone()])
        .chain(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or(base)
}

/// The checks that the mapping asks for.
fn demanded(draft: &Draft<'_>) -> Vec<Check> {
    let Some(entry) = draft.entry else { return Vec::new() };
    let of_columns = entry.columns.iter().filter_map(|column| {
        let target = draft.target_column(&column.name.value)?;
        let expression = column.check.as_ref()?.value.clone();
        let name = names::with_suffix(&format!("{}_{target}", draft.target), "_check");
        Some(Check { name, expression })
    });
    let of_table = entry
        .checks
        .iter()
        .map(|check| Check { name: check.name.value.clone(), expression: check.expression.value.clone() });
    of_columns.chain(of_table).collect()
}
