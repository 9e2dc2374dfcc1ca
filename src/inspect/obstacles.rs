//! What stands against a change, before it is tried: objects that hang on its column ([`super::dependents`]), and what rows that
//! are there say of it, before it is tried: NULL where none may be, duplicates, orphans, rows that
//! break a check, values that another type does not take or would lose something of.
//!
//! Only queries; the one function that tries a conversion is made in `pg_temp` in a transaction that is rolled back.

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::{InspectError, Live, dependents::dependents, rows::Rows, scratch};
use crate::{
    diff::Former,
    schema::{
        Change, Column, Conversion, Desired, Finding, IndexKey, IndexPart, PgType, Severity, render::quoted,
    },
    target::Target,
};

/// Said of rows that a new partition would have to take out of the default one.
const IN_DEFAULT: &str = "of that time, in the default partition";

/// What stands against a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// The change's position among those that were asked about.
    pub change: usize,
    /// The change, for people.
    summary: String,
    /// What the rows do.
    verdict: Verdict,
}

/// What rows say of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    /// The server will refuse it.
    Refused { rows: u64, first_key: String, what: &'static str },
    /// These values become others that do not say as much.
    Lossy { rows: u64, first_key: String },
    /// All values were looked at: none is refused, and none loses anything.
    Kept,
    /// Something of somebody else's hangs on the column.
    Held { by: String },
}

impl Obstacle {
    /// Whether all values were looked at, and nothing of one is lost.
    #[must_use]
    pub fn nothing_is_lost(&self) -> bool {
        self.verdict == Verdict::Kept
    }

    /// What to say of it.
    #[must_use]
    pub fn finding(&self) -> Option<Finding> {
        let counted = |rows: &u64| if *rows == 1 { "1 row".to_owned() } else { format!("{rows} rows") };
        let (severity, code, message) = match &self.verdict {
            Verdict::Kept => return None,
            Verdict::Held { by } => {
                let message = format!(
                    "{}: {by}. Drop that and make it again afterwards, or let the mapping leave the column as it is",
                    self.summary
                );
                (Severity::Blocker, "column-in-use", message)
            }
            Verdict::Refused { rows, first_key, what } => {
                let rows = counted(rows);
                let way_out = match *what {
                    IN_DEFAULT => "Take them out of there, and put them back once the partition is made",
                    _ => "Correct them in the target, or change the mapping",
                };
                let message = format!(
                    "{}: refused by {rows} ({what}), the first at {first_key}. {way_out}",
                    self.summary
                );
                (Severity::Blocker, "rows-in-the-way", message)
            }
            Verdict::Lossy { rows, first_key } => {
                let rows = counted(rows);
                let message = format!(
                    "{}: something is lost in {rows}, the first at {first_key}. Correct them in the target, or say --allow \
                     lossy-conversion",
                    self.summary
                );
                (Severity::Warning, "lossy-conversion", message)
            }
        };
        Some(Finding { severity, code, message })
    }
}

/// A question about the rows of a table.
struct Question {
    /// What stands in FROM for the table.
    rows: String,
    /// True for the rows that it is about; `r` is the row.
    condition: String,
    what: &'static str,
}

