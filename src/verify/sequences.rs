//! Identity sequences: whether the next value of each is one that nobody has.

use serde::{Deserialize, Serialize};
use sqlx::{AssertSqlSafe, PgPool};

use super::VerifyError;
use crate::{
    inspect::Catalogue,
    schema::{TableCopy, render},
};

/// An identity column's sequence, and how it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceState {
    /// The table.
    pub table: String,
    /// The identity column.
    pub column: String,
    /// The highest value that was ever used in the source.
    pub at_least: i64,
    /// The last value that the sequence has given; `None`: it could not be read.
    pub stands_at: Option<i64>,
    /// What is not as it should be.
    pub problem: Option<String>,
}

/// What the sequences should be.
pub(super) fn expected(tables: &[TableCopy]) -> Vec<SequenceState> {
    let sequence = |table: &TableCopy| {
        let sequence = table.sequence.as_ref()?;
        let (table, column) = (table.target.clone(), sequence.column.clone());
        Some(SequenceState { table, column, at_least: sequence.last_value, stands_at: None, problem: None })
    };
    tables.iter().filter_map(sequence).collect()
}

/// Reads the sequences, and gives what is wrong in sentences.
///
/// # Errors
/// A sequence cannot be read.
pub(super) async fn judge(
    pool: &PgPool,
    schema: &str,
    live: &Catalogue,
    sequences: &mut [SequenceState],
) -> Result<Vec<String>, VerifyError> {
    let mut sentences = Vec::new();
    for sequence in sequences {
        let Some(table) = live.tables.get(&sequence.table) else {
            sequence.problem = Some("its table is missing".to_owned());
            continue;
        };
        if !table.columns.iter().any(|column| column.name == sequence.column) {
            sequence.problem = Some("its column is missing".to_owned());
            continue;
        }
        (sequence.stands_at, sequence.problem) = state(pool, schema, sequence).await.map_err(|error| {
            let what = format!("the sequence of table `{}` could not be read", sequence.table);
            VerifyError::target(what, &error)
        })?;
        let SequenceState { table, column, problem, .. } = sequence;
        sentences.extend(problem.as_ref().map(|problem| format!("{table}.{column}: {problem}")));
    }
    Ok(sentences)
}

/// Where a sequence stands, and what is wrong with that.
async fn state(
    pool: &PgPool,
    schema: &str,
    sequence: &SequenceState,
) -> sqlx::Result<(Option<i64>, Option<String>)> {
    let name = format!("{}.{}", render::quoted(schema), render::quoted(&sequence.table));
    let of: Option<String> = sqlx::query_scalar("SELECT pg_get_serial_sequence($1, $2)")
        .bind(&name)
        .bind(&sequence.column)
        .fetch_one(pool)
        .await?;
    let Some(of) = of else { return Ok((None, Some("it has no sequence".to_owned()))) };
    // pg_get_serial_sequence quotes the name where it needs quotes.
    let sql = format!(
        "SELECT CASE WHEN is_called THEN last_value ELSE last_value - 1 END, (SELECT max({})::bigint FROM {name}), \
         seqincrement, CASE WHEN seqmax < CASE seqtypid WHEN 'smallint'::regtype THEN 32767 WHEN 'integer'::regtype \
         THEN 2147483647 ELSE 9223372036854775807 END THEN seqmax END FROM {of}, pg_sequence WHERE seqrelid = to_regclass($1)",
        render::quoted(&sequence.column)
    );
    // A limit below that of its type; what the type ends at, the source may have come to as well.
    let (stands_at, highest, increment, limit): (i64, Option<i64>, i64, Option<i64>) =
        sqlx::query_as(AssertSqlSafe(sql)).bind(&of).fetch_one(pool).await?;
    let needed = highest.unwrap_or(0).max(sequence.at_least);
    let problem = if increment < 1 {
        Some(format!("its sequence counts by {increment}, towards values that are taken"))
    } else if let Some(limit) = limit.filter(|limit| *limit <= needed) {
        Some(format!("its sequence ends at {limit}, and {needed} is taken"))
    } else {
        (stands_at < needed).then(|| format!("its sequence stands at {stands_at}, and {needed} is taken"))
    };
    Ok((Some(stands_at), problem))
}
