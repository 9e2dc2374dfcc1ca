//! What the server says when it refuses a row, told apart from what it says of anything else.

use super::super::ApplyError;
use crate::target::server_error;

/// Whether the server refuses rows, and not the work: whether it would be of use to find out which.
pub(in crate::apply) fn is_about_rows(error: &ApplyError) -> bool {
    match error {
        ApplyError::Server { error, .. } => is_refusal(error),
        // COPY counts what it wrote.
        ApplyError::Miscounted { read, written, .. } => written < read,
        _ => false,
    }
}

/// Whether the server refuses a row of those that it was sent.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    is_of_a_row(&server_error(error).code)
}

/// By the class of a SQLSTATE (PostgreSQL's manual, appendix "PostgreSQL Error Codes"): cardinality, data exceptions,
/// constraints, the check of a view, limits that a row breaks, what PL/pgSQL raises; and the classes that the SQL standard
/// leaves to functions of one's own.
fn is_of_a_row(code: &str) -> bool {
    /// Classes of PostgreSQL's own among those: resources, the server's state, intervention, the system, internal errors.
    const SERVER: [&str; 5] = ["53", "55", "57", "58", "XX"];
    let Some(class) = code.get(..2) else { return false };
    matches!(class, "21" | "22" | "23" | "44")
        || class.starts_with(|first| matches!(first, '5'..='9' | 'I'..='Z')) && !SERVER.contains(&class)
}

/// The column in COPY's context: `COPY tracks, line 3, column name`. In another language the words differ, and nothing is
/// found.
pub(super) fn column_in(context: &str) -> Option<&str> {
    let line = context.lines().find(|line| line.starts_with("COPY "))?;
    let (_, column) = line.split_once(", line ")?.1.split_once(", column ")?;
    Some(column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_that_a_row_can_be_to_blame_for() {
        for (code, expected) in [
            ("22P02", true),  // invalid_text_representation
            ("23505", true),  // unique_violation
            ("21000", true),  // cardinality_violation
            ("44000", true),  // with_check_option_violation
            ("54000", true),  // program_limit_exceeded: an index row that is too long
            ("P0001", true),  // raise_exception
            ("P0004", true),  // assert_failure
            ("ZZ001", true),  // a function's own
            ("08006", false), // connection_failure
            ("40001", false), // serialization_failure
            ("40P01", false), // deadlock_detected
            ("42P01", false), // undefined_table
            ("53100", false), // disk_full
            ("55P03", false), // lock_not_available
            ("57014", false), // query_canceled
            ("57P01", false), // admin_shutdown
            ("58030", false), // io_error
            ("25P02", false), // in_failed_sql_transaction
            ("XX000", false), // internal_error
            ("", false),      // no word of the server
        ] {
            assert_eq!(is_of_a_row(code), expected, "{code}");
        }
    }

    #[test]
    fn column_is_read_from_the_context_of_copy() {
        for (context, expected) in [
            ("COPY tracks, line 3, column name", Some("name")),
            ("PL/pgSQL function f() line 1 at RAISE\nCOPY tracks, line 3", None),
            ("PL/pgSQL function f(), line 1, column x", None),
            ("COPY \"a, line 1\", line 3, column b, c", Some("b, c")),
            ("", None),
        ] {
            assert_eq!(column_in(context), expected, "{context}");
        }
    }
}
