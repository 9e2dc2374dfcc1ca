//! The target's columns: type, collation, NOT NULL, default, identity.

use super::{Draft, defaults, entry_of, types};
use crate::{
    mapping::{Mistake, OnInvalid},
    schema::{Column, Finding, Key, PgType, Severity},
};

/// The target's columns: the source's, then those that the mapping adds.
pub(super) fn columns(
    draft: &Draft<'_>,
    keys: &[Key],
    findings: &mut Vec<Finding>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<Column> {
    let audit = draft.audit;
    let mut columns: Vec<Column> = Vec::with_capacity(audit.columns.len());
    for (at, source) in audit.columns.iter().enumerate() {
        let entry = entry_of(draft, source);
        let settled = &draft.settled[at];
        let is_rowid = audit.rowid_alias.as_deref() == Some(source.name.as_str());
        let identity =
            is_rowid && matches!(settled.pg_type, PgType::SmallInt | PgType::Integer | PgType::BigInt);
        let in_primary = keys.iter().any(|key| key.primary && key.columns.contains(&draft.column_names[at]));
        let wanted = entry.and_then(|entry| entry.not_null);
        let not_null = wanted.unwrap_or(source.not_null) || in_primary;
        let has_nulls = source.storage.null > 0;
        if has_nulls && wanted == Some(true) {
            let (severity, way_out) = match draft.on_invalid() {
                OnInvalid::Reject => (Severity::Warning, "They go to the rejects, as the mapping says"),
                _ => (Severity::Blocker, "Correct them, or take `not_null` away"),
            };
            findings.push(Finding {
                severity,
                code: "null-in-not-null",
                message: format!(
                    "{}.{} is to be NOT NULL, and {} hold NULL. {way_out}",
                    audit.name,
                    source.name,
                    types::rows(source.storage.null)
                ),
            });
        } else if has_nulls && not_null {
            findings.push(Finding {
                severity: Severity::Warning,
                code: "null-in-not-null",
                message: format!(
                    "{}.{} is declared NOT NULL, and {} hold NULL all the same: the column becomes nullable",
                    audit.name,
                    source.name,
                    types::rows(source.storage.null)
                ),
            });
        }
        if settled.on_invalid == OnInvalid::SetNull
            && not_null
            && let Some(placed) = entry.and_then(|entry| entry.on_invalid.as_ref())
        {
            mistakes.push(Mistake::at(
                &placed.place,
                &format!("`set_null` does not go with {}: the column is NOT NULL", source.name),
                Some("say `not_null: false` too, or another `on_invalid`"),
            ));
        }
        let default = match entry.and_then(|entry| entry.default.clone()) {
            Some(default) => Some(default),
            None if identity => None,
            None => source.default.as_deref().and_then(|sql| {
                defaults::translate(sql, settled.pg_type).unwrap_or_else(|why| {
                    findings.push(Finding {
                        severity: Severity::Warning,
                        code: "default-left-out",
                        message: format!(
                            "{}.{}: the default {sql} is left out: {why}. Say `default:` in the mapping to have one",
                            audit.name, source.name
                        ),
                    });
                    None
                })
            }),
        };
        columns.push(Column {
            name: draft.column_names[at].clone(),
            pg_type: settled.pg_type,
            collation: entry.and_then(|entry| entry.collate.clone()),
            not_null: not_null && !(has_nulls && wanted != Some(true)),
            default,
            identity,
            generated: None,
            comment: entry.and_then(|entry| entry.comment.clone()),
        });
    }
    for added in draft.entry.iter().flat_map(|entry| &entry.add_columns) {
        if columns.iter().any(|column| column.name == added.name.value) {
            mistakes.push(Mistake::at(
                &added.name.place,
                &format!("table {} has a column named `{}` already", audit.name, added.name.value),
                Some("give its type under `columns`, or choose another name"),
            ));
            continue;
        }
        columns.push(Column {
            name: added.name.value.clone(),
            pg_type: added.pg_type.value,
            collation: None,
            not_null: added.not_null,
            default: added.default.clone(),
            identity: false,
            generated: added.generated.clone(),
            comment: added.comment.clone(),
        });
    }
    columns
}