/// Asks what hangs on the columns that these changes are about, and the rows of tables that hold any what they say. `live` is the
/// target as it will be once the declared renames are made, `former` says what it is called until then.
///
/// # Errors
/// [`InspectError`], where the server does not answer.
pub async fn obstacles(
    target: &Target,
    changes: &[Change],
    desired: &Desired,
    live: &Live,
    former: &Former,
) -> Result<Vec<Obstacle>, InspectError> {
    let holds_rows = |table: &str| live.rows.get(table).is_some_and(|&rows| rows > 0);
    // A parent whose rows are still to be copied says nothing yet.
    let has_parents = |change: &Change| match change {
        Change::AddForeignKey { foreign_key, .. } => {
            let parent = desired.tables.iter().find(|copy| copy.target == foreign_key.parent_table);
            parent.is_none_or(|parent| parent.rows == 0) || holds_rows(&foreign_key.parent_table)
        }
        _ => true,
    };
    let in_use = |change: &Change| holds_rows(change.table()) && has_parents(change);
    let held = dependents(target, changes, desired, live, former).await?.into_iter();
    let mut found: Vec<Obstacle> = held
        .map(|(at, by)| Obstacle {
            change: at,
            summary: changes[at].summary(),
            verdict: Verdict::Held { by },
        })
        .collect();
    let asked: Vec<(usize, &Change)> =
        changes.iter().enumerate().filter(|(_, change)| in_use(change)).collect();
    if asked.is_empty() {
        return Ok(found);
    }
    let mut rows = Rows::after(changes, live, former);
    let mut connection = target.pool.acquire().await?;
    for (at, change) in asked {
        let mut transaction = connection.begin().await?;
        scratch::set_path(&mut transaction, &[&target.schema, "public"]).await?;
        let key = key_text(desired, live, change.table());
        let verdict = match change {
            Change::AlterType { table, column, from, conversion, .. } => {
                let types = (column.name.as_str(), *from, column.pg_type);
                let verdict =
                    converted(&mut transaction, &rows.there(table), types, conversion, &key).await?;
                if matches!(verdict, Some(Verdict::Refused { .. })) {
                    rows.leave(table, &column.name);
                }
                verdict
            }
            // What another type or name makes of an expression is not known before it is there.
            Change::AddColumn { table, .. } | Change::FillColumn { table, .. }
                if retypes(changes, table) || former.concerns(table) =>
            {
                None
            }
            Change::AddColumn {
                table,
                column: Column { generated: Some(expression), pg_type, not_null, .. },
            } => computed(&mut transaction, table, (*pg_type, *not_null, expression), &key).await?,
            Change::AddColumn { .. } => None,
            Change::FillColumn { table, fill } => {
                computed(&mut transaction, table, (fill.pg_type, false, &fill.expression), &key).await?
            }
            change => match question(change, &rows) {
                Some(question) => refused(&mut transaction, &question, &key).await?,
                None => None,
            },
        };
        transaction.rollback().await?;
        found.extend(verdict.map(|verdict| Obstacle { change: at, summary: change.summary(), verdict }));
    }
    Ok(found)
}

/// The condition under which the server refuses a change, over rows as they are when it is made.
fn question(change: &Change, rows: &Rows<'_>) -> Option<Question> {
    let from = rows.of(change.table());
    let of = |columns: &[String], row: &str| -> Vec<String> {
        columns.iter().map(|column| format!("{row}.{}", quoted(column))).collect()
    };
    let (condition, what) = match change {
        Change::SetNotNull { column, .. } => (format!("r.{} IS NULL", quoted(column)), "NULL"),
        Change::AddCheck { check, .. } => (format!("NOT ({})", check.expression), "the check does not hold"),
        // NULL in a primary key is asked for by the change that forbids it. Beside another condition the rows would be held
        // against one another one by one.
        Change::AddKey { key, .. } => {
            let columns: Vec<String> = key.columns.iter().map(|column| quoted(column)).collect();
            (twice(&from, &columns, None), "duplicates")
        }
        Change::CreateIndex { index, .. } | Change::ReplaceIndex { index, .. } if index.unique => {
            let part = |part: &IndexPart| match &part.key {
                IndexKey::Column(name) => quoted(name),
                IndexKey::Expression(expression) => format!("({expression})"),
            };
            let parts: Vec<String> = index.parts.iter().map(part).collect();
            let twice = match index.nulls_not_distinct {
                true => twice_or_null,
                false => twice,
            };
            (twice(&from, &parts, index.predicate.as_deref()), "duplicates")
        }
        // Validated later, as a change of its own.
        Change::AddForeignKey { foreign_key, .. } if foreign_key.valid => {
            let pairs = of(&foreign_key.columns, "r").into_iter().zip(of(&foreign_key.parent_columns, "p"));
            let equal: Vec<String> = pairs.map(|(child, parent)| format!("{parent} = {child}")).collect();
            let given = of(&foreign_key.columns, "r").join(" IS NOT NULL AND ") + " IS NOT NULL";
            let parent = rows.of(&foreign_key.parent_table);
            let orphan = format!("NOT EXISTS (SELECT FROM {parent} AS p WHERE {})", equal.join(" AND "));
            (format!("{given} AND {orphan}"), "no parent")
        }
        // No other partition takes such a row, so it lies in the default one.
        Change::AddPartition { column, partition, .. } => (partition.condition(column)?, IN_DEFAULT),
        _ => return None,
    };
    Some(Question { rows: from, condition, what })
}

