//! The checks that the target is to have, tried on the source's rows: SQLite is asked, where it would be asked the same.

use crate::{
    audit::{self, Audit, StorageClasses, TableAudit},
    mapping::OnInvalid,
    report::rows,
    schema::{ColumnCopy, Desired, Finding, PgType, Severity, TableCopy},
    source::Source,
    target,
    value::Reading,
};

/// What the rows say against the checks that the target is to have.
pub(super) fn broken_checks(source: &Source, audit: &Audit, desired: &Desired) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (table, copy) in desired.schema.tables.iter().zip(&desired.tables) {
        let Some(audited) = audit.table(&copy.source) else { continue };
        for check in table.checks.iter().filter(|check| is_for_cells(&check.expression, copy, audited)) {
            let Some(broken) = audit::rows_that_break(source, audited, &check.expression) else { continue };
            let (severity, way_out) = match copy.on_invalid {
                OnInvalid::Reject => (Severity::Warning, "They go to the rejects, as the mapping says"),
                _ => (Severity::Blocker, "Correct the rows, or the mapping"),
            };
            findings.push(Finding {
                severity,
                code: "check-broken",
                message: format!(
                    "{} of {} ({}) is broken by {}, first at {}. {way_out}",
                    check.name,
                    copy.source,
                    check.expression,
                    rows(broken.rows),
                    broken.first_key
                ),
            });
        }
    }
    findings
}

/// Whether a check says of the cells what it says of the values that they become. The others are left to the server.
fn is_for_cells(expression: &str, copy: &TableCopy, audited: &TableAudit) -> bool {
    let mentioned = target::identifiers(expression);
    let is_mentioned = |name: &str| mentioned.iter().any(|word| word.eq_ignore_ascii_case(name));
    copy.columns.iter().filter(|column| is_mentioned(&column.target)).all(|column| {
        audited.column(&column.source).is_some_and(|cells| stays_what_it_is(column, &cells.storage))
    })
}

/// Whether a column's values compare as its cells do: of their storage class, and each of them there.
fn stays_what_it_is(column: &ColumnCopy, cells: &StorageClasses) -> bool {
    let numbers_alone = cells.text + cells.blob == 0;
    let texts_alone = cells.integer + cells.real + cells.blob == 0;
    let is_class_kept = match column.pg_type {
        PgType::Boolean
        | PgType::SmallInt
        | PgType::Integer
        | PgType::BigInt
        | PgType::Numeric(_)
        | PgType::DoublePrecision => numbers_alone,
        // Of a day there is one text, in the order of days.
        PgType::Text | PgType::Varchar(_) | PgType::Date => texts_alone,
        PgType::Bytea => cells.integer + cells.real + cells.text == 0,
        // Labels have an order of their own.
        PgType::Enum(_) => false,
        // One moment, one `uuid`, one `jsonb` has many texts.
        PgType::Time | PgType::Timestamp | PgType::Timestamptz | PgType::Uuid | PgType::Jsonb => {
            numbers_alone && texts_alone
        }
    };
    column.reading == Reading::Plain && column.proven && is_class_kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Grounds;

    #[test]
    fn a_column_stays_what_it_is_where_its_cells_are_of_its_class() {
        let column = |pg_type, reading| ColumnCopy {
            source: "a".to_owned(),
            target: "a".to_owned(),
            pg_type,
            reading,
            on_invalid: OnInvalid::Fail,
            proven: true,
            texts_alone: false,
            reason: String::new(),
            grounds: Grounds::default(),
        };
        let integers = StorageClasses { integer: 3, null: 1, ..StorageClasses::default() };
        let texts = StorageClasses { text: 3, null: 1, ..StorageClasses::default() };
        for (pg_type, of_integers, of_texts) in [
            (PgType::Integer, true, false),
            (PgType::Numeric(None), true, false),
            (PgType::Text, false, true),
            (PgType::Date, false, true),
            (PgType::Timestamptz, false, false),
            (PgType::Uuid, false, false),
        ] {
            assert_eq!(
                stays_what_it_is(&column(pg_type, Reading::Plain), &integers),
                of_integers,
                "{pg_type}"
            );
            assert_eq!(stays_what_it_is(&column(pg_type, Reading::Plain), &texts), of_texts, "{pg_type}");
        }
        assert!(!stays_what_it_is(&column(PgType::Timestamp, Reading::EpochSeconds), &integers));
        let unproven = ColumnCopy { proven: false, ..column(PgType::Integer, Reading::Plain) };
        assert!(!stays_what_it_is(&unproven, &integers));
    }
}
