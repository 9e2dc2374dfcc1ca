//! A table's rows in ranges of pages.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{quote_identifier, sql_text};

/// Pages in a range: 2 MiB of them, so that whoever wants one of its rows does not wait for long.
const PAGES: i64 = 256;

/// Conditions that together hold for each row of the table that an UPDATE is about, and each for 2 MiB of it at most, but for
/// what is behind the end that the table has now (PostgreSQL's manual, 5.5, `ctid`).
pub(super) async fn of<C: ConnectionTrait>(connection: &C, update: &str) -> Result<Vec<String>, DbErr> {
    let names = sql_text::names(update);
    let table = names.iter().find(|name| !["update", "only"].contains(&name.as_str()));
    let sql = "SELECT coalesce(pg_relation_size(to_regclass($1)) / current_setting('block_size')::bigint, 0)";
    let quoted = table.map(|table| quote_identifier(table)).unwrap_or_default();
    let question = Statement::from_sql_and_values(connection.get_database_backend(), sql, [quoted.into()]);
    let row = connection.query_one_raw(question).await?;
    let pages: i64 = row.map_or(Ok(0), |row| row.try_get_by_index(0))?;
    let mut ranges = Vec::new();
    let mut from = 0;
    while from + PAGES < pages {
        let to = from + PAGES;
        ranges.push(format!("ctid >= '({from},0)' AND ctid < '({to},0)'"));
        from = to;
    }
    ranges.push(format!("ctid >= '({from},0)'"));
    Ok(ranges)
}