/// True for rows that another one equals in these expressions, none of which is NULL.
fn twice(from: &str, parts: &[String], predicate: Option<&str>) -> String {
    let list = parts.join(", ");
    let only = predicate.map(|predicate| format!("({predicate})"));
    let within = only.iter().map(|only| format!("WHERE {only} ")).next().unwrap_or_default();
    let of_these = only.iter().map(|only| format!("{only} AND ")).next().unwrap_or_default();
    format!(
        "{of_these}({list}) IN (SELECT {list} FROM {from} AS twin {within}GROUP BY {list} HAVING count(*) > 1)"
    )
}

/// True for rows that another one equals in these expressions, where NULL equals NULL.
fn twice_or_null(from: &str, parts: &[String], predicate: Option<&str>) -> String {
    let alias = |at: usize| quoted(&format!("mtm_part_{at}"));
    let named: Vec<String> =
        parts.iter().enumerate().map(|(at, part)| format!("{part} AS {}", alias(at))).collect();
    let equal: Vec<String> = parts
        .iter()
        .enumerate()
        .map(|(at, part)| format!("twice.{} IS NOT DISTINCT FROM {part}", alias(at)))
        .collect();
    let of_these = predicate.map(|predicate| format!("({predicate}) AND ")).unwrap_or_default();
    let within = predicate.map(|predicate| format!("WHERE ({predicate}) ")).unwrap_or_default();
    format!(
        "{of_these}EXISTS (SELECT FROM (SELECT {} FROM {from} AS twin {within}GROUP BY {} HAVING count(*) > 1) AS twice WHERE {})",
        named.join(", "),
        parts.join(", "),
        equal.join(" AND ")
    )
}

async fn refused(
    connection: &mut PgConnection,
    question: &Question,
    key: &str,
) -> Result<Option<Verdict>, InspectError> {
    let Question { rows, condition, what } = question;
    // What cannot be asked yet (a column that this plan adds, types that do not compare) is left to the change itself.
    let found = match count(connection, rows, condition, key).await {
        Ok(found) => found,
        Err(InspectError::Query(sqlx::Error::Database(_))) => return Ok(None),
        Err(error) => return Err(error),
    };
    Ok(found.map(|(rows, first_key)| Verdict::Refused { rows, first_key, what }))
}

/// What the value to convert is called in the function that tries it.
const VALUE: &str = "mtm_value";

/// What becomes of the values of a column: the conversion is tried with every one.
async fn converted(
    connection: &mut PgConnection,
    table: &str,
    (column, from, to): (&str, PgType, PgType),
    conversion: &Conversion,
    key: &str,
) -> Result<Option<Verdict>, InspectError> {
    let refused = |(rows, first_key)| {
        Ok(Some(Verdict::Refused { rows, first_key, what: "values that the type does not take" }))
    };
    if let Some(takes) = conversion.takes_sql(column) {
        if let Some(found) = count(connection, table, &format!("NOT ({takes})"), key).await? {
            return refused(found);
        }
    } else if conversion.may_fail {
        // The value has a name of ours, so that nothing of the column's own name stands in the function's body.
        let value = conversion.using_sql(VALUE).unwrap_or_else(|| quoted(VALUE));
        // An assignment to a variable of the type is what ALTER COLUMN … TYPE does with the value.
        let body = format!(
            "DECLARE mtm_converted {to}; BEGIN mtm_converted := {value}; RETURN true; \
             EXCEPTION WHEN data_exception OR string_data_right_truncation OR numeric_value_out_of_range \
             OR invalid_text_representation THEN RETURN false; END"
        );
        let create = format!(
            "CREATE FUNCTION pg_temp.mtm_fits({} {from}) RETURNS boolean LANGUAGE plpgsql AS '{}'",
            quoted(VALUE),
            body.replace('\'', "''")
        );
        connection.execute(AssertSqlSafe(create)).await?;
        let name = quoted(column);
        let condition = format!("r.{name} IS NOT NULL AND NOT pg_temp.mtm_fits(r.{name})");
        if let Some(found) = count(connection, table, &condition, key).await? {
            return refused(found);
        }
    }
    let Some(keeps) = conversion.keeps_sql(column) else { return Ok(None) };
    let found =
        count(connection, table, &format!("r.{} IS NOT NULL AND NOT ({keeps})", quoted(column)), key).await?;
    Ok(Some(found.map_or(Verdict::Kept, |(rows, first_key)| Verdict::Lossy { rows, first_key })))
}

