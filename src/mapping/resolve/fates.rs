//! What becomes of every object in `sqlite_schema`: nothing vanishes silently.

use super::Draft;
use crate::{
    audit::Audit,
    schema::{Fate, Outcome},
};

/// Makes one.
pub(super) fn fate(kind: &'static str, name: &str, outcome: Outcome) -> Fate {
    Fate { kind, name: name.to_owned(), outcome }
}

/// Of everything that is no ordinary table and no index of one.
pub(super) fn of_others(audit: &Audit) -> Vec<Fate> {
    const REASONS: &[(&str, &str)] = &[
        ("view", "views are not translated: their SQL is SQLite's"),
        ("trigger", "triggers are not translated: their SQL is SQLite's"),
        ("virtual table", "its rows belong to a SQLite module; PostgreSQL has none like it"),
        ("shadow table", "it is the storage of a virtual table"),
        ("internal table", "SQLite keeps it for itself"),
    ];
    audit
        .others
        .iter()
        .map(|other| {
            let reason =
                REASONS.iter().find(|(kind, _)| *kind == other.kind).map_or("not built yet", |(_, why)| why);
            let reason = other
                .belongs_to
                .as_ref()
                .map_or_else(|| reason.to_owned(), |owner| format!("{reason} ({owner})"));
            fate(other.kind, &other.name, Outcome::LeftOut(reason))
        })
        .collect()
}

/// Of an ordinary table: carried over, with a word on what it loses.
pub(super) fn of_table(draft: &Draft<'_>, checks_left_out: &[String]) -> Fate {
    let mut losses = Vec::new();
    let computed: Vec<&str> = draft
        .audit
        .columns
        .iter()
        .filter(|column| column.generated)
        .map(|column| column.name.as_str())
        .collect();
    if !computed.is_empty() {
        losses.push(format!("computed columns become plain ones with their values: {}", computed.join(", ")));
    }
    if !checks_left_out.is_empty() {
        losses.push(format!(
            "CHECK constraints are left out ({}); name them under `checks` in the mapping",
            checks_left_out.join("; ")
        ));
    }
    let outcome = if losses.is_empty() {
        Outcome::Migrated(draft.target.clone())
    } else {
        Outcome::Translated(format!("{}; {}", draft.target, losses.join("; ")))
    };
    fate("table", &draft.audit.name, outcome)
}
