//! A table's rows in ranges of pages.

use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::{quote_identifier, sql_text};

/// Pages of rows in a range, with those in which long values are kept beside them: 2 MiB, so that whoever wants one of the rows
/// does not wait for long.
const PAGES: i64 = 256;

/// The statements that together make an UPDATE which ends in a condition, each for 2 MiB of its table at most, but for what is
/// behind the end that the table has now (PostgreSQL's manual, 5.5, `ctid`). A partitioned table has no pages of its own, so
/// that they are about its partitions.
pub(super) async fn of<C: ConnectionTrait>(connection: &C, update: &str) -> Result<Vec<String>, DbErr> {
    let names = sql_text::names(update);
    let table = names.iter().find(|name| !["update", "only"].contains(&name.as_str()));
    let table = table.map(String::as_str).unwrap_or_default();
    let values = [quote_identifier(table).into()];
    let sql = include_str!("chunks.sql");
    let question = Statement::from_sql_and_values(connection.get_database_backend(), sql, values);
    let mut statements = Vec::new();
    for row in connection.query_all_raw(question).await? {
        let partition: Option<String> = row.try_get_by_index(0)?;
        let pages: Option<i64> = row.try_get_by_index(1)?;
        let all: Option<i64> = row.try_get_by_index(2)?;
        let update =
            partition.map_or_else(|| update.to_owned(), |partition| instead(update, table, &partition));
        match pages.zip(all) {
            None => statements.push(update),
            Some((pages, all)) => {
                statements
                    .extend(ranges(pages, all).into_iter().map(|range| format!("{update} AND {range}")));
            }
        }
    }
    Ok(statements)
}

/// Conditions that together hold for each row of a table of so many pages of rows, and so many of all kinds.
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

/// The same for a partition (an SQL name), which is called as its table in what the statement says.
fn instead(update: &str, table: &str, partition: &str) -> String {
    let quoted = quote_identifier(table);
    match update.split_once(&quoted) {
        Some((head, rest)) => format!("{head}{partition} AS {quoted}{rest}"),
        None => update.to_owned(),
    }
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

    #[test]
    fn a_partition_is_called_as_its_table() {
        let update = "UPDATE \"t\" SET \"a\" = \"t\".b WHERE \"a\" IS NULL";
        let expected = "UPDATE s.p AS \"t\" SET \"a\" = \"t\".b WHERE \"a\" IS NULL";
        assert_eq!(instead(update, "t", "s.p"), expected);
    }
}