/// Whether a column of a table gets another type.
fn retypes(changes: &[Change], of: &str) -> bool {
    changes.iter().any(|change| matches!(change, Change::AlterType { table, .. } if table == of))
}

/// What a new column's expression makes of the rows: it is computed for every one.
async fn computed(
    connection: &mut PgConnection,
    table: &str,
    (pg_type, not_null, expression): (PgType, bool, &str),
    key: &str,
) -> Result<Option<Verdict>, InspectError> {
    let (what, verdict) = match not_null {
        true => ("the expression fails, or gives NULL", "mtm_generated IS NOT NULL"),
        false => ("the expression fails", "true"),
    };
    let name = quoted(table);
    // The row stands there under its table's name, so that the expression says the same as in the table.
    let body = format!(
        "#variable_conflict use_column\nDECLARE mtm_generated {pg_type}; BEGIN \
         SELECT ({expression}) INTO mtm_generated FROM (SELECT (mtm_row).*) AS {name}; RETURN {verdict}; \
         EXCEPTION WHEN data_exception THEN RETURN false; END"
    );
    let create = format!(
        "CREATE FUNCTION pg_temp.mtm_generates(mtm_row {name}) RETURNS boolean LANGUAGE plpgsql AS '{}'",
        body.replace('\'', "''")
    );
    connection.execute(AssertSqlSafe(create)).await?;
    let question = Question { rows: name, condition: "NOT pg_temp.mtm_generates(r)".to_owned(), what };
    refused(connection, &question, key).await
}

/// The rows of a table under a condition, and the first one's key.
async fn count(
    connection: &mut PgConnection,
    rows: &str,
    condition: &str,
    key: &str,
) -> Result<Option<(u64, String)>, InspectError> {
    let sql = format!("SELECT count(*), coalesce(min({key}), '') FROM {rows} AS r WHERE {condition}");
    // A savepoint, so that what is refused does not end the transaction.
    let mut savepoint = connection.begin().await?;
    let row: (i64, String) =
        sqlx::query_as(AssertSqlSafe(sql)).persistent(false).fetch_one(&mut *savepoint).await?;
    savepoint.commit().await?;
    Ok((row.0 > 0).then(|| (row.0.unsigned_abs(), row.1)))
}

/// An expression that names a row for people: its primary key, else where it stands.
fn key_text(desired: &Desired, live: &Live, table: &str) -> String {
    let there = |name: &String| {
        let columns =
            live.catalogue.tables.get(table).map(|table| table.columns.as_slice()).unwrap_or_default();
        columns.iter().any(|column| column.name == *name)
    };
    let copy = desired.tables.iter().find(|copy| copy.target == table);
    let names: Vec<String> = copy
        .into_iter()
        .flat_map(|copy| copy.key.iter().filter_map(|&at| copy.columns.get(at)))
        .map(|column| column.target.clone())
        .filter(there)
        .collect();
    if names.is_empty() {
        return "'ctid ' || r.ctid::text".to_owned();
    }
    let part = |name: &String| {
        let shown = name.replace('\'', "''");
        format!("'{shown}=' || coalesce(left(r.{}::text, 80), 'NULL')", quoted(name))
    };
    names.iter().map(part).collect::<Vec<_>>().join(" || ', ' || ")
}
