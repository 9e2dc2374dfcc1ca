//! Column defaults: what SQLite wrote, as PostgreSQL writes it.
//!
//! A default that is a literal is carried over as a value of the target type, through the same reading as the cells.
//! A small table holds the expressions that mean the same in both; whatever else there is gets dropped with a warning,
//! never quoted as if it were a string.

use rusqlite::types::{Value as Cell, ValueRef};

use crate::{
    schema::PgType,
    value::{self, Reading, Value},
};

/// SQLite's moments, as PostgreSQL expressions for text, `timestamp`, `timestamptz`, `date`, `time` and `bigint`.
/// SQLite's `CURRENT_TIMESTAMP` is UTC, whatever the session's zone is ("Column Default Values").
const MOMENTS: &[(&[&str], PgType, &str)] = &[
    (&["current_timestamp", "datetime('now')"], PgType::Timestamptz, "now()"),
    (&["current_timestamp", "datetime('now')"], PgType::Timestamp, "(now() AT TIME ZONE 'UTC')"),
    (
        &["current_timestamp", "datetime('now')"],
        PgType::Text,
        "to_char((now() AT TIME ZONE 'UTC'), 'YYYY-MM-DD HH24:MI:SS')",
    ),
    (&["current_date", "date('now')"], PgType::Date, "((now() AT TIME ZONE 'UTC'))::date"),
    (&["current_date", "date('now')"], PgType::Text, "to_char((now() AT TIME ZONE 'UTC'), 'YYYY-MM-DD')"),
    (&["current_time", "time('now')"], PgType::Time, "((now() AT TIME ZONE 'UTC'))::time(0)"),
    (&["current_time", "time('now')"], PgType::Text, "to_char((now() AT TIME ZONE 'UTC'), 'HH24:MI:SS')"),
    (
        &["strftime('%s','now')", "cast(strftime('%s','now')asinteger)", "unixepoch()", "unixepoch('now')"],
        PgType::BigInt,
        "floor(EXTRACT(epoch FROM now()))::bigint",
    ),
];

/// Translates a default's SQL text (`PRAGMA table_xinfo`) for a column of this type.
///
/// `Ok(None)`: there is none, or it is NULL. `Err`: it cannot be carried over; why, in a few words.
pub(super) fn translate(sql: &str, pg_type: PgType) -> Result<Option<String>, String> {
    let text = without_brackets(sql.trim());
    if let Some(expression) = moment(text, pg_type) {
        return Ok(Some(expression));
    }
    let cell = literal(text).ok_or_else(|| "it is an expression without a known counterpart".to_owned())?;
    let cell = with_affinity(cell, pg_type);
    match value::read(ValueRef::from(&cell), &pg_type, &Reading::Plain) {
        Ok(Value::Null) => Ok(None),
        Ok(value) => Ok(Some(write(&cell, &value, pg_type))),
        Err(misfit) => Err(format!("it is no {pg_type}: {misfit}")),
    }
}

/// Takes off brackets that stand around the whole expression.
fn without_brackets(sql: &str) -> &str {
    let mut text = sql;
    while let Some(inner) = text.strip_prefix('(').and_then(|t| t.strip_suffix(')')) {
        let mut depth = 0i32;
        if inner.chars().any(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth < 0
        }) {
            break;
        }
        text = inner.trim();
    }
    text
}

fn moment(text: &str, pg_type: PgType) -> Option<String> {
    let folded: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let pg_type = if matches!(pg_type, PgType::Varchar(_)) { PgType::Text } else { pg_type };
    MOMENTS
        .iter()
        .find(|(spellings, for_type, _)| *for_type == pg_type && spellings.contains(&folded.as_str()))
        .map(|(_, _, expression)| (*expression).to_owned())
}

