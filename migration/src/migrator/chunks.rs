//! A table's rows in ranges of pages.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{quote_identifier, sql_text};

/// Pages of rows in a range, with those in which long values are kept beside them: 2 MiB, so that whoever wants one of the rows
/// does not wait for long.
const PAGES: i64 = 256;

/// Conditions that together hold for each row of the table that an UPDATE is about, and each for 2 MiB of it at most, but for
/// what is behind the end that the table has now (PostgreSQL's manual, 5.5, `ctid`).
pub(super) async fn of<C: ConnectionTrait>(connection: &C, update: &str) -> Result<Vec<String>, DbErr> {
    let names = sql_text::names(update);
    let table = names.iter().find(|name| !["update", "only"].contains(&name.as_str()));
    let sql = "SELECT coalesce(pg_relation_size(to_regclass($1)), 0) / current_setting('block_size')::bigint,
                      coalesce(pg_table_size(to_regclass($1)), 0) / current_setting('block_size')::bigint";
    let quoted = table.map(|table| quote_identifier(table)).unwrap_or_default();
    let question = Statement::from_sql_and_values(connection.get_database_backend(), sql, [quoted.into()]);
    let row = connection.query_one_raw(question).await?;
    let (pages, all): (i64, i64) = match row {
        Some(row) => (row.try_get_by_index(0)?, row.try_get_by_index(1)?),
        None => (0, 0),
    };
    Ok(ranges(pages, all))
}

/// The ranges of a table of so many pages of rows, and so many of all kinds.
fn ranges(pages: i64, all: i64) -> Vec<String> {
    let size = (PAGES * pages / all.max(1)).clamp(1, PAGES);
    let mut ranges = Vec::new();
    let mut from = 0;
    while from + size < pages {
        let to = from + size;
        ranges.push(format!("ctid >= '({from},0)' AND ctid < '({to},0)'"));
        from = to;
    }
    ranges.push(format!("ctid >= '({from},0)'"));
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_long_values_are_fewer_at_a_time() {
        assert_eq!(ranges(0, 0), ["ctid >= '(0,0)'"]);
        assert_eq!(ranges(300, 300), ["ctid >= '(0,0)' AND ctid < '(256,0)'", "ctid >= '(256,0)'"]);
        assert_eq!(ranges(300, 30_000).len(), 150);
        assert_eq!(ranges(3, 30_000).len(), 3);
    }
}
