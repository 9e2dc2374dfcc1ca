//! `CHECK` constraints: the mapping's, and the source's where they mean the same in PostgreSQL and every row obeys.

use std::collections::BTreeSet;

use super::{Draft, expression, keys, names};
use crate::{
    audit::Audit,
    mapping::IdentifierPolicy,
    schema::{Check, Finding},
};

/// What `PRAGMA quick_check` says of rows that break a constraint (SQLite's `pragma.c`): no damage to the file.
const BROKEN_CONSTRAINTS: [&str; 2] = ["CHECK constraint failed in ", "NULL value in "];

/// Lines of `PRAGMA quick_check` from which on there may be more that it does not say.
const QUICK_CHECK_FULL: usize = 5;

/// A table's checks.
pub(super) struct Checks {
    /// Those of the target.
    pub(super) checks: Vec<Check>,
    /// Those of the source that stay behind, each with the reason.
    pub(super) left_out: Vec<String>,
}

/// Whether a line of `PRAGMA quick_check` tells of a row that breaks a constraint, not of damage.
pub(super) fn is_broken_constraint(line: &str) -> bool {
    let value_of_another_type = line
        .split_once(" value in ")
        .is_some_and(|(kind, _)| kind.starts_with("non-") || ["NUMERIC", "TEXT"].contains(&kind));
    value_of_another_type || BROKEN_CONSTRAINTS.iter().any(|begin| line.starts_with(begin))
}

/// Why the rows may break the table's checks; `None`: SQLite has tried every row.
fn unproven(audit: &Audit, table: &str) -> Option<String> {
    let of_table = format!("{}{table}", BROKEN_CONSTRAINTS[0]);
    if audit.quick_check.contains(&of_table) {
        return Some("SQLite's quick_check finds rows that break one".to_owned());
    }
    let stopped = audit.quick_check.iter().any(|line| line.starts_with("quick_check could not run"));
    (stopped || audit.quick_check.len() >= QUICK_CHECK_FULL).then(|| {
        "SQLite's quick_check finds too much else in the file to say whether every row obeys".to_owned()
    })
}

/// The checks of a table: the mapping's first, then the source's under names that are free among the table's constraints.
pub(super) fn checks(
    draft: &Draft<'_>,
    audit: &Audit,
    policy: IdentifierPolicy,
    mut taken: BTreeSet<String>,
    findings: &mut Vec<Finding>,
) -> Checks {
    let mut checks = demanded(draft);
    let demanded: BTreeSet<String> = checks.iter().map(|check| check.name.clone()).collect();
    taken.extend(demanded.iter().cloned());
    let mut left_out = Vec::new();
    let declared = expression::declared_checks(&draft.audit.sql);
    let unproven = unproven(audit, &draft.audit.name).filter(|_| !declared.is_empty());
    if let Some(why) = &unproven {
        findings.push(keys::warning(
            "check-left-out",
            format!(
                "the CHECK constraints of {} are left out: {why}. Correct the rows in the source",
                draft.audit.name
            ),
        ));
    }
    let facts = expression::Facts::of(draft);
    for source in declared {
        let wanted = source.name.as_ref().map(|name| names::written(policy, name));
        if wanted.as_ref().is_some_and(|name| demanded.contains(name)) {
            continue;
        }
        let translated = match &unproven {
            Some(why) => Err(why.clone()),
            None => expression::condition(&source.expression, &facts),
        };
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