/// Reads a literal of SQLite's ("SQL As Understood By SQLite", "Literal Values").
fn literal(text: &str) -> Option<Cell> {
    let quoted = |quote: char| {
        let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
        let doubled: String = [quote, quote].iter().collect();
        (!inner.replace(&doubled, "").contains(quote)).then(|| inner.replace(&doubled, &quote.to_string()))
    };
    if let Some(string) = quoted('\'').or_else(|| quoted('"')) {
        return Some(Cell::Text(string));
    }
    match text.to_ascii_lowercase().as_str() {
        "null" => return Some(Cell::Null),
        "true" => return Some(Cell::Integer(1)),
        "false" => return Some(Cell::Integer(0)),
        _ => {}
    }
    if let Some(hex) = text.strip_prefix(['x', 'X']).and_then(|t| t.strip_prefix('\'')?.strip_suffix('\'')) {
        let digits: Option<Vec<u32>> = hex.chars().map(|c| c.to_digit(16)).collect();
        let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
        return Some(Cell::Blob(digits.chunks(2).map(|pair| (pair[0] * 16 + pair[1]) as u8).collect()));
    }
    let number = text.strip_prefix('+').unwrap_or(text).replace(' ', "");
    if let Ok(integer) = number.parse::<i64>() {
        return Some(Cell::Integer(integer));
    }
    let looks_real = number.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '-')
        && number.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    number.parse::<f64>().ok().filter(|real| looks_real && real.is_finite()).map(Cell::Real)
}

/// SQLite applies the column's affinity to a default; the target type stands for it here.
fn with_affinity(cell: Cell, pg_type: PgType) -> Cell {
    match (&cell, pg_type) {
        (Cell::Text(text), PgType::DoublePrecision) => text.parse::<f64>().map(Cell::Real).unwrap_or(cell),
        (Cell::Real(real), PgType::SmallInt | PgType::Integer | PgType::BigInt)
            if real.fract() == 0.0 && real.abs() < 9e15 =>
        {
            Cell::Integer(*real as i64)
        }
        _ => cell,
    }
}

/// Writes a value as a PostgreSQL literal.
fn write(cell: &Cell, value: &Value<'_>, pg_type: PgType) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::Integer(integer) => integer.to_string(),
        Value::Double(double) => format!("'{double}'::double precision"),
        Value::Numeric(decimal) => decimal.to_string(),
        // Backslashes are plain characters: standard_conforming_strings is on since PostgreSQL 9.1.
        Value::Text(text) => quoted(text),
        Value::Jsonb(text) => format!("{}::jsonb", quoted(text)),
        Value::Bytea(bytes) => {
            let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            format!("'\\x{hex}'::bytea")
        }
        Value::Date(_) | Value::Time(_) | Value::Timestamp(_) | Value::Timestamptz(_) | Value::Uuid(_) => {
            // It was read from a text in the type's own full form, which PostgreSQL reads alike.
            let text = if let Cell::Text(text) = cell { text.as_str() } else { "" };
            format!("{}::{pg_type}", quoted(text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_and_moments() {
        for (sql, pg_type, expected) in [
            ("0", PgType::Boolean, Ok(Some("false"))),
            ("'t'", PgType::Boolean, Ok(Some("true"))),
            ("((42))", PgType::BigInt, Ok(Some("42"))),
            ("-1", PgType::BigInt, Ok(Some("-1"))),
            ("'it''s'", PgType::Text, Ok(Some("'it''s'"))),
            ("\"double\"", PgType::Text, Ok(Some("'double'"))),
            ("5", PgType::Text, Ok(Some("'5'"))),
            ("'7'", PgType::BigInt, Ok(Some("7"))),
            ("1.5", PgType::DoublePrecision, Ok(Some("'1.5'::double precision"))),
            ("x'00ff'", PgType::Bytea, Ok(Some("'\\x00ff'::bytea"))),
            ("'{}'", PgType::Jsonb, Ok(Some("'{}'::jsonb"))),
            ("NULL", PgType::Text, Ok(None)),
            ("CURRENT_TIMESTAMP", PgType::Timestamptz, Ok(Some("now()"))),
            ("(datetime('now'))", PgType::Timestamp, Ok(Some("(now() AT TIME ZONE 'UTC')"))),
            ("strftime('%s', 'now')", PgType::BigInt, Ok(Some("floor(EXTRACT(epoch FROM now()))::bigint"))),
        ] {
            let translated = translate(sql, pg_type);
            assert_eq!(translated.as_ref().map(Option::as_deref), expected.as_ref().map(|e| *e), "{sql}");
        }
        for (sql, pg_type) in [
            ("(abs(random()))", PgType::BigInt),
            ("'soon'", PgType::Date),
            ("CURRENT_TIMESTAMP", PgType::BigInt),
            ("('a' || 'b')", PgType::Text),
        ] {
            assert!(translate(sql, pg_type).is_err(), "{sql}");
        }
    }
}
